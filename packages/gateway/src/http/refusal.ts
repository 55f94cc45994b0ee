import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../base/errors.ts'
import { problem, toHttpError, type Details, type Problem } from '../base/problem.ts'
import type { Refuse } from './serve.ts'

/**
 * What the answer to a failure carries beside its body: header names and values in turn.
 *
 * @see RFC 6750 §3, RFC 9110 §10.2.3 and §15.5.6
 */
export function failureHeaders(failure: Problem): string[] {
  const { code, row, details } = failure
  if (row.status === 401 || code === 'auth.forbidden') return ['WWW-Authenticate', challenge(row.oauth, details)]
  if (isPassing(failure)) return ['Retry-After', secondsToWait(details)]
  return code === 'request.http_method' ? ['Allow', 'POST'] : []
}

/** Whether it is over soon, so that `Retry-After` says when to come back: mostly for whoever asked too often. */
export function isPassing({ code, row }: Problem): boolean {
  return row.status === 429 || PASSING.has(code)
}

const PASSING: ReadonlySet<ErrorCode> = new Set(['gate.overloaded', 'storage.unreachable', 'storage.failing'])

/** How long to wait until then. @see RFC 9110 §10.2.3 */
export function secondsToWait({ seconds }: Details): string {
  return typeof seconds === 'number' ? String(seconds) : '1'
}

/** @see RFC 6750 §3 and, for `resource_metadata`, RFC 9728 §5.1 */
function challenge(error: string | undefined, { scope, metadataUrl }: Details): string {
  const parameters = [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scopeToken(scope)}"`]),
    ...(typeof metadataUrl === 'string' ? [`resource_metadata="${metadataUrl}"`] : []),
  ]
  return parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`
}

/** A scope may be made of an address, which can hold what a quoted string cannot. @see RFC 6749 §3.3 */
function scopeToken(scope: unknown): string {
  return String(scope).replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

interface RefusalNeeds {
  readonly newRequestId: () => string
  readonly onFailure: (failure: Problem, requestId: string) => void
}

/** Answers what Node's parser refuses, as every other failure is answered, and ends the connection. */
export function createRefusal({ newRequestId, onFailure }: RefusalNeeds): Refuse {
  return function refuse(error, socket) {
    if (!socket.writable || isAnswering(socket)) return void socket.destroy()
    const failure = problem(REFUSALS[error.code ?? ''] ?? 'request.http', {
      reason: error.code,
      ...settingOf(error, socket),
    })
    const requestId = newRequestId()
    onFailure(failure, requestId)
    socket.end(toBytes(failure, requestId))
  }
}

const REFUSALS: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request.timeout',
  HPE_HEADER_OVERFLOW: 'request.headers_too_large',
}

/** Node calls both by one name: what came of a request when its time was up tells which deadline it was. */
function settingOf({ code }: NodeJS.ErrnoException, socket: Duplex) {
  if (code !== 'ERR_HTTP_REQUEST_TIMEOUT') return {}
  return { setting: answerOf(socket) === undefined ? 'timeouts.headersMs' : 'timeouts.bodyMs' }
}

/** Whether part of an answer is out already, in which another would be taken for its content; as Node itself looks. */
function isAnswering(socket: Duplex): boolean {
  const answer = answerOf(socket)
  return answer !== undefined && Reflect.get(answer, 'headersSent') === true
}

/** The answer to the request whose headers have arrived; nothing while they have not. */
function answerOf(socket: Duplex): object | undefined {
  const response: unknown = Reflect.get(socket, '_httpMessage')
  return typeof response === 'object' && response !== null ? response : undefined
}

function toBytes(failure: Problem, requestId: string): string {
  const { status } = failure.row
  const body = JSON.stringify(toHttpError(failure, requestId))
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `X-Request-Id: ${requestId}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
