import type { UpstreamId } from '../../base/ids.ts'
import type { RpcRequest } from '../../base/json-rpc.ts'
import { problem, type Problem } from '../../base/problem.ts'
import type { Principal } from '../../identity/principal.ts'
import type { ClientView } from '../../upstreams/client.ts'
import type { Question, Reply } from '../../upstreams/transport.ts'
import { composeInputRequired, mayHoldQuestions } from '../eras/input-required.ts'
import { isAskable, notAsked } from './askable.ts'
import type { Later } from './later.ts'
import type { StopSignal } from '../../base/stop.ts'

/** A call of a client that nobody can ask while it waits. */
export interface Parkable {
  readonly principal: Pick<Principal, 'tenant' | 'userId'>
  /** As the client sent it; it comes again with the same. */
  readonly request: RpcRequest
  readonly client: ClientView
  /** Who asks. */
  readonly server: UpstreamId
  abort(reason: Problem): void
  /** Ends the response under way with that result, as JSON text; the call goes on. */
  detach(result: string): void
}

/** What the server of a kept call does. */
export interface Parked {
  /** Whether the call's own response has ended. Before, notifications and the outcome are for that. */
  readonly detached: boolean
  /** Asks the client. Never rejects: who cannot be asked gives an error. */
  ask(question: Question): Promise<Reply>
  /** Tells whoever waits; what is told while nobody does is not kept. */
  notify(message: Buffer, method: string): void
  /** Says what came of the call; only the first time counts. */
  finish(outcome: Outcome): void
}

export type Outcome =
  /** The bytes of one member, `"result":…` or `"error":…`, and the HTTP status. */
  | { readonly kind: 'answer'; readonly member: Buffer; readonly status: number }
  /** A result that asks, as JSON text. */
  | { readonly kind: 'questions'; readonly result: string }
  | { readonly kind: 'failed'; readonly problem: Problem }

/** One call whose server asks in the middle of it, and whose client comes again and again until it has ended. */
export interface Park extends Parked {
  /** Takes what the client says, and waits for what comes next. @throws {Problem} with which the call ended */
  resume(coming: Coming): Promise<Resumed>
  /** Ends the call where it has not ended yet. */
  end(reason: Problem): void
  /** Lets go of it all. */
  drop(): void
}

/** What a client gets that comes again. */
export type Resumed = Exclude<Outcome, { kind: 'failed' }>

/** A client that comes again. */
export interface Coming {
  /** The round of questions that it has been given. */
  readonly round: number
  /** What it says to them: JSON texts by key. */
  readonly said: ReadonlyMap<string, string>
  readonly signal: StopSignal
  notify(message: Buffer, method: string): void
}

export interface ParkNeeds {
  readonly call: Parkable
  /** The state that a client comes back with. */
  stateOf(round: number, until: number): string
  /** Takes room for a question; false where there is none. */
  take(bytes: number): boolean
  give(bytes: number): void
  /** Told once, when the call has ended: whether what came of it is kept for those who come yet. */
  ended(outcome: Outcome): boolean
  /** Told when it need not be kept any more. */
  past(): void
  readonly clock: { now(): number }
  readonly later: Later
  /** How long a client may stay away. */
  readonly parkMs: number
}

/** Questions asked within so long of each other go out together. */
const GATHER_MS = 5
/** What came of a call is kept for so long after it was given out, since the reply may have got lost. */
const KEEP_MS = 60_000
/** What a question costs besides its params. */
const QUESTION_BYTES = 500

interface Asked {
  readonly question: Question
  reply(reply: Reply): void
}

/** The questions a client has been given. */
interface Round {
  readonly keys: readonly string[]
  readonly questions: Resumed
}

interface Waiter {
  take(outcome: Outcome): void
  notify(message: Buffer, method: string): void
}

/**
 * Keeps one call. It is in one of three states: the server works, and whoever has come waits; questions are open, and
 * whoever comes is given them until they are answered; it has ended, and whoever comes is given what came of it.
 * Coming twice with one state does nothing twice.
 */
