import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'undici'
import { asProblem, problem, Problem } from '../../base/problem.ts'
import { post, type Post } from './http-post.ts'
import type { Reply } from './reply.ts'
import { toAbortSignal, type StopSignal } from '../../base/stop.ts'

/** The reply to a request whose stream ended early. */
export type Cut = Extract<Reply, { readonly kind: 'cut' }>

/** How long to wait where the server does not say. */
const RETRY_MS = 1_000
const RETRY_LONGEST_MS = 60_000
/** How often in a row the stream may be asked for in vain; the call's own deadline ends the rest. */
const VAIN_TRIES = 5

/**
 * Goes on with the stream of a request that ended before the answer: asks for what came after its last event, again
 * and again for as long as something new comes.
 *
 * @throws {Problem} `upstream.died` where the rest cannot be had, or the signal's reason.
 * @see MCP 2025-11-25, basic/transports#resumability-and-redelivery and SEP-1699: a server may end a stream at will
 */
export async function resume(pool: Pool, cut: Cut, request: Post, headersAfter: (lastId: string) => string[]) {
  let last = cut
  for (let vain = 0; vain < VAIN_TRIES;) {
    await rest(last.retryMs ?? RETRY_MS, request)
    const again: Post = { ...request, method: 'GET', body: undefined, headers: headersAfter(last.lastId) }
    const reply = await post(pool, again).catch((error: unknown) => orNothing(error, request.signal))
    if (reply?.kind === 'whole' || reply?.kind === 'stream') return reply
    if (reply?.kind === 'status') break
    vain = reply !== undefined && reply.lastId !== last.lastId ? 0 : vain + 1
    if (reply) last = { ...reply, retryMs: reply.retryMs ?? last.retryMs }
  }
  throw problem('upstream.died', { server: request.server, cause: new Error('the stream cannot be gone on with') })
}

async function rest(wantedMs: number, { signal, stopped }: Post): Promise<void> {
  await pause(Math.min(wantedMs, RETRY_LONGEST_MS), undefined, { signal: toAbortSignal(signal) }).catch(() => {
    const reason = asProblem(signal.reason)
    stopped?.(reason)
    throw reason
  })
}

/** A server that is away for a moment may have the stream yet. */
function orNothing(error: unknown, signal: StopSignal): undefined {
  const away = error instanceof Problem && AWAY.has(error.code)
  if (signal.aborted || !away) throw error
}

const AWAY: ReadonlySet<string> = new Set(['upstream.died', 'upstream.unreachable', 'upstream.busy'])
