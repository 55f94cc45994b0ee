import type { Dispatcher, Pool } from 'undici'
import type { RequestId } from '../../base/json-rpc.ts'
import { asProblem, problem, type Problem } from '../../base/problem.ts'
import { createReplyReader, type Reply } from './reply.ts'

/** One POST to an upstream. */
export interface Post {
  readonly server: string
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer
  readonly id: RequestId
  readonly signal: AbortSignal
  readonly answerBytes: number
  readonly mayStream: boolean
  notify(message: Buffer): void
  ask(id: RequestId, method: string): void
}

/** The reply, and the session the server opened with it. */
export type Posted = Reply & { readonly sessionId?: string | undefined }

/**
 * Sends one JSON-RPC request over HTTP and reads the reply.
 *
 * @throws {Problem} `upstream.*`, or the signal's reason.
 */
export function post(pool: Pool, request: Post): Promise<Posted> {
  return new Promise((resolve, reject) => {
    const { signal } = request
    let controller: Dispatcher.DispatchController | undefined
    let sessionId: string | undefined
    const abort = () => {
      reject(asProblem(signal.reason))
      controller?.abort(signal.reason)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    const done = () => signal.removeEventListener('abort', abort)
    const reader = createReplyReader({
      server: request.server,
      id: request.id,
      answerBytes: request.answerBytes,
      mayStream: request.mayStream,
      notify: request.notify,
      ask: request.ask,
      resolve: (reply) => resolve(sessionId === undefined ? reply : { ...reply, sessionId }),
      reject: (reason: Problem) => reject(reason),
      pause: () => controller?.pause(),
      resume: () => controller?.resume(),
      abort: () => controller?.abort(ABANDONED),
    })
    pool.dispatch(
      { path: request.path, method: 'POST', headers: request.headers, body: request.body },
      {
        onRequestStart(started) {
          controller = started
          if (signal.aborted) started.abort(signal.reason)
        },
        onResponseStart(_controller, status, headers) {
          // An interim response (RFC 9110 §15.2) says nothing of the answer.
          if (status < 200) return
          sessionId = textOf(headers['mcp-session-id'])
          reader.start(status, {
            contentType: textOf(headers['content-type']),
            contentEncoding: textOf(headers['content-encoding']),
            contentLength: textOf(headers['content-length']),
          })
        },
        onResponseData: (_controller, chunk) => reader.data(chunk),
        onResponseEnd() {
          done()
          reader.end()
        },
        onResponseError(_controller, cause) {
          done()
          // Without a connection nothing was sent; with one, the request may have run.
          if (controller) reader.fail(cause)
          else reject(problem('upstream.unreachable', { server: request.server, cause }))
        },
      },
    )
  })
}

/** Why a connection is given up once the answer is there or the reply is of no use. */
const ABANDONED = new Error('the rest of the reply is not needed')

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
