import type { IncomingHttpHeaders } from 'node:http'

/** One request, read to its end. */
export interface Exchange {
  readonly method: string
  readonly url: URL
  /** Scheme and authority as the client knows them, which paging URLs and redirects are built on. */
  readonly origin: string
  readonly headers: IncomingHttpHeaders
  /** The form that was sent; empty when the body was something else. */
  readonly form: URLSearchParams
  readonly body: string
  /** The named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Who it turned out to be, for the list of requests. */
  readonly seen: { user?: string }
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `hang` is a connection that stays open and says nothing. */
export type Answer = Reply | 'hang'

export interface Route {
  readonly method: string
  /** Segments; one that starts with a colon takes any value. The first route that fits is taken. */
  readonly path: string
  handle(exchange: Exchange): Answer
}

/** Leaves a handler at once with the reply it carries. */
export class Refusal extends Error {
  readonly reply: Reply
  constructor(reply: Reply) {
    super(`refused with ${reply.status}`)
    this.name = 'Refusal'
    this.reply = reply
  }
}

/**
 * JSON as MyAnimeList writes it: everything outside ASCII as `\u` escapes and every slash escaped. Both are JSON, and
 * both are what a client that cuts strings instead of parsing them stumbles over.
 */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[/\u007f-\uffff]/g, (char) =>
    char === '/' ? '\\/' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: encodeJson(value),
  }
}

export function redirect(location: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 302, headers: { location, 'cache-control': 'no-store', ...headers }, body: '' }
}
