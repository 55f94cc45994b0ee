import { expect } from 'vitest'
import { resultOf, type Reply } from './wire.ts'

interface Failure {
  readonly code: string | number
  readonly data?: Said
  readonly details?: Said
}
interface Said {
  readonly code?: string
  readonly fix: string
  readonly docs: string
  readonly requestId: string
  readonly supported?: readonly string[]
}

/** An answer, whether a library read it or not. */
interface AnyAnswer {
  readonly headers: { get(name: string): string | null | undefined }
  readonly body: string
}

/** The code of a failure, after a look at what every failure must say, in JSON-RPC or in plain HTTP. */
export function codeOf({ headers, body }: AnyAnswer): string {
  const { error }: { error: Failure } = JSON.parse(body)
  const said = error.data ?? error.details
  expect(said?.fix).toMatch(/\w{3}/)
  expect(said?.docs).toContain('errors.md#')
  expect(said?.requestId).toMatch(/\w/)
  expect(headers.get('x-request-id')).toBe(said?.requestId)
  return String(error.data?.code ?? error.code)
}

/** The JSON-RPC code of a failure. */
export function rpcCodeOf({ body }: Pick<AnyAnswer, 'body'>): number {
  const { error }: { error: { code: number } } = JSON.parse(body)
  return error.code
}

/** An answer that a library read, as one to look at in the same way. */
export function asAnswer({ headers, bytes }: Reply): AnyAnswer {
  return { headers, body: bytes.toString() }
}

interface FailedResult {
  readonly isError: boolean
  readonly content: readonly { readonly text: string }[]
  readonly _meta: { readonly 'dev.sekisho/error': { readonly code: string; readonly details: Said } }
}

/** The failure of a tool as its result tells it: to a program by its code, to a model in words. */
export function failureOf(reply: Reply): { code: string; words: string } {
  const { isError, content, _meta } = resultOf<FailedResult>(reply)
  const { code, details } = _meta['dev.sekisho/error']
  expect([reply.status, isError, details.requestId]).toEqual([200, true, reply.headers.get('x-request-id')])
  return { code, words: content.map(({ text }) => text).join('') }
}
