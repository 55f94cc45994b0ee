import { readMessage, type RequestId, type RpcNotification, type RpcRequest } from '../../base/json-rpc.ts'
import { eachMember, elements, findMember, skipSpace, splice, type Edit, type Span } from '../../base/json-spans.ts'
import { readInbound } from '../answers.ts'
import type { Exchange, Question, Reply } from '../transport.ts'
import type { Listeners } from './listeners.ts'
import { reasonOf, withSignal, type Output, type Sender } from './pipes.ts'
import { canBeAsked, questionOf, relatedOf } from './questions.ts'
import type { Taken } from './running.ts'

/** Many callers' requests through one pipe. */
export interface Calls {
  /** How many clients' requests wait for their answer. */
  readonly pending: number
  /** Sends a client's request; answers with the bytes of the response, under the client's own id. */
  send(exchange: Exchange): Promise<Buffer>
  /** Sends a request of the gate's own; answers with the bytes of the whole response. */
  request(method: string, params: string): Promise<Buffer>
  /** The same, for one that may be taken back before its answer. */
  open(method: string, params: string): OpenRequest
  /** Sends a notification: the JSON text of a whole message. */
  notify(message: Buffer | string): void
  /**
   * Takes one line of the child's stdout.
   *
   * @returns what of it nobody was waiting for.
   */
  take(line: Buffer): Taken
  /** Fails every call, now and from now on. */
  fail(error: Error): void
}

export interface OpenRequest {
  readonly response: Promise<Buffer>
  /** Tells the server that it is not wanted any more; no response comes then. */
  cancel(): void
}

export interface CallsNeeds {
  readonly server: string
  readonly output: Output
  /** What the server was promised its client can do, as `ClientView` has it. */
  readonly capabilities: string
  /** Whether several users' calls go through it. */
  readonly shared: boolean
  /** Who hears log messages where no call waits, and is asked what belongs to none. */
  readonly listeners: Pick<Listeners, 'tell' | 'findAsked'>
  /** Told of every notification that belongs to no call. */
  onNotification(message: RpcNotification): void
}

/** A request that waits for its answer; it is its own listener to the signal of its caller. */
interface Pending extends Sender {
  readonly id: number
  /** Absent for a request of the gate's own. */
  readonly exchange: Exchange | undefined
  readonly resolve: (response: Buffer) => void
  readonly reject: (error: Error) => void
  handleEvent(): void
}

const WANTED: Taken = { unwanted: 0, isJunk: false }
const UNWANTED: Taken = { unwanted: 1, isJunk: false }
const JUNK: Taken = { unwanted: 1, isJunk: true }

/** How many questions of one server may wait for their reply. */
const QUESTIONS_MOST = 64

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const ONCE = { once: true } as const

/**
 * Gives each request an id that is unique in this child, and the same number as its progress token, and
 * puts the client's own back into what returns. All other bytes stay as they are.
 */
