import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import type { TenantId, UpstreamId, UserId } from '../../src/base/ids.ts'
import { readMessage } from '../../src/base/json-rpc.ts'
import type { Log } from '../../src/base/log.ts'
import { Problem, problem } from '../../src/base/problem.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import type { ChildEvent } from '../../src/upstreams/children/events.ts'
import type { Launch } from '../../src/upstreams/children/launch.ts'
import type { Owner } from '../../src/upstreams/children/owner.ts'
import { createChildren, type Children, type ChildrenNeeds } from '../../src/upstreams/children/pool.ts'
import type { ChildrenSettings } from '../../src/upstreams/children/settings.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import type { Exchange, Interests, ListName, Reply, Watcher } from '../../src/upstreams/transport.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'

const ODD = fileURLToPath(new URL('fixtures/odd-server.mjs', import.meta.url))

export const ada = {
  tenant: 'ten_1' as TenantId,
  userId: 'usr_ada' as UserId,
  upstream: 'odd' as UpstreamId,
  capabilities: '{}',
}
export const bob = { ...ada, userId: 'usr_bob' as UserId }

export function odd(start = 'normal', env: Record<string, string> = {}): Launch {
  return { command: process.execPath, args: [ODD, start], env }
}

export const greet = createGreet(upstreamEras)

/** What bounds the children of a test that has no need of bounds of its own. */
export const usual: ChildrenSettings = {
  maxChildren: 64,
  maxChildrenPerUser: 16,
  sampleMs: 5_000,
  drainMs: 2_000,
  startTimeoutMs: 30_000,
  idleMs: 600_000,
  memoryMb: 1_024,
  logBytes: 65_536,
  lineBytes: 16_777_216,
  graceMs: 300,
}

/** Whose child, and what it was promised its client can do: nothing where that is left out. */
type Whose = Owner & { readonly capabilities?: string }

export interface Place extends AsyncDisposable {
  readonly children: Children
  readonly events: ChildEvent[]
  readonly logged: string[]
  readonly stateDir: string
  call(whose: Whose, launch: Launch, exchange: Exchange): Promise<string>
  /** Calls a tool and gives the text of its answer. */
  tool(whose: Whose, launch: Launch, name: string, args?: object): Promise<string>
}

/** Real children in a directory of their own, ended with the test. */
export function openPlace(
  settings: Partial<ChildrenSettings> = {},
  more: Partial<Omit<ChildrenNeeds, 'settings'>> = {},
): Place {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-children-'))
  const events: ChildEvent[] = []
  const logged: string[] = []
  const children = createChildren({
    clock: systemClock,
    log: logInto(logged),
    settings: { ...usual, ...settings },
    stateDir,
    greet,
    onEvent: (event) => void events.push(event),
    ...more,
  })
  const call: Place['call'] = async (whose, launch, exchange) => {
    const place = { capabilities: '{}', ...whose }
    return (await children.use({ place, launch }, exchange.signal, ({ send }) => send(exchange))).toString()
  }
  return {
    children,
    events,
    logged,
    stateDir,
    call,
    tool: async (whose, launch, name, args = {}) => textOf(await call(whose, launch, toolCall(name, args))),
    async [Symbol.asyncDispose]() {
      await children.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

export function toolCall(name: string, args: object = {}, more: Partial<Exchange> = {}): Exchange {
  return exchangeOf(
    JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name, arguments: args } }),
    more,
  )
}

export function exchangeOf(json: string, more: Partial<Exchange> = {}): Exchange {
  const request = readMessage(Buffer.from(json))
  if (request.kind !== 'request') throw new TypeError('not a request')
  const stop = new AbortController()
  return {
    request,
    era: 'legacy',
    client: PLAIN_CLIENT,
    requestId: 'r-1',
    paramHeaders: [],
    signal: stop.signal,
    abort: (reason) => stop.abort(reason),
    notify: () => {},
    ask: () => Promise.resolve(refusal),
    ...more,
  }
}

/** Somebody who listens, and keeps what they hear. */
export function createWatcher(lists: readonly ListName[], uris: readonly string[] = [], more: Partial<Watcher> = {}) {
  const heard: string[] = []
  const watcher: Watcher = {
    client: PLAIN_CLIENT,
    interests: interestsOf(lists, uris),
    notify: (message) => void heard.push(shortOf(message)),
    ask: () => Promise.resolve(refusal),
    ...more,
  }
  return { heard, watcher }
}

export function interestsOf(lists: readonly ListName[], uris: readonly string[] = []): Interests {
  return { lists: new Set(lists), uris: new Set(uris) }
}

/** What is told, without the words that all of it begins with. */
function shortOf(message: Buffer): string {
  const { method, params = {} }: { method: string; params?: { uri?: string; data?: string } } = JSON.parse(
    message.toString(),
  )
  const about = params.uri ?? params.data
  return method.replace('notifications/', '') + (about === undefined ? '' : ` ${about}`)
}

/** What a client says that cannot be asked. */
export const refusal = '"error":{"code":-32601,"message":"not asked"}' as Reply

export function textOf(answer: string): string {
  const message: { result: { content: [{ text: string }] } } = JSON.parse(answer)
  return message.result.content[0].text
}

/** The code of the failure a call must have. */
export function failureOf(work: Promise<unknown>): Promise<Problem> {
  return work.then(
    () => Promise.reject(new Error('it worked')),
    (error: unknown) =>
      error instanceof Problem ? error : Promise.reject(new Error('not a Problem', { cause: error })),
  )
}

export const cancelled = () => problem('request.cancelled')

/** Whether a process lives; one that only waits to be collected does not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** Waits until something is so; a test that waits in vain ends by its own time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

export function logInto(lines: string[]): Log {
  const write = (facts: object, event: string) => void lines.push(`${event} ${JSON.stringify(facts)}`)
  return { debug: write, info: write, warn: write, error: write }
}
