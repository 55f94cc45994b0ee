import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { eras, type Era } from '../../e2e/eras.ts'
import { failureOf } from '../../e2e/failures.ts'
import { doorOf, runs, until } from '../../e2e/place.ts'
import { namesOf, send, statusOf, textFrom } from '../../e2e/wire.ts'

const CHILD = join(import.meta.dirname, 'bad-child.mjs')

const bad = (start: string, more: object = {}) => ({ command: process.execPath, args: [CHILD, start], ...more })

const SERVERS = {
  well: bad('well'),
  brief: bad('well', { timeoutMs: 700 }),
  small: bad('well', { memoryMb: 200 }),
  chatty: bad('chatty'),
  nameless: bad('nameless'),
  stubborn: bad('stubborn'),
  exit: bad('exit'),
  crash: bad('crash'),
  refuse: bad('refuse'),
  babble: bad('babble'),
  floods: bad('floods'),
  deaf: bad('deaf', { startTimeoutMs: 1_000 }),
  missing: { command: '/no/such/command' },
  directory: { command: '/tmp' },
}

const CONFIG = {
  mcpServers: SERVERS,
  limits: { answerBytes: 2_000_000 },
  timeouts: { callMs: 60_000, startMs: 20_000, drainMs: 1_000 },
}

let gate: Gate
let ada = { key: '' }
let bob = { key: '' }

beforeAll(async () => {
  gate = await startGate({ config: CONFIG })
  ada = await gate.addUser('ada')
  bob = await gate.addUser('bob')
})

afterAll(() => gate.stop())

/** Whatever the children of one user did, the gate goes on serving another. */
afterEach(async () => {
  for (const era of eras) await textFrom(doorOf(gate, bob, era, 'well'), 'echo')
})

const door = (server: string, era: Era = 'modern') => doorOf(gate, ada, era, server)

const calling = (server: string, name: string, era?: Era) => send(door(server, era), 'tools/call', { name })

describe('a child that does not start', () => {
  test.for<[server: string, code: string, words: RegExp]>([
    ['exit', 'upstream.start_failed', /exit did not start/],
    ['crash', 'upstream.start_failed', /sekisho logs crash/],
    ['missing', 'upstream.start_failed', /missing did not start/],
    ['directory', 'upstream.start_failed', /directory did not start/],
    ['deaf', 'upstream.start_timeout', /did not answer within 1 s of its start/],
    ['refuse', 'upstream.unsupported', /does not speak a protocol revision/],
    ['babble', 'upstream.unsupported', /does not speak a protocol revision/],
    ['floods', 'upstream.too_large', /larger than 2000000 bytes/],
  ])('%s: says %s, and costs its own tools only', async ([server, code, words]) => {
    for (const era of eras) {
      expect(failureOf(await calling(server, 'echo', era))).toEqual({ code, words: expect.stringMatching(words) })
    }
    const status = await statusOf(doorOf(gate, ada))
    expect(status.get(server)).toMatchObject({
      state: 'unavailable',
      tools: 0,
      reason: expect.stringContaining(server),
    })
    expect(status.get('well')?.state).toBe('ready')
    expect(await namesOf(doorOf(gate, ada))).toEqual(
      expect.arrayContaining(['sekisho_status', 'well__echo', 'chatty__echo']),
    )
  })
})

describe('a child that ends in mid-call', () => {
  test.for(['die', 'killed', 'dieAfter'])('%s: fails the call, and the next one has a new child', async (tool) => {
    for (const era of eras) {
      const pid = await textFrom(door('well', era), 'pid')
      const failure = failureOf(await calling('well', tool, era))
      expect(failure).toEqual({ code: 'upstream.died', words: expect.stringContaining('may or may not have run') })
      expect(await textFrom(door('well', era), 'pid')).not.toBe(pid)
      expect(runs(Number(pid))).toBe(false)
    }
  })
})

describe('a child that writes what it should not', () => {
  test('without a line end is ended at the limit (CWE-400)', async () => {
    const pid = Number(await textFrom(door('well'), 'pid'))
    const failure = failureOf(await calling('well', 'flood'))
    expect(failure).toEqual({ code: 'upstream.too_large', words: expect.stringContaining('limits.answerBytes') })
    await until(() => !runs(pid))
  })

  test.for(['lines', 'wrongId', 'broken'])('%s: makes nobody wait longer than the deadline', async (tool) => {
    for (const era of eras) {
      expect(failureOf(await calling('brief', tool, era))).toMatchObject({ code: 'upstream.timeout' })
    }
  })

  test('before, between and after its messages does no harm', async () => {
    expect(await textFrom(door('chatty'), 'echo', { a: 1 })).toBe('{"a":1}')
    expect(await textFrom(door('well'), 'junk')).toBe('after junk')
    expect(await textFrom(door('well'), 'twice')).toBe('once')
    expect(await namesOf(door('nameless'))).toEqual(await namesOf(door('well')))
  })

  test('a request of its own is answered: a ping with a result, all else with a refusal', async () => {
    const replies: { id: string; result?: object; error?: { code: number } }[] = JSON.parse(
      await textFrom(door('well'), 'ask'),
    )
    expect(replies.map(({ id, result, error }) => [id, result, error?.code])).toEqual(
      expect.arrayContaining([
        ['ping', {}, undefined],
        ['sampling/createMessage', undefined, -32601],
        ['roots/list', undefined, -32601],
        ['elicitation/create', undefined, -32601],
      ]),
    )
  })
})

test('a child that takes too much memory is ended, and says so (CWE-400)', async () => {
  const pid = Number(await textFrom(door('small'), 'pid'))
  const failure = failureOf(await calling('small', 'eat'))
  expect(failure).toEqual({ code: 'upstream.memory', words: expect.stringContaining('more than 200 MB') })
  await until(() => !runs(pid))
})

test('after an orderly stop nothing is left: no child that ignores SIGTERM, no descendant, none in its own session (CWE-404)', async () => {
  await using stopped = await startGate({ config: CONFIG })
  const people = [await stopped.addUser('ada'), await stopped.addUser('bob')]
  const families = await Promise.all(
    people.map(async (person) => JSON.parse(await textFrom(doorOf(stopped, person, 'modern', 'stubborn'), 'family'))),
  )
  const pids: number[] = families.flat()
  expect(pids).toHaveLength(6)
  expect(pids.filter(runs)).toEqual(pids)
  const waiting = send(doorOf(stopped, people[0] ?? ada, 'modern', 'well'), 'tools/call', { name: 'broken' }).catch(
    () => 'cut off',
  )
  expect(await stopped.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(pids.filter(runs)).toEqual([])
  await waiting
})