export function createCalls(needs: CallsNeeds): Calls {
  const { server, output, listeners, shared } = needs
  const pending = new Map<number, Pending>()
  /** The ids, as text, of what the server asked and nobody has answered yet. */
  const questions = new Set<string>()
  let lastId = 0
  let failure: Error | undefined

  // 1. Toward the server.
  function send(exchange: Exchange): Promise<Buffer> {
    return output.full ? sendLater(exchange) : sendNow(exchange)
  }

  async function sendLater(exchange: Exchange): Promise<Buffer> {
    // Asked again after each wait, since all who wait are woken together.
    while (output.full) await withSignal(output.drained(), exchange.signal)
    return sendNow(exchange)
  }

  function sendNow(exchange: Exchange): Promise<Buffer> {
    const { signal, request } = exchange
    if (signal.aborted) return Promise.reject(reasonOf(signal))
    const id = ++lastId
    return ask(id, toChild(request, id), exchange)
  }

  function ask(id: number, message: Buffer | string, exchange: Exchange | undefined): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (failure) return reject(failure)
      const call: Pending = { id, exchange, resolve, reject, handleEvent: stopped, undelivered }
      pending.set(id, call)
      exchange?.signal.addEventListener('abort', call, ONCE)
      output.write(message, call)
    })
  }

  function leave(call: Pending): void {
    pending.delete(call.id)
    call.exchange?.signal.removeEventListener('abort', call)
    output.leave?.(call)
  }

  function stopped(this: Pending): void {
    if (!this.exchange) return
    leave(this)
    const reason = reasonOf(this.exchange.signal)
    takeBack(this.id, reason.message)
    this.reject(reason)
  }

  /** @see MCP 2025-11-25, basic/utilities/cancellation */
  function takeBack(requestId: number, reason: string): void {
    const params = JSON.stringify({ requestId, reason })
    output.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`)
  }

  function undelivered(this: Pending, reason: Error): void {
    leave(this)
    this.reject(reason)
  }

  function open(method: string, params: string): OpenRequest {
    const id = ++lastId
    const message = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`
    const response = ask(id, message, undefined)
    const cancel = () => {
      const call = pending.get(id)
      if (!call) return
      leave(call)
      takeBack(id, 'It is not needed any more.')
    }
    return { response, cancel }
  }

  // 2. From the server: answers.
  function takeOne(line: Buffer): Taken {
    const inbound = readLine(line, server)
    if (!inbound) return JUNK
    return takeInbound(inbound, line) ? WANTED : UNWANTED
  }

  /** Answers whether anybody was waiting for it. */
  function takeInbound(inbound: Inbound, line: Buffer): boolean {
    if (inbound.kind === 'response') return settle(Number(inbound.id), line, inbound.idSpan)
    return inbound.kind === 'request' ? serve(inbound) : hear(inbound)
  }

  /** An answer that comes too late, after its call was cancelled, is for nobody. */
  function settle(id: number, line: Buffer, { start, end }: Span): boolean {
    const call = pending.get(id)
    if (!call) return false
    leave(call)
    call.resolve(call.exchange ? splice(line, [{ start, end, by: idBytes(call.exchange.request) }]) : line)
    return true
  }

  // 3. From the server: what it tells.
  function hear(message: RpcNotification): boolean {
    switch (message.method) {
      case 'notifications/progress':
        return progress(message)
      case 'notifications/message':
        logged(message)
        return false
      case 'notifications/cancelled':
        questions.delete(JSON.stringify(message.paramsValue?.['requestId']))
        return false
      default:
        needs.onNotification(message)
        return false
    }
  }

  function progress(message: RpcNotification): boolean {
    const exchange = pending.get(Number(message.paramsValue?.['progressToken']))?.exchange
    const restored = exchange && fromChild(message, exchange.request)
    if (restored) exchange.notify(restored, message.method)
    return restored !== undefined
  }

  /** It does not say which call it is about, so that it may be about any; of several users, nobody is told of another's. */
  function logged(message: RpcNotification): void {
    if (shared) return
    let calls = 0
    for (const { exchange } of pending.values()) {
      if (!exchange) continue
      calls++
      exchange.notify(message.bytes, message.method)
    }
    if (calls === 0) listeners.tell(message)
  }

  // 4. From the server: what it asks.
  function serve(message: RpcRequest): boolean {
    const id = idBytes(message).toString()
    if (message.method === 'ping') output.write(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
    else void answer(message, id)
    return false
  }

  async function answer(message: RpcRequest, id: string): Promise<void> {
    const asked = questions.size < QUESTIONS_MOST ? findAsked(message) : undefined
    if (!asked) return void output.write(`{"jsonrpc":"2.0","id":${id},${REFUSAL}}`)
    const key = JSON.stringify(message.id)
    questions.add(key)
    const reply = await replyFrom(asked, message, key)
    // By now it may be for nobody: whoever asked has its answer, was cancelled, or has given up.
    const isWaitedFor = questions.delete(key) && (!asked.on || asked.on.some(isInFlight))
    if (isWaitedFor) output.write(`{"jsonrpc":"2.0","id":${id},${reply}}`)
  }

  /**
   * A question that names no call may have been taken to one that ends before it is answered there: then it was another's,
   * and is taken to one of those that still wait.
   */
  async function replyFrom(asked: Asked, message: RpcRequest, key: string): Promise<Reply> {
    const reply = await replyOf(asked.who, questionOf(message))
    const isAnothers = asked.guess !== undefined && !isInFlight(asked.guess) && reply.startsWith('"error"')
    const next = isAnothers && questions.has(key) ? findAsked(message) : undefined
    return next === undefined ? reply : replyFrom(next, message, key)
  }

  /** Whom a question is for: the call it names, else the last begun that can be asked, else one who listens. */
  function findAsked(question: RpcRequest): Asked | undefined {
    if (!canBeAsked(needs.capabilities, question)) return undefined
    const calls = callsInFlight()
    const named = findNamed(question, calls)
    if (named) return canAsk(named, question) ? { who: named.exchange, on: [named] } : undefined
    const last = calls.findLast((call) => canAsk(call, question))
    if (last) return { who: last.exchange, on: calls, guess: last }
    const who = listeners.findAsked(question)
    return who && { who, on: undefined }
  }

  function callsInFlight(): Call[] {
    return [...pending.values()].filter((call): call is Call => call.exchange !== undefined)
  }

  function isInFlight({ id }: Call): boolean {
    return pending.has(id)
  }

  return {
    get pending() {
      return callsInFlight().length
    },
    send,
    open,
    request: (method, params) => open(method, params).response,
    notify: (message) => void output.write(message),
    take(line) {
      const batch = batchOf(line)
      if (!batch) return takeOne(line)
      const taken = batch.map((message) => takeOne(message))
      const unwanted = taken.reduce((sum, each) => sum + each.unwanted, 0)
      return { unwanted, isJunk: taken.every(({ isJunk }) => isJunk) }
    },
    fail(error) {
      failure ??= error
      for (const call of pending.values()) {
        leave(call)
        call.reject(failure)
      }
    },
  }
}

