import type { Readable } from 'node:stream'
import { problem, Problem } from '../../base/problem.ts'
import type { UpstreamId } from '../../base/ids.ts'
import { createBrake } from '../children/pipes.ts'
import { IDLE_LINES, type Hearing, type Running } from '../children/running.ts'
import { createEventReader } from './event-stream.ts'
import type { Route } from './http-link.ts'
import { createPostOutput } from './sse-post.ts'
import { refusalOf } from './sse-refusal.ts'

export interface SseStreamNeeds extends Hearing {
  readonly upstream: UpstreamId
  /** Where it is, with a caller's credential in place. */
  readonly route: Route
}

/**
 * Connects with a server of HTTP+SSE: it opens a stream, says there where to send messages, and answers on the stream.
 *
 * @throws {Problem} `upstream.unreachable`, `upstream.refused`, `upstream.busy`, `upstream.bad_answer`, or the signal's
 * reason.
 * @see MCP 2024-11-05, basic/transports#http-with-sse
 */
export async function openSseStream(needs: SseStreamNeeds): Promise<Running> {
  const { upstream, route, lineBytes } = needs
  const ending = new AbortController()
  const body = await openStream(needs, AbortSignal.any([needs.signal, ending.signal]))
  const endpoint = Promise.withResolvers<string>()
  let isOver = false

  function over(how: string): void {
    if (isOver) return
    isOver = true
    endpoint.reject(problem('upstream.unreachable', { server: upstream, cause: new Error(how) }))
    ending.abort(new Error(how))
    needs.onFading()
    needs.onOver(how)
  }

  const brake = createBrake(body, IDLE_LINES, () => {})
  let idle = 0
  const reader = createEventReader((data, type) => {
    if (type === 'endpoint') endpoint.resolve(data.toString())
    else if (type === '') idle += needs.onLine(data).unwanted
  }, lineBytes)
  body.on('data', (chunk: Buffer) => {
    idle = 0
    try {
      reader.push(chunk)
      brake(idle)
    } catch {
      needs.onTooLong()
    }
  })
  body.on('error', () => over('its stream broke')).on('end', () => over('it ended its stream'))

  try {
    const path = pathAt(await endpoint.promise, route, upstream)
    const onLost = () => over('it knows the connection no more')
    const output = createPostOutput({
      upstream,
      pool: route.pool,
      headers: route.headers,
      path,
      signal: ending.signal,
      onLost,
    })
    return { pid: undefined, output, measure: async () => undefined, end: async () => end() }
  } catch (error) {
    end()
    throw error
  }

  function end(): true {
    isOver = true
    ending.abort(new Error('the connection was closed'))
    return true
  }
}

async function openStream({ route, upstream: server }: SseStreamNeeds, signal: AbortSignal): Promise<Readable> {
  const headers = ['accept', 'text/event-stream', 'user-agent', 'sekisho', ...route.headers]
  const answer = await route.streams
    .request({ method: 'GET', path: route.path, headers, signal })
    .catch((cause: unknown) => unreachable(server, signal, cause))
  const { statusCode, body } = answer
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = answer.headers
  // What is packed and was not asked for could unpack to more than any limit.
  if (statusCode === 200 && encoding === 'identity' && String(type).startsWith('text/event-stream')) return body
  body.on('error', () => {}).destroy()
  throw refusalOf(statusCode, server)
}

function unreachable(server: UpstreamId, { aborted, reason }: AbortSignal, cause: unknown): never {
  throw aborted && reason instanceof Problem ? reason : problem('upstream.unreachable', { server, cause })
}

/** A credential goes to the server that was configured, and to no other that it names. */
function pathAt(endpoint: string, { origin, path }: Route, server: UpstreamId): string {
  const url = URL.parse(endpoint, origin + path)
  if (url?.origin !== origin) throw problem('upstream.bad_answer', { server, reason: 'an endpoint at another place' })
  return url.pathname + url.search
}
