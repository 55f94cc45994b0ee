import type { Pool } from 'undici'
import type { RequestId, RpcRequest } from '../../base/json-rpc.ts'
import { asProblem, problem } from '../../base/problem.ts'
import { DONE, readData, readEnd, readFailure, readHead, type Reading, type Reply, type ReplyHead } from './reply.ts'

/** One request over HTTP whose answer is one JSON-RPC response: a POST, or a GET for the rest of its stream. */
export interface Post {
  readonly server: string
  readonly method?: 'POST' | 'GET'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer | undefined
  /** The id of the JSON-RPC request. */
  readonly id: RequestId
  readonly signal: AbortSignal
  readonly answerBytes: number
  readonly mayStream: boolean
  /** Whether a stream that ends before the answer may be gone on with. */
  readonly resumes: boolean
  notify(message: Buffer, method: string): void
  /** Takes a request of the server's own; absent where there must be none. */
  readonly ask: ((question: RpcRequest) => void) | undefined
}

/**
 * Sends one JSON-RPC request over HTTP and reads the reply.
 *
 * @throws {Problem} `upstream.*`, or the signal's reason.
 */
export function post(pool: Pool, request: Post): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { signal, server, id, answerBytes, mayStream, resumes, notify, ask } = request
    const reading: Reading = {
      server,
      id,
      answerBytes,
      mayStream,
      resumes,
      notify,
      ask,
      resolve,
      reject,
      connection: undefined,
      state: DONE,
      size: 0,
      sessionId: undefined,
    }
    const abort = () => {
      reject(asProblem(signal.reason))
      reading.connection?.abort(asProblem(signal.reason))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    const { method = 'POST', path, headers, body = null } = request
    pool.dispatch(
      { path, method, headers, body },
      {
        onRequestStart(controller) {
          reading.connection = controller
          if (signal.aborted) controller.abort(asProblem(signal.reason))
        },
        onResponseStart(_controller, status, headers) {
          // An interim response (RFC 9110 §15.2) says nothing of the answer.
          if (status >= 200) readHead(reading, status, headOf(headers))
        },
        onResponseData: (_controller, chunk) => readData(reading, chunk),
        onResponseEnd() {
          signal.removeEventListener('abort', abort)
          readEnd(reading)
        },
        onResponseError(_controller, cause) {
          signal.removeEventListener('abort', abort)
          // Without a connection nothing was sent; with one, the request may have run.
          if (reading.connection) readFailure(reading, cause)
          else reject(problem('upstream.unreachable', { server, cause }))
        },
      },
    )
  })
}

export type HeaderRecord = Readonly<Record<string, string | string[] | undefined>>

export function headOf(headers: HeaderRecord): ReplyHead {
  return {
    contentType: textOf(headers['content-type']),
    contentEncoding: textOf(headers['content-encoding']),
    contentLength: textOf(headers['content-length']),
    sessionId: textOf(headers['mcp-session-id']),
    challenge: textOf(headers['www-authenticate']),
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
