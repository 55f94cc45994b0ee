import type { IncomingMessage } from 'node:http'
import { problem } from '../base/problem.ts'

/** Which names this gate answers to, and which web pages may call it. */
export interface EdgeSettings {
  readonly publicUrl: string
  readonly port: number
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Guards against DNS rebinding: a page in a browser can make a name of its own point at this machine, but
 * it cannot choose the `Host` and `Origin` the browser sends.
 *
 * @throws {Problem} `request.host`, `request.origin`
 * @see MCP 2026-07-28, basic/transports/streamable-http#security-warning
 */
export function createEdge(settings: EdgeSettings): (request: IncomingMessage) => void {
  const hosts = new Set(hostsOf(settings))
  const origins = new Set(originsOf(settings))
  return function checkEdge(request) {
    const { host, origin } = request.headers
    if (host === undefined || !hosts.has(host.toLowerCase()) || namesTwoHosts(request))
      throw problem('request.host', { host })
    if (origin !== undefined && !origins.has(origin.toLowerCase())) throw problem('request.origin', { origin })
  }
}

/** Whoever stands in between may have believed the other one. @see RFC 9112 §3.2 */
function namesTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}

function hostsOf({ publicUrl, port, allowedHosts }: EdgeSettings): string[] {
  return [new URL(publicUrl).host, ...LOOPBACK.map((name) => `${name}:${port}`), ...allowedHosts].map((host) =>
    host.toLowerCase(),
  )
}

function originsOf({ publicUrl, port, allowedOrigins }: EdgeSettings): string[] {
  return [new URL(publicUrl).origin, ...LOOPBACK.map((name) => `http://${name}:${port}`), ...allowedOrigins].map(
    (origin) => origin.toLowerCase(),
  )
}
