import { problem } from '../base/problem.ts'
import type { RequestId } from '../base/json-rpc.ts'
import { eachMember, skipSpace, type Span } from '../base/json-spans.ts'

/** What a message from an upstream turned out to be. */
export type Inbound =
  | { readonly kind: 'response'; readonly id: RequestId | null; readonly idSpan: Span; readonly isError: boolean }
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string }
  | { readonly kind: 'notification'; readonly method: string }

/**
 * Tells responses, requests and notifications apart, reading no more than the outermost members. That the
 * text is whole (strings end, brackets close) is found on the way.
 *
 * @throws {Problem} `upstream.bad_answer` where the bytes are not a JSON-RPC message.
 */
export function readInbound(bytes: Buffer, server: string): Inbound {
  let idSpan: Span | undefined
  let methodSpan: Span | undefined
  let hasResult = false
  let isError = false
  try {
    const end = eachMember(bytes, 0, (key, start, end) => {
      if (key === 'id') idSpan = { start, end }
      else if (key === 'method') methodSpan = { start, end }
      else if (key === 'result') hasResult = true
      else if (key === 'error') isError = true
    })
    if (skipSpace(bytes, end) !== bytes.length) throw new SyntaxError('something follows the JSON text')
    const id = idSpan && readId(bytes, idSpan)
    if (methodSpan !== undefined) return asked(String(JSON.parse(sliceOf(bytes, methodSpan))), id)
    if ((hasResult || isError) && idSpan !== undefined && id !== undefined)
      return { kind: 'response', id, idSpan, isError }
  } catch (cause) {
    throw problem('upstream.bad_answer', { server, reason: 'not valid JSON', cause })
  }
  throw problem('upstream.bad_answer', { server, reason: 'not a JSON-RPC message' })
}

function asked(method: string, id: RequestId | null | undefined): Inbound {
  return id === undefined || id === null ? { kind: 'notification', method } : { kind: 'request', id, method }
}

function readId(bytes: Buffer, span: Span): RequestId | null {
  const id: unknown = JSON.parse(sliceOf(bytes, span))
  if (id === null || typeof id === 'string' || typeof id === 'number') return id
  throw new SyntaxError('the id is neither a string nor a number')
}

function sliceOf(bytes: Buffer, { start, end }: Span): string {
  return bytes.toString('utf8', start, end)
}
