import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { TenantId, UpstreamId, UserId } from '../../src/base/ids.ts'
import { readMessage, type RpcRequest } from '../../src/base/json-rpc.ts'
import type { Problem } from '../../src/base/problem.ts'
import type { Later } from '../../src/mcp/bridge/later.ts'
import { createParking, type Parked, type Parking, type Resumed } from '../../src/mcp/bridge/parking.ts'
import type { RoomLimits } from '../../src/mcp/bridge/room.ts'
import { createHub, createMemoryBus } from '../../src/storage/shared/memory-bus.ts'
import { createRelay } from '../../src/storage/shared/relay.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import type { Question } from '../../src/upstreams/transport.ts'
import { quiet } from '../stores/quiet.ts'

export const KEY = Buffer.alloc(32, 7)
/** All that a client can declare. */
export const EVERYTHING = '{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"tools":{}}}'

export interface User {
  readonly tenant: TenantId
  readonly userId: UserId
}
export const ada = { tenant: 'ten' as TenantId, userId: 'ada' as UserId }
export const bob = { tenant: 'ten' as TenantId, userId: 'bob' as UserId }

/** Time that stands still until it is told to pass. */
export function createTime(start = Date.UTC(2026, 0, 1)) {
  let now = start
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>()
  const later: Later = (run, ms) => {
    const timer = {}
    timers.set(timer, { at: now + ms, run })
    return () => void timers.delete(timer)
  }
  return {
    clock: { now: () => now },
    later,
    /** How many things are to be run later. */
    get waiting() {
      return timers.size
    },
    async pass(ms: number): Promise<void> {
      const until = now + ms
      await turn()
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0]
        if (!due) break
        const [timer, { at, run }] = due
        timers.delete(timer)
        now = at
        run()
        await turn()
      }
      now = until
      await turn()
    },
  }
}

export type Time = ReturnType<typeof createTime>

/** Gates on one bus, as processes that serve one database. */
export function openGates(count: number, options: { readonly limits?: RoomLimits; readonly key?: Buffer } = {}) {
  const hub = createHub()
  const time = createTime()
  const gates = Array.from({ length: count }, () => {
    const bus = createMemoryBus({ hub })
    const relay = createRelay(bus, { log: quiet })
    const { key = KEY, ...limits } = options
    const parking = createParking({ key, instance: bus.instance, relay, ...time, ...limits })
    return { parking, bus, relay }
  })
  return {
    time,
    gates,
    async close(): Promise<void> {
      for (const { parking, relay, bus } of gates) {
        await parking.close()
        relay.close()
        await bus.close()
      }
    },
  }
}

/** One gate alone, until the test is over. */
export function openGate(options: Parameters<typeof openGates>[1] = {}) {
  const { time, gates, close } = openGates(1, options)
  onTestFinished(close)
  const [gate] = gates
  if (!gate) throw new Error('no gate')
  return { time, parking: gate.parking }
}
export type Gate = ReturnType<typeof openGate>

/** A call whose client has been asked one question. */
export async function askedCall(gate: Gate, question = form) {
  const under = call(gate.parking)
  const reply = under.parked.ask(question)
  await gate.time.pass(5)
  return { ...under, reply, ...read(under.results[0]) }
}

export function request(params: string, { id = 1, method = 'tools/call' } = {}): RpcRequest {
  const message = readMessage(Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`))
  if (message.kind !== 'request') throw new Error('not a request')
  return message
}

/** A call under way at a gate, seen from both of its ends. */
export interface Call {
  readonly parked: Parked
  /** What ended its own response. */
  readonly results: string[]
  readonly aborted: Problem[]
}

export interface Calling {
  readonly user?: User
  readonly capabilities?: string
  readonly request?: RpcRequest
}

export const ARGUMENTS = '"name":"book","arguments":{"seats":2}'

export function call(parking: Parking, { user = ada, capabilities = EVERYTHING, ...more }: Calling = {}): Call {
  const results: string[] = []
  const aborted: Problem[] = []
  const parked = parking.park({
    principal: user,
    request: more.request ?? request(`{${ARGUMENTS}}`),
    client: { ...PLAIN_CLIENT, capabilities },
    server: 'travel' as UpstreamId,
    abort(reason) {
      aborted.push(reason)
      queueMicrotask(() => parked.finish({ kind: 'failed', problem: reason }))
    },
    detach: (result) => void results.push(result),
  })
  return { parked, results, aborted }
}

export interface Coming {
  readonly user?: User
  /** The inside of params, besides what is said. */
  readonly params?: string
  readonly method?: string
  readonly state: unknown
  /** JSON texts by key. */
  readonly said?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  notify?(message: Buffer, method: string): void
}

/** The request that comes again, with what the client says. */
export function come(parking: Parking, { user = ada, params = ARGUMENTS, state, ...more }: Coming): Promise<Resumed> {
  const said = Object.entries(more.said ?? {}).map(([key, value]) => `${JSON.stringify(key)}:${value}`)
  const text = `{${params},"inputResponses":{${said.join(',')}},"requestState":${JSON.stringify(state)}}`
  return parking.resume({
    principal: user,
    request: request(text, { id: 2, ...(more.method === undefined ? {} : { method: more.method }) }),
    signal: more.signal ?? new AbortController().signal,
    permit: async () => {},
    notify: more.notify ?? (() => {}),
  })
}

export const form: Question = { method: 'elicitation/create', params: '{"message":"Which?","requestedSchema":{}}' }

/** The state and the questions that a client reads from a result. */
export function read(result: string | Resumed | undefined) {
  const text = typeof result === 'object' ? (result.kind === 'questions' ? result.result : 'none') : (result ?? 'none')
  const { requestState, inputRequests, resultType } = JSON.parse(text) as {
    resultType: string
    requestState: string
    inputRequests: Record<string, unknown>
  }
  return { resultType, state: requestState, questions: inputRequests, keys: Object.keys(inputRequests) }
}

export function answered(text: string, status = 200): Resumed {
  return { kind: 'answer', member: Buffer.from(`"result":{"text":${JSON.stringify(text)}}`), status }
}

export const ACCEPT = '{"action":"accept","content":{"n":12345678901234567890}}'
