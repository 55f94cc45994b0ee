import { withName, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { TenantId, UpstreamId } from '../base/ids.ts'
import type { Principal } from '../identity/principal.ts'
import type { Registry, Tool } from '../registry/registry.ts'
import { onceOver, type Answer, type Exchange } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { requireCredential, type CallCredentials } from './connecting.ts'
import type { Context } from './context.ts'

export interface CallNeeds {
  readonly registry: Pick<Registry, 'require'>
  readonly limits: { spend(principal: Principal): () => void }
  readonly upstreams: Pick<Upstreams, 'call'>
  readonly credentials: CallCredentials
  /** Told how each call ended: for the audit log, the metrics and the log. */
  readonly trail: {
    /** @throws {Problem} `audit.full` where what is done now could not be kept. */
    requireRoom(tenant: TenantId): void
    /**
     * Where the log is synchronous, the answer waits for the promise.
     *
     * @throws {Problem} `audit.full`, with which the promise rejects as well
     */
    followed(call: CallRecord, ctx: Context): Promise<void> | undefined
  }
  readonly clock: { now(): number }
}

/** What is kept of a call. */
export interface CallRecord {
  readonly tool: string
  readonly upstream: UpstreamId | undefined
  readonly startedAt: number
  readonly failure: Problem | undefined
  /** Whether the upstream was asked at all. */
  readonly called: boolean
}

/**
 * Answers `tools/call`: from a read message to the upstream's answer. The order is the contract.
 *
 * Limits come first, so that a flood, of unknown names too, costs its sender's own allowance and reaches neither a
 * server nor a secret. A name the caller may not see is unknown, not forbidden. The credential is the caller's
 * own and is handed to one upstream only. What could not be recorded is not answered.
 *
 * @throws {Problem} where no answer came; an error of the upstream's own is an answer.
 */
export async function callTool(needs: CallNeeds, request: RpcRequest, ctx: Context): Promise<Answer> {
  const startedAt = needs.clock.now()
  let release = nothingSpent
  let tool: Tool | undefined
  let called = false
  let outcome: Answer | Problem
  try {
    needs.trail.requireRoom(ctx.principal.tenant)
    if (request.name === undefined) throw problem('request.params', { reason: 'name is missing' })
    release = needs.limits.spend(ctx.principal)
    // What is there already is taken without a turn of the queue, which costs as much as the look-up.
    const found = needs.registry.require(ctx, request.name)
    tool = found instanceof Promise ? await found : found
    const held = requireCredential(needs.credentials, tool.upstream, ctx)
    const token = held instanceof Promise ? await held : held
    called = true
    const exchange = exchangeOf(withName(request, tool.name), ctx)
    outcome = releasedAfter(await send(needs, { upstream: tool.upstream, exchange, token }, ctx), release)
  } catch (error) {
    release()
    outcome = asProblem(error)
  }
  const failure = outcome instanceof Problem ? outcome : undefined
  try {
    const kept = needs.trail.followed(
      { tool: tool?.name ?? request.name ?? '', upstream: tool?.upstream, startedAt, failure, called },
      ctx,
    )
    if (kept) await kept
  } catch (error) {
    // What is still to come of the answer is let go of.
    release()
    ctx.abort(asProblem(error))
    throw error
  }
  if (outcome instanceof Problem) throw outcome
  return outcome
}

interface Sending {
  readonly upstream: UpstreamId
  readonly exchange: Exchange
  readonly token: Secret | undefined
}

/** A server that refuses the credential has done nothing: the call is made once more, with a newer one. */
async function send(needs: CallNeeds, { upstream, exchange, token }: Sending, { principal }: Context): Promise<Answer> {
  const { tenant, userId } = principal
  try {
    return await needs.upstreams.call(upstream, exchange, { tenant, userId, token })
  } catch (error) {
    if (token === undefined || !isRefusal(error)) throw error
    const renewed = await needs.credentials.renew(principal, upstream, token)
    if (renewed === undefined) throw error
    return needs.upstreams.call(upstream, exchange, { tenant, userId, token: renewed })
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.code === 'upstream.refused' && error.details['upstreamStatus'] === 401
}

function nothingSpent(): void {}

/** An answer that is passed on as it comes counts as a call until its last byte. */
function releasedAfter(answer: Answer, release: () => void): Answer {
  if (answer.kind === 'stream') return onceOver(answer, release)
  release()
  return answer
}

function exchangeOf(request: RpcRequest, ctx: Context) {
  const { requestId, paramHeaders, signal, abort, notify } = ctx
  return { request, era: ctx.era.name, requestId, paramHeaders, signal, abort, notify }
}
