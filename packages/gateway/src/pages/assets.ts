import { hash } from 'node:crypto'
import { mark } from './mark.svg.ts'
import { passkeyScript } from './passkey.js.ts'
import { style } from './style.css.ts'

interface Asset {
  readonly path: string
  readonly type: string
  readonly text: string
}

const assets = {
  style: make(style, 'css', 'text/css; charset=utf-8'),
  mark: make(mark, 'svg', 'image/svg+xml'),
  passkey: make(passkeyScript, 'js', 'text/javascript; charset=utf-8'),
}

const byPath: ReadonlyMap<string, Asset> = new Map(Object.values(assets).map((asset) => [asset.path, asset]))

/** Where a file of the pages is: an address that changes with its content, so that it can be kept for ever. */
export function asset(name: keyof typeof assets): string {
  return assets[name].path
}

/** Answers with the file at a path. An older one's path leads nowhere, and so does its page. */
export function handleAsset(path: string): Response | undefined {
  const found = byPath.get(path)
  if (found === undefined) return undefined
  return new Response(found.text, {
    headers: {
      'Content-Type': found.type,
      'Cache-Control': 'public, max-age=31536000, immutable',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': `default-src 'none'; style-src 'unsafe-inline'; sandbox`,
      'Cross-Origin-Resource-Policy': 'same-origin',
    },
  })
}

function make(text: string, extension: string, type: string): Asset {
  return { path: `/assets/${hash('sha256', text, 'hex').slice(0, 16)}.${extension}`, type, text }
}
