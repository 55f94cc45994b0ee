import type { IncomingMessage, ServerResponse } from 'node:http'
import { problem } from '../base/problem.ts'
import { readBody } from './body.ts'

/**
 * Carries one request from `node:http` to a handler written for the web's `Request` and `Response`. Not
 * for the path of a call, which cannot afford the conversion.
 */
export async function serveWeb(
  request: IncomingMessage,
  response: ServerResponse,
  { bodyLimit, fetch }: { readonly bodyLimit: number; readonly fetch: (request: Request) => Promise<Response> },
): Promise<void> {
  const { method = 'GET', url = '/' } = request
  if (FORBIDDEN_METHODS.has(method)) throw problem('request.http_method')
  const body = method === 'GET' || method === 'HEAD' ? null : new Uint8Array(await readBody(request, bodyLimit))
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  await sendWeb(response, await fetch(new Request(new URL(url, 'http://gate.invalid'), { method, headers, body })))
}

/** Sends an answer that was made as a web `Response`. */
export async function sendWeb(response: ServerResponse, answer: Response): Promise<void> {
  const bytes = Buffer.from(await answer.arrayBuffer())
  response.writeHead(answer.status, [...[...answer.headers].flat(), 'Content-Length', String(bytes.length)])
  response.end(bytes)
}

/** What a web `Request` cannot be made with. @see the Fetch standard, "forbidden method" */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])
