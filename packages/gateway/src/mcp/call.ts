import type { TenantId, UpstreamId } from '../base/ids.ts'
import { targetOf, type RpcRequest } from '../base/json-rpc.ts'
import { asProblem, Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Principal } from '../identity/principal.ts'
import { onceOver, type Answer, type Exchange, type Question, type Reply } from '../upstreams/transport.ts'
import { readRefusal } from '../upstreams/refusal.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { mayRunAgain } from './bridge/retry.ts'
import { completeRounds } from './bridge/rounds.ts'
import { requireCredential, type CallCredentials } from './connecting.ts'
import type { Context } from './context.ts'
import type { Target } from './eras/operations.ts'
import type { Placed, Placing } from './placing.ts'

export interface CallNeeds {
  readonly placing: Placing
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
  readonly method: string
  /** The tool, prompt or URI that was asked for, as its server knows it. */
  readonly name: string
  readonly upstream: UpstreamId | undefined
  readonly startedAt: number
  readonly failure: Problem | undefined
  /** Whether the upstream was asked at all. */
  readonly called: boolean
}

/**
 * Answers what one server has to answer, a tool's call above all: from a read message to the upstream's answer. The
 * order is the contract.
 *
 * Limits come first, so that a flood, of unknown names too, costs its sender's own allowance and reaches neither a
 * server nor a secret. A name the caller may not see is unknown, not forbidden. The credential is the caller's
 * own and is handed to one upstream only. What could not be recorded is not answered.
 *
 * @throws {Problem} where no answer came; an error of the upstream's own is an answer.
 */
export async function callServer(
  needs: CallNeeds,
  { request, target }: { readonly request: RpcRequest; readonly target: Target },
  ctx: Context,
): Promise<Answer> {
  const startedAt = needs.clock.now()
  let release = nothingSpent
  let placed: Placed | undefined
  let called = false
  let outcome: Answer | Problem
  try {
    needs.trail.requireRoom(ctx.principal.tenant)
    release = needs.limits.spend(ctx.principal)
    // What is there already is taken without a turn of the queue, which costs as much as the look-up.
    const found = needs.placing.place(request, target, ctx)
    placed = found instanceof Promise ? await found : found
    const held = requireCredential(needs.credentials, placed.upstream, ctx)
    const token = held instanceof Promise ? await held : held
    called = true
    const answer = await send(needs, { placed, exchange: exchangeOf(needs, placed, ctx), token }, ctx)
    outcome = releasedAfter(needs.placing.shown(answer, placed, ctx), release)
  } catch (error) {
    release()
    outcome = asProblem(error)
  }
  const failure = outcome instanceof Problem ? outcome : undefined
  try {
    const { method } = request
    const name = targetOf(placed?.request ?? request) ?? ''
    const kept = needs.trail.followed({ method, name, upstream: placed?.upstream, startedAt, failure, called }, ctx)
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
  readonly placed: Placed
  readonly exchange: Exchange
  readonly token: Secret | undefined
}

/**
 * A server that refuses the credential has done nothing: the call is made once more, with a newer one. One that died
 * may have done it: only what may safely be done twice is.
 */
async function send(needs: CallNeeds, sending: Sending, ctx: Context): Promise<Answer> {
  const { placed, token } = sending
  try {
    return await ask(needs, sending, ctx)
  } catch (error) {
    if (error instanceof Problem && !ctx.signal.aborted && mayRunAgain(placed.item, error)) {
      return ask(needs, { ...sending, token: await tokenNow(needs, placed, ctx) }, ctx)
    }
    const refusal = readRefusal(error)
    if (token === undefined || refusal === undefined) throw error
    const renewed = await needs.credentials.renew(ctx.principal, placed.upstream, token, refusal.scopes)
    if (renewed === undefined) throw error
    return ask(needs, { ...sending, token: renewed }, ctx)
  }
}

/** What the call began with may be gone by the time it goes on. */
async function tokenNow({ credentials }: CallNeeds, placed: Placed, ctx: Context): Promise<Secret | undefined> {
  return credentials.require(ctx.principal, placed.upstream)
}

/** A newer server may ask an older client for more before it answers: that takes several rounds. */
function ask(needs: CallNeeds, { placed, exchange, token }: Sending, ctx: Context): Promise<Answer> {
  const { upstreams } = needs
  const { tenant, userId } = ctx.principal
  const asked = upstreams.call(placed.upstream, exchange, { tenant, userId, token })
  if (ctx.era.name === 'modern') return asked
  return asked.then((answer) => {
    if (answer.kind === 'stream' || answer.era === 'legacy') return answer
    return completeRounds({
      answer,
      request: exchange.request,
      ask: (question) => exchange.ask(question),
      async again(request) {
        const caller = { tenant, userId, token: await tokenNow(needs, placed, ctx) }
        return upstreams.call(placed.upstream, { ...exchange, request }, caller)
      },
      server: placed.upstream,
      signal: ctx.signal,
    })
  })
}

function nothingSpent(): void {}

/** An answer that is passed on as it comes counts as a call until its last byte. */
function releasedAfter(answer: Answer, release: () => void): Answer {
  if (answer.kind === 'stream') return onceOver(answer, release)
  release()
  return answer
}

interface CallExchange extends Exchange {
  readonly placing: Placing
  readonly placed: Placed
  readonly ctx: Context
}

function exchangeOf({ placing }: CallNeeds, placed: Placed, ctx: Context): CallExchange {
  return {
    placing,
    placed,
    ctx,
    request: placed.request,
    era: ctx.era.name,
    client: ctx.client,
    requestId: ctx.requestId,
    paramHeaders: placed.paramHeaders,
    signal: ctx.signal,
    whole: placed.whole,
    abort: abortCall,
    notify: notifyClient,
    ask: askClient,
  }
}

function abortCall(this: CallExchange, reason: Problem): void {
  this.ctx.abort(reason)
}

function notifyClient(this: CallExchange, message: Buffer, method: string): void {
  const { placing, placed, ctx } = this
  ctx.notify(placing.told(message, method, placed, ctx), method)
}

function askClient(this: CallExchange, question: Question): Promise<Reply> {
  return this.ctx.ask(question, this.placed.upstream)
}
