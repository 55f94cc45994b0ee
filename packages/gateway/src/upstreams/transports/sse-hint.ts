import { problem, type Problem } from '../../base/problem.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Caller } from '../transport.ts'
import type { Route } from './http-link.ts'
import { openSseStream } from './sse-stream.ts'

export interface SseHintNeeds {
  readonly upstream: UpstreamId
  readonly clock: { now(): number }
  /** Where to ask, for one caller. */
  routeFor(caller: Caller): Route
}

/** How long is waited for a sign of the older transport, and how long it is believed what was found. */
const LOOK_MS = 3_000
const BELIEVED_MS = 10 * 60_000
const LINE_BYTES = 65_536
const IGNORED = { unwanted: 0, isJunk: false }

/**
 * What to say of a server that Streamable HTTP gets nowhere with. It may be one of HTTP+SSE, whose address was
 * configured without its type: then that is said. It is not spoken with: what is configured is what is done.
 */
export function createSseHint(needs: SseHintNeeds): (caller: Caller) => Promise<Problem> {
  const { upstream: server, clock } = needs
  let foundAt = -Infinity
  let found: Promise<boolean> | undefined

  function isSse(caller: Caller): Promise<boolean> {
    if (found && clock.now() - foundAt < BELIEVED_MS) return found
    foundAt = clock.now()
    return (found = look(needs, caller))
  }

  return async (caller) =>
    problem((await isSse(caller)) ? 'upstream.older_transport' : 'upstream.unsupported', { server })
}

async function look({ upstream, routeFor }: SseHintNeeds, caller: Caller): Promise<boolean> {
  const signal = AbortSignal.timeout(LOOK_MS)
  const hearing = { lineBytes: LINE_BYTES, onLine: () => IGNORED, onTooLong() {}, onFading() {}, onOver() {}, signal }
  try {
    const stream = await openSseStream({ ...hearing, upstream, route: routeFor(caller) })
    return await stream.end({ graceMs: 0, abruptly: true })
  } catch {
    return false
  }
}
