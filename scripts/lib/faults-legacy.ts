import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from './faults-ground.ts'
import { killServer, statusOf } from './faults-kills.ts'
import { openSession, type Ended, type Session } from './faults-session.ts'
import { inTurns, servers, toolFor, type ServerName } from './faults-wire.ts'

/** What became of sessions and their calls, one process of which was killed among them. */
export interface LegacyCounts {
  sessions: number
  /** Those that went on with the id they had. */
  wentOn: number
  calls: number
  right: number
  readonly wrong: string[]
  /** Calls that ended without an answer, and were not on the killed process or did not end as they must. */
  readonly lost: string[]
  /** What the killed process had: each ended at once for its client… */
  cut: number
  /** …or, where its stream had begun, with the error `call.lost` once it came back. */
  callLost: number
  /** How many sessions have their log level after that, and after a server was killed as well. */
  levels: number
  subscriptions: number
  levelsAfterChild: number
  subscriptionsAfterChild: number
  pipesSessions: number
  /** What the gate says of the server that was killed. */
  status: string
  readonly refused: string[]
}

export interface LegacyNeeds {
  readonly sessionsEach: number
  /** For each server. */
  readonly callsEach: number
  readonly atOnce: number
  /** How many calls are known to be under way when the process is killed, of each kind. */
  readonly held: number
  /** Whether the killed process comes back for the last quarter of the calls. */
  readonly comesBack: boolean
  /** Done while one process is gone. */
  whileDown(): Promise<void>
}

const WATCHED = 'test://watched-resource'
const KILLED = 0
const LEFT = 1
const SLOW_MS = 3_000
/** How long a call may take to be at a process. */
const BEGUN_MS = 40
const TRIES = 100

interface Client {
  readonly server: ServerName
  readonly session: Session
  readonly level: 'info' | 'error'
}

/** Opens sessions, makes their calls, and kills a process in the middle of them. */
export async function callLegacy(ground: Ground, needs: LegacyNeeds): Promise<LegacyCounts> {
  const { atOnce, held } = needs
  const killed = Promise.withResolvers<void>()
  const asked = new Set<string>()
  const mayAnswer = (label: string) => {
    asked.add(label)
    return label.startsWith('held') ? killed.promise : Promise.resolve()
  }
  const clients = await openClients(ground, needs, mayAnswer)
  const pipes = clients.filter(({ server }) => server === 'pipes')
  const counts = newCounts(clients.length, needs.callsEach * servers.length, pipes.length)
  await statusOf(ground, 'pipes')

  // 1. Calls, with a process killed among them.
  const calls = Array.from({ length: counts.calls }, (_, n) => n)
  const before = calls.splice(0, Math.ceil(counts.calls * 0.75))
  let interrupted: Promise<void> | undefined
  await inTurns(before.length, atOnce, async (n) => {
    if (n >= counts.calls / 2) interrupted ??= interrupt()
    await callOne(n)
  })
  await interrupted

  // 2. While one process is gone.
  await needs.whileDown()
  counts.levels = await countLevels(clients, counts)
  counts.subscriptions = await countTold(clients)
  await killServer(ground, LEFT, '--stdio')
  counts.levelsAfterChild = await countLevels(pipes, counts)
  counts.subscriptionsAfterChild = await countTold(pipes)
  counts.status = await statusOf(ground, 'pipes')

  // 3. With both again.
  if (needs.comesBack) await ground.startAgain(KILLED)
  await inTurns(calls.length, atOnce, (n) => callOne(before.length + n))
  counts.wentOn = await countAlive(clients)
  for (const { session } of clients) {
    counts.refused.push(...session.refused)
    session.close()
  }
  return counts

  async function callOne(n: number): Promise<void> {
    const { server, session } = clientFor(clients, n)
    const label = `${server} session call ${n}`
    const tool = toolFor(server, Math.floor(n / clients.length))
    const ended = await session.call(label, tool.name, tool.arguments(label))
    tally({ label, ended, expected: tool.expected(label) })
  }

  /** The process to be killed has calls by then that have asked and are not answered, and others that have said nothing. */
  async function interrupt(): Promise<void> {
    const done: Promise<void>[] = []
    const has = (kind: string) => ground.proxy.flying(KILLED).filter((label) => label.startsWith(kind)).length
    // Which process the next one comes to is not known beforehand.
    for (const [kind, begin] of [
      ['held', holdOne],
      ['slow', waitOne],
    ] as const) {
      for (let n = 0; n < TRIES && has(kind) < held; n++) {
        done.push(begin(n))
        await sleep(BEGUN_MS)
      }
    }
    counts.calls += done.length
    await untilAsked()
    await ground.kill(KILLED)
    killed.resolve()
    await Promise.all(done)
  }

  async function untilAsked(): Promise<void> {
    const isAsked = (label: string) => !label.startsWith('held') || asked.has(label)
    while (!ground.proxy.flying(KILLED).every(isAsked)) await sleep(BEGUN_MS)
  }

  async function holdOne(n: number): Promise<void> {
    const { session, server } = clientFor(clients, n * servers.length)
    const label = `held ${n}`
    const tool = toolFor(server, 0)
    tally({ label, ended: await session.call(label, tool.name, tool.arguments(label)), expected: tool.expected(label) })
  }

  async function waitOne(n: number): Promise<void> {
    const { session } = clientFor(clients, n)
    const label = `slow ${n}`
    const ended = await session.call(label, 'slow', { ms: SLOW_MS, label })
    tally({ label, ended, expected: `Answered after ${SLOW_MS} ms` })
  }

  function tally({ label, ended, expected }: { label: string; ended: Ended; expected: string }): void {
    const wasThere = ground.proxy.cut.has(label)
    if (ended.how === 'answered' && ended.text === expected) counts.right += 1
    else if (ended.how === 'answered') counts.wrong.push(`${label}: ${ended.text}`)
    else if (ended.how === 'cut' && wasThere) counts.cut += 1
    else if (ended.how === 'failed' && ended.code === 'call.lost' && ended.resumed && wasThere) counts.callLost += 1
    else counts.lost.push(`${label}: ${JSON.stringify(ended)}${wasThere ? ', on the killed process' : ''}`)
  }
}

