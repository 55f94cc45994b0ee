import { withName, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { UpstreamId } from '../base/ids.ts'
import type { Principal } from '../identity/principal.ts'
import type { Registry, Tool } from '../registry/registry.ts'
import { onceOver, type Answer } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import type { Context } from './context.ts'

export interface CallNeeds {
  readonly registry: Pick<Registry, 'require'>
  readonly limits: { spend(principal: Principal): () => void }
  readonly upstreams: Pick<Upstreams, 'call'>
  readonly credentials: {
    require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined>
  }
  /** Told how each call ended: for the audit log, the metrics and the log. */
  readonly trail: {
    /** @throws {Problem} `audit.full` where what is done now could not be kept. */
    requireRoom(): void
    /** Where the log is synchronous, the answer waits for the promise. */
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
 * A name the caller may not see is unknown, not forbidden. Limits come before the vault is opened, so a
 * flood never reaches a secret. The credential is the caller's own and is handed to one upstream only.
 *
 * @throws {Problem} where no answer came; an error of the upstream's own is an answer.
 */
export async function callTool(needs: CallNeeds, request: RpcRequest, ctx: Context): Promise<Answer> {
  const startedAt = needs.clock.now()
  let tool: Tool | undefined
  let failure: Problem | undefined
  let called = false
  try {
    needs.trail.requireRoom()
    if (request.name === undefined) throw problem('request.params', { reason: 'name is missing' })
    // What is there already is taken without a turn of the queue, which costs as much as the look-up.
    const found = needs.registry.require(ctx, request.name)
    tool = found instanceof Promise ? await found : found
    const release = needs.limits.spend(ctx.principal)
    try {
      const held = needs.credentials.require(ctx.principal, tool.upstream)
      const token = held instanceof Promise ? await held : held
      called = true
      const caller = { tenant: ctx.principal.tenant, userId: ctx.principal.userId, token }
      const exchange = exchangeOf(withName(request, tool.name), ctx)
      return releasedAfter(await needs.upstreams.call(tool.upstream, exchange, caller), release)
    } catch (error) {
      release()
      throw error
    }
  } catch (error) {
    failure = asProblem(error)
    throw failure
  } finally {
    const kept = needs.trail.followed(
      { tool: tool?.name ?? request.name ?? '', upstream: tool?.upstream, startedAt, failure, called },
      ctx,
    )
    if (kept) await kept
  }
}

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