export function createPark(needs: ParkNeeds): Park {
  const { call, clock, later, parkMs } = needs
  /** Every question without a reply, by its key; keys are never used again. */
  const asked = new Map<string, Asked>()
  const waiters = new Set<Waiter>()
  let keys = 0
  let rounds = 0
  let gathering = false
  let open: Round | undefined
  let outcome: Outcome | undefined
  let given = false
  let detached = false
  let stopTimer = nothing

  // 1. The server asks.

  function ask(question: Question): Promise<Reply> {
    const bytes = question.params.length * 2 + QUESTION_BYTES
    if (outcome || !mayAsk(question) || !needs.take(bytes)) return Promise.resolve(notAsked(question))
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const reply = (said: Reply) => {
      needs.give(bytes)
      resolve(said)
    }
    asked.set(`q${++keys}`, { question, reply })
    gather()
    return promise
  }

  function mayAsk(question: Question): boolean {
    return mayHoldQuestions(call.request.method) && isAskable(call.client, question)
  }

  function gather(): void {
    if (open || gathering) return
    gathering = true
    later(openRound, GATHER_MS)
  }

  function openRound(): void {
    gathering = false
    if (asked.size === 0) return
    const questions = new Map(Array.from(asked, ([key, { question }]) => [key, question]))
    const result = composeInputRequired(questions, needs.stateOf(++rounds, clock.now() + parkMs))
    open = { keys: [...asked.keys()], questions: { kind: 'questions', result } }
    if (detached) giveOut(open.questions)
    else {
      detached = true
      call.detach(result)
    }
    rest()
  }

  // 2. The client comes, answers and waits.

  async function resume(coming: Coming): Promise<Resumed> {
    if (outcome) return giveAgain(outcome)
    if (open && !(coming.round === rounds && takeReplies(open, coming.said))) {
      rest()
      return open.questions
    }
    return wait(coming)
  }

  /** All or none: a client that left one out is given all of them again. */
  function takeReplies({ keys }: Round, said: ReadonlyMap<string, string>): boolean {
    if (!keys.every((key) => said.has(key))) return false
    for (const key of keys) {
      asked.get(key)?.reply(`"result":${said.get(key)}` as Reply)
      asked.delete(key)
    }
    open = undefined
    if (asked.size > 0) gather()
    return true
  }

  function wait({ signal, notify }: Coming): Promise<Resumed> {
    const { promise, resolve, reject } = Promise.withResolvers<Resumed>()
    const waiter = { notify, take }
    function take(what: Outcome): void {
      signal.removeEventListener('abort', leave)
      if (what.kind === 'failed') reject(what.problem)
      else resolve(what)
    }
    function leave(): void {
      waiters.delete(waiter)
      rest()
      reject(signal.reason)
    }
    waiters.add(waiter)
    stopTimer()
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    return promise
  }

  function giveOut(what: Outcome): void {
    for (const waiter of waiters) waiter.take(what)
    waiters.clear()
  }

  /** While nobody waits, the call goes on for so long. */
  function rest(): void {
    stopTimer()
    if (outcome || waiters.size > 0) return
    stopTimer = later(() => end(problem('call.expired', { server: call.server })), parkMs)
  }

  // 3. The call ends.

  function finish(what: Outcome): void {
    if (outcome) return
    outcome = what
    stopTimer()
    for (const { question, reply } of asked.values()) reply(notAsked(question))
    asked.clear()
    open = undefined
    given = waiters.size > 0
    if (needs.ended(what)) stopTimer = later(needs.past, given ? KEEP_MS : parkMs)
    giveOut(what)
  }

  function end(reason: Problem): void {
    if (outcome) return
    finish({ kind: 'failed', problem: reason })
    call.abort(reason)
  }

  function giveAgain(what: Outcome): Resumed {
    if (!given) {
      given = true
      stopTimer()
      stopTimer = later(needs.past, KEEP_MS)
    }
    if (what.kind === 'failed') throw what.problem
    return what
  }

  return {
    get detached() {
      return detached
    },
    ask,
    notify(message, method) {
      for (const waiter of waiters) waiter.notify(message, method)
    },
    finish,
    resume,
    end,
    drop: () => stopTimer(),
  }
}

function nothing(): void {}