function newCounts(sessions: number, calls: number, pipesSessions: number): LegacyCounts {
  const none = { wentOn: 0, right: 0, cut: 0, callLost: 0 }
  const held = { levels: 0, subscriptions: 0, levelsAfterChild: 0, subscriptionsAfterChild: 0, pipesSessions }
  return { sessions, calls, ...none, ...held, wrong: [], lost: [], status: '', refused: [] }
}

function clientFor(clients: readonly Client[], n: number): Client {
  const client = clients[n % clients.length]
  if (!client) throw new Error('no client')
  return client
}

/** Half of them want to be told more than the other half; all watch one resource. */
async function openClients(
  ground: Ground,
  { sessionsEach }: LegacyNeeds,
  mayAnswer: (label: string) => Promise<void>,
): Promise<Client[]> {
  const clients: Client[] = []
  for (let n = 0; n < sessionsEach * servers.length; n++) {
    const server = servers[n % servers.length] ?? 'http'
    const level = n % (2 * servers.length) < servers.length ? 'info' : 'error'
    const session = await openSession({ door: ground.door(server), mayAnswer })
    await session.request('logging/setLevel', { level })
    await session.request('resources/subscribe', { uri: WATCHED })
    clients.push({ server, session, level })
  }
  return clients
}

/** Has each session log something, and counts those that are told what they want and nothing else. */
async function countLevels(clients: readonly Client[], counts: LegacyCounts): Promise<number> {
  let count = 0
  // One after the other: over pipes nobody can tell which call a server logs about.
  for (const { session, level, server } of clients) {
    const ended = await session.call('', 'test_logging_tool', {})
    const logged = ended.how === 'answered' && ended.notes.some(({ method }) => method === 'notifications/message')
    if (ended.how === 'answered' && logged === (level === 'info')) count += 1
    else counts.lost.push(`${server}, level ${level}, logging: ${JSON.stringify(ended)}`)
  }
  return count
}

const TOUCHES = 20
const QUIET_MS = 500

/** Changes the resource that all watch, and counts those that are told; a change while streams come back may be missed. */
async function countTold(clients: readonly Client[]): Promise<number> {
  await untilQuiet(clients)
  const before = new Map(clients.map((client) => [client, updatesOf(client)]))
  const isTold = (client: Client) => updatesOf(client) > (before.get(client) ?? 0)
  for (let touches = 0; touches < TOUCHES && !clients.every(isTold); touches++) {
    for (const server of servers) {
      const some = clients.find((client) => client.server === server)
      await some?.session.call('', 'touch_resource', {})
    }
    await sleep(QUIET_MS / 2)
  }
  return clients.filter(isTold).length
}

/** A stream that was cut off is told of everything when it comes back: that is no change. */
async function untilQuiet(clients: readonly Client[]): Promise<void> {
  let heard = -1
  for (let tries = 0; tries < 40; tries++) {
    const now = clients.reduce((sum, { session }) => sum + session.told.length, 0)
    if (now === heard && clients.every(({ session }) => session.isStreaming)) return
    heard = now
    await sleep(QUIET_MS)
  }
}

function updatesOf({ session }: Client): number {
  return session.told.filter(
    ({ method, params }) => method === 'notifications/resources/updated' && params?.['uri'] === WATCHED,
  ).length
}

async function countAlive(clients: readonly Client[]): Promise<number> {
  let count = 0
  for (const { session } of clients) {
    const ended = await session.call('', 'test_simple_text', {})
    if (ended.how === 'answered' && session.refused.length === 0) count += 1
  }
  return count
}
