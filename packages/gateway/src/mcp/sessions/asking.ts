import type { RpcResponse } from '../../base/json-rpc.ts'
import type { Question, Reply } from '../../upstreams/transport.ts'
import { isAskable, notAsked } from '../bridge/askable.ts'
import { memberOf } from '../members.ts'
import type { Session } from './session.ts'
import type { Wire } from './wire.ts'
import type { StopSignal } from '../../base/stop.ts'

/** What a server hears of a client that cannot be asked. */
export { notAsked as cannotAsk } from '../bridge/askable.ts'

export interface AskHow {
  /** Sends a message on the stream of the call it is about; answers `false` where that cannot be. */
  through?(message: Buffer): boolean
  /** Aborts where nobody waits for the answer any more. */
  readonly signal?: StopSignal
}

export interface Asking {
  /**
   * Has the client of a session answer what a server asks: on the stream of the call, or else on the session's own,
   * wherever that is. Never rejects: who cannot be asked, or says nothing, gives an error.
   */
  ask(session: Session, question: Question, how?: AskHow): Promise<Reply>
  /** Takes what a client says to a question, in whichever process it was asked. Anything else is passed over. */
  replied(session: Session, message: RpcResponse): void
  /** Gives up all that is not answered. */
  close(): void
}

export interface AskingNeeds {
  readonly wire: Wire
  /** Writes to the session's own stream; answers `false` where it is not here. */
  send(session: string, message: Buffer): boolean
  /** How long a client may take. */
  readonly answerMs?: number
  /** How long another process may take to say that it has the client's stream; 0 where there is no other. */
  readonly elsewhereMs?: number
}

const ANSWER_MS = 10 * 60_000
const ELSEWHERE_MS = 500

interface Waiting {
  readonly session: string
  settle(reply: Reply | undefined): void
  /** The question is on its way, from another process. */
  taken(): void
}

/** Asks clients of the older revisions, which answer with a message of their own. */
export function createAsking(needs: AskingNeeds): Asking {
  const { wire, send, answerMs = ANSWER_MS, elsewhereMs = ELSEWHERE_MS } = needs
  const all = new Map<number, Waiting>()
  let count = 0

  /** Waits for what the client says: `undefined` where it says nothing in time, or nobody wants to know any more. */
  function wait(n: number, session: string, signal: StopSignal | undefined) {
    const { promise: reply, resolve } = Promise.withResolvers<Reply | undefined>()
    const { promise: taken, resolve: take } = Promise.withResolvers<boolean>()
    const giveUp = () => settle(undefined)
    const timer = setTimeout(giveUp, answerMs)
    function settle(said: Reply | undefined): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      all.delete(n)
      resolve(said)
      take(said !== undefined)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    all.set(n, { session, settle, taken: () => take(true) })
    return { reply, taken, giveUp }
  }

  /** Which process has the stream, if any, is not known beforehand: the one that has it says so. */
  async function isTaken(taken: Promise<boolean>, n: number, session: string, message: Buffer): Promise<boolean> {
    if (elsewhereMs === 0) return false
    const { promise: late, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, elsewhereMs, false)
    await wire.tell('ask', { session, n, message: message.toString() })
    return Promise.race([taken, late]).finally(() => clearTimeout(timer))
  }

  /** Only the session that was asked may answer. */
  function settle(n: number, session: string, reply: Reply): void {
    const waiting = all.get(n)
    if (waiting?.session === session) waiting.settle(reply)
  }

  wire.hear('ask', ({ session, n, message }, from) => {
    if (send(session, Buffer.from(message))) void wire.tell('taken', { n }, from)
  })
  wire.hear('taken', ({ n }) => all.get(n)?.taken())
  wire.hear('reply', ({ n, session, reply }) => settle(n, session, reply))

  return {
    async ask({ id: session, client }, question, { through, signal } = {}) {
      if (signal?.aborted || !isAskable(client, question)) return notAsked(question)
      const n = ++count
      const id = `${wire.instance}-${n}`
      const sendHere = (message: Buffer) => through?.(message) || send(session, message)
      const waiting = wait(n, session, signal)
      const message = requestOf(id, question)
      const isSent = sendHere(message) || (await isTaken(waiting.taken, n, session, message))
      if (!isSent) waiting.giveUp()
      const reply = await waiting.reply
      if (reply === undefined && isSent) sendHere(cancelled(id))
      return reply ?? notAsked(question)
    },
    replied({ id: session }, message) {
      const [, instance, digits] = ASKED.exec(String(message.id)) ?? []
      if (instance === undefined) return
      const n = Number(digits)
      const reply = memberOf(message.bytes).toString() as Reply
      if (instance === wire.instance) settle(n, session, reply)
      else void wire.tell('reply', { n, session, reply }, instance)
    },
    close() {
      for (const { settle } of all.values()) settle(undefined)
    },
  }
}

const ASKED = /^([A-Za-z0-9]+)-(\d{1,12})$/

function requestOf(id: string, { method, params }: Question): Buffer {
  const members = params === '' ? '' : `,"params":${params}`
  return Buffer.from(`{"jsonrpc":"2.0","id":"${id}","method":${JSON.stringify(method)}${members}}`)
}

/** @see MCP 2025-11-25, basic/utilities/cancellation */
function cancelled(requestId: string): Buffer {
  const params = { requestId, reason: 'nobody waits for the answer any more' }
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }))
}