/** A request of a client's. */
type Call = Pending & { readonly exchange: Exchange }

interface Asked {
  readonly who: Askable
  /** On which call's account: any of these, where the question does not say. Nobody's where a listener is asked. */
  readonly on: readonly Call[] | undefined
  /** The call it is taken to, where it names none. */
  readonly guess?: Call
}
type Askable = Pick<Exchange, 'ask'>

async function replyOf(who: Askable, question: Question): Promise<Reply> {
  try {
    return await who.ask(question)
  } catch {
    return REFUSAL
  }
}

const REFUSAL = '"error":{"code":-32601,"message":"This client does not serve that method."}' as Reply

function canAsk({ exchange }: Call, question: RpcRequest): boolean {
  return canBeAsked(exchange.client.capabilities, question)
}

function findNamed(question: RpcRequest, calls: readonly Call[]): Call | undefined {
  const related = relatedOf(question)
  if (!related) return undefined
  const { progressToken, taskId } = related
  return calls.findLast(({ id, exchange: { request } }) => {
    if (taskId !== undefined && request.paramsValue?.['taskId'] === taskId) return true
    return request.meta?.['progressToken'] !== undefined && progressToken === id
  })
}

type Inbound = Response | RpcRequest | RpcNotification
interface Response {
  readonly kind: 'response'
  readonly id: RequestId | null
  readonly idSpan: Span
}

/** Only what the server itself asks or tells is read in full; an answer is passed on as it is. */
function readLine(line: Buffer, server: string): Inbound | undefined {
  if (line[skipSpace(line, 0)] !== OPEN_BRACE) return undefined
  try {
    const inbound = readInbound(line, server)
    if (inbound.kind === 'response') return inbound
    const message = readMessage(line)
    return message.kind === 'response' ? undefined : message
  } catch {
    return undefined
  }
}

/** As many as a client may send at once. */
const BATCH_MOST = 100

/** Revision 2025-03-26 allows a server to answer in batches. What is too much at once is not looked at. */
function batchOf(line: Buffer): Buffer[] | undefined {
  const first = skipSpace(line, 0)
  if (line[first] !== OPEN_BRACKET || line[skipSpace(line, first + 1)] !== OPEN_BRACE) return undefined
  try {
    return elements(line, first, BATCH_MOST).map(({ start, end }) => line.subarray(start, end))
  } catch {
    return undefined
  }
}

/** Each token is replaced, since servers differ in which of two they believe. */
function toChild({ bytes, idSpan, meta, metaSpan }: RpcRequest, id: number): Buffer {
  const by = String(id)
  const own: Edit = { start: idSpan.start, end: idSpan.end, by }
  if (!metaSpan || meta?.['progressToken'] === undefined) return splice(bytes, [own])
  const edits = [own]
  eachMember(bytes, metaSpan.start, (key, start, end) => {
    if (key === 'progressToken') edits.push({ start, end, by })
  })
  return splice(
    bytes,
    edits.sort((a, b) => a.start - b.start),
  )
}

function fromChild(message: RpcNotification, request: RpcRequest): Buffer | undefined {
  const token = request.metaSpan && tokenSpan(request.bytes, request.metaSpan)
  const place = message.params && tokenSpan(message.bytes, message.params)
  if (!token || !place) return undefined
  return splice(message.bytes, [{ ...place, by: request.bytes.subarray(token.start, token.end) }])
}

function tokenSpan(bytes: Buffer, { start }: Span): Span | undefined {
  return findMember(bytes, start, 'progressToken')
}

function idBytes({ bytes, idSpan }: RpcRequest): Buffer {
  return bytes.subarray(idSpan.start, idSpan.end)
}
