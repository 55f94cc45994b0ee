import type { TenantId, UpstreamId, UserId } from '../../base/ids.ts'
import type { RpcRequest } from '../../base/json-rpc.ts'
import { splice } from '../../base/json-spans.ts'
import { problem } from '../../base/problem.ts'
import { readInputRequired, requestStateOf, withRequestState, type InputRequired } from '../eras/input-required.ts'
import { createSealedText } from './sealed-text.ts'

/** For whom something of an upstream's is sealed. */
export interface Holder {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly upstream: UpstreamId
}

/** For whom, and for which request: its method and its tool, prompt or URI. */
export interface SealedFor extends Holder {
  readonly method: string
  readonly target: string
}

/**
 * What an upstream to which all users look alike gives one of them to come back with, states of requests and ids of
 * tasks: sealed, so that it opens to that one and nobody else.
 */
export interface Seals {
  /**
   * The answer with its requestState sealed; the very same bytes where it has none, as nearly all.
   *
   * @throws {Problem} `upstream.bad_answer`
   */
  sealState(answer: Buffer, about: SealedFor): Buffer
  /**
   * The request with the upstream's own requestState, byte for byte; the very same where it has none.
   *
   * @throws {Problem} `call.state` where it is not one that was given to this user for this very target, or too old
   */
  openState(request: RpcRequest, about: SealedFor): RpcRequest
  /** @throws {Problem} `call.state` where the state is one of the gate's own, for an upstream that is given none */
  refuseSealed(request: RpcRequest, upstream: UpstreamId): void
  /**
   * A task's id as its user knows it, always the same for the same. Only for a task that is known to be this user's, by
   * their own request: whoever is given the sealed id may use it.
   */
  sealTask(about: Holder, id: string): string
  /** The upstream's own id. @throws {Problem} `task.unknown` */
  openTask(about: Holder, text: string): string
}

export interface SealsNeeds {
  /** 32 bytes that all processes of a gate know. */
  readonly key: Uint8Array
  readonly clock: { now(): number }
}

/** A state is good for so long; its upstream may have said for less. */
const STATE_MS = 3_600_000
const SPACE = 0x20

export function createSeals({ key, clock }: SealsNeeds): Seals {
  const states = createSealedText({ key, prefix: 'sk2.' })
  const tasks = createSealedText({ key, prefix: 'sk3.' })

  /** The upstream's JSON text is kept as it is: what it escaped is not for the gate to write anew. */
  function openAt(text: string, about: SealedFor): string | undefined {
    const plain = states.open(text, stateOf(about))
    if (!plain) return undefined
    const space = plain.indexOf(SPACE)
    const until = Number(plain.toString('latin1', 0, space))
    return clock.now() < until ? plain.toString('utf8', space + 1) : undefined
  }

  return {
    sealState(answer, about) {
      const state = requireJson(answer, about)?.state
      if (!state) return answer
      const until = Buffer.from(`${clock.now() + STATE_MS} `)
      const plain = Buffer.concat([until, answer.subarray(state.start, state.end)])
      return splice(answer, [{ ...state, by: `"${states.seal(plain, stateOf(about))}"` }])
    },
    openState(request, about) {
      const text = requestStateOf(request)
      if (text === undefined) return request
      const own = typeof text === 'string' ? openAt(text, about) : undefined
      if (own === undefined) throw problem('call.state', { server: about.upstream })
      return withRequestState(request, own)
    },
    refuseSealed(request, upstream) {
      const text = requestStateOf(request)
      if (typeof text === 'string' && states.recognises(text)) throw problem('call.state', { server: upstream })
    },
    sealTask: (about, id) => tasks.seal(Buffer.from(id), holderOf(about)),
    openTask(about, text) {
      const id = tasks.open(text, holderOf(about))
      if (!id) throw problem('task.unknown', { server: about.upstream })
      return id.toString()
    },
  }
}

function requireJson(answer: Buffer, { upstream }: SealedFor): InputRequired | undefined {
  try {
    return readInputRequired(answer)
  } catch (cause) {
    throw problem('upstream.bad_answer', { server: upstream, reason: 'not valid JSON', cause })
  }
}

function holderOf({ tenant, userId, upstream }: Holder): readonly string[] {
  return [tenant, userId, upstream]
}

function stateOf(about: SealedFor): readonly string[] {
  return [...holderOf(about), about.method, about.target]
}
