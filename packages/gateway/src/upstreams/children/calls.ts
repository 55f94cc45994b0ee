import { readMessage, withId, type RequestId, type RpcNotification, type RpcRequest } from '../../base/json-rpc.ts'
import { eachMember, elements, findMember, skipSpace, splice, type Edit, type Span } from '../../base/json-spans.ts'
import { readInbound } from '../answers.ts'
import type { Exchange } from '../transport.ts'
import { reasonOf, withSignal, type Output } from './pipes.ts'

/** What a server asks or tells on its own account. */
export interface ServerHooks {
  /** A notification that belongs to no call: a list has changed, a log line. */
  onNotification?(message: RpcNotification): void
  /** A request of the server's; gives the JSON text of the whole response, or nothing to have it refused. */
  onRequest?(message: RpcRequest): Promise<string> | undefined
}

/** Many callers' requests through one pipe. */
export interface Calls {
  /** How many clients' requests wait for their answer. */
  readonly pending: number
  /** Sends a client's request; answers with the bytes of the response, under the client's own id. */
  send(exchange: Exchange): Promise<Buffer>
  /** Sends a request of the gate's own; answers with the bytes of the whole response. */
  request(method: string, params: string): Promise<Buffer>
  /** Sends a notification: the JSON text of a whole message. */
  notify(message: Buffer | string): void
  /**
   * Takes one line of the child's stdout.
   *
   * @returns whether anybody was waiting for it, or `junk` where it is no JSON-RPC message.
   */
  take(line: Buffer): boolean | 'junk'
  /** Fails every call, now and from now on. */
  fail(error: Error): void
}

interface Pending {
  /** Absent for a request of the gate's own. */
  readonly exchange: Exchange | undefined
  readonly resolve: (response: Buffer) => void
  readonly reject: (error: Error) => void
}

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b

/**
 * Gives each request an id that is unique in this child, and the same number as its progress token, and
 * puts the client's own back into what returns. All other bytes stay as they are.
 */
export function createCalls(needs: { server: string; output: Output; hooks: ServerHooks }): Calls {
  const { server, output, hooks } = needs
  const pending = new Map<number, Pending>()
  let lastId = 0
  let failure: Error | undefined

  async function send(exchange: Exchange): Promise<Buffer> {
    const { signal, request } = exchange
    // Asked again after each wait, since all who wait are woken together.
    while (output.full) await withSignal(output.drained(), signal)
    if (signal.aborted) throw reasonOf(signal)
    const id = ++lastId
    const stop = () => cancel(id, signal)
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await ask(id, toChild(request, id), exchange)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  function ask(id: number, message: Buffer | string, exchange?: Exchange): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (failure) return reject(failure)
      pending.set(id, { exchange, resolve, reject })
      output.write(message)
    })
  }

  /** @see MCP 2025-11-25, basic/utilities/cancellation */
  function cancel(id: number, signal: AbortSignal): void {
    const call = pending.get(id)
    if (!call) return
    pending.delete(id)
    const reason = reasonOf(signal)
    const params = JSON.stringify({ requestId: id, reason: reason.message })
    output.write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`)
    call.reject(reason)
  }

  function takeOne(line: Buffer): boolean | 'junk' {
    const inbound = readLine(line, server)
    if (!inbound) return 'junk'
    if (inbound.kind === 'response') return settle(Number(inbound.id), line, inbound.idSpan)
    return inbound.kind === 'request' ? serve(inbound) : tell(inbound)
  }

  /** An answer that comes too late, after its call was cancelled, is for nobody. */
  function settle(id: number, line: Buffer, idSpan: Span): boolean {
    const call = pending.get(id)
    if (!call) return false
    pending.delete(id)
    call.resolve(call.exchange ? splice(line, [{ ...idSpan, by: idBytes(call.exchange.request) }]) : line)
    return true
  }

  function tell(message: RpcNotification): boolean {
    if (message.method !== 'notifications/progress') {
      hooks.onNotification?.(message)
      return false
    }
    const exchange = pending.get(Number(message.paramsValue?.['progressToken']))?.exchange
    const restored = exchange && fromChild(message, exchange.request)
    if (restored) exchange.notify(restored)
    return restored !== undefined
  }

  function serve(message: RpcRequest): boolean {
    const id = idBytes(message).toString()
    if (message.method === 'ping') output.write(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
    else void answer(message, id)
    return false
  }

  async function answer(message: RpcRequest, id: string): Promise<void> {
    const refusal = `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"This client does not serve that method."}}`
    const response = await hooks.onRequest?.(message)?.catch(() => refusal)
    output.write(response ?? refusal)
  }

  return {
    get pending() {
      return [...pending.values()].filter(({ exchange }) => exchange !== undefined).length
    },
    send,
    request: (method, params) => {
      const id = ++lastId
      return ask(id, `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`)
    },
    notify: (message) => void output.write(message),
    take(line) {
      const batch = batchOf(line)
      if (!batch) return takeOne(line)
      const taken = batch.map((message) => takeOne(message))
      return taken.includes(true) || (taken.every((each) => each === 'junk') ? 'junk' : false)
    },
    fail(error) {
      failure ??= error
      for (const [id, call] of pending) {
        pending.delete(id)
        call.reject(failure)
      }
    },
  }
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

/** Revision 2025-03-26 allows a server to answer in batches. */
function batchOf(line: Buffer): Buffer[] | undefined {
  const first = skipSpace(line, 0)
  if (line[first] !== OPEN_BRACKET || line[skipSpace(line, first + 1)] !== OPEN_BRACE) return undefined
  try {
    return elements(line, first).map(({ start, end }) => line.subarray(start, end))
  } catch {
    return undefined
  }
}

function toChild(request: RpcRequest, id: number): Buffer {
  const own = withId(request, id)
  const { metaSpan } = own
  if (!metaSpan || request.meta?.['progressToken'] === undefined) return own.bytes
  const tokens: Edit[] = []
  eachMember(own.bytes, metaSpan.start, (key, start, end) => {
    if (key === 'progressToken') tokens.push({ start, end, by: String(id) })
  })
  return splice(own.bytes, tokens)
}

function fromChild(message: RpcNotification, request: RpcRequest): Buffer | undefined {
  const token = request.metaSpan && findMember(request.bytes, request.metaSpan.start, 'progressToken')
  const place = message.params && findMember(message.bytes, message.params.start, 'progressToken')
  if (!token || !place) return undefined
  return splice(message.bytes, [{ ...place, by: request.bytes.subarray(token.start, token.end) }])
}

function idBytes({ bytes, idSpan }: RpcRequest): Buffer {
  return bytes.subarray(idSpan.start, idSpan.end)
}
