import { describe, expect, test } from 'vitest'
import { ada, bob, cancelled, failureOf, lives, odd, openPlace, toolCall, until } from './children-harness.ts'
import type { TenantId, UpstreamId } from '../../src/base/ids.ts'
import type { ChildEvent } from '../../src/upstreams/children/events.ts'

const shared = { ...ada, userId: undefined }

describe('whose child it is', () => {
  test('first calls at the same time share one start; users, tenants and servers share nothing', async () => {
    await using place = openPlace()
    const owners = [
      ada,
      ada,
      ada,
      bob,
      { ...ada, tenant: 'ten_2' as TenantId },
      { ...ada, upstream: 'more' as UpstreamId },
      shared,
    ]
    const pids = await Promise.all(owners.map((owner) => place.tool(owner, odd(), 'pid')))
    expect(new Set(pids.slice(0, 3)).size).toBe(1)
    expect(new Set(pids).size).toBe(5)
    expect(place.events.filter(({ kind }) => kind === 'started')).toHaveLength(5)
  })

  test('a child sees what its configuration names and four variables of the gate, nothing else', async () => {
    process.env['SEKISHO_TEST_SECRET'] = 'of the gate'
    await using place = openPlace()
    const env: Record<string, string> = JSON.parse(await place.tool(ada, odd('normal', { TOKEN: 'hers' }), 'env'))
    delete process.env['SEKISHO_TEST_SECRET']
    const allowed = new Set(['PATH', 'HOME', 'TMPDIR', 'LANG', 'TOKEN'])
    expect(Object.keys(env).filter((name) => !allowed.has(name))).toEqual([])
    expect(env).toMatchObject({ TOKEN: 'hers', PATH: process.env['PATH'] })
  })

  test('what it writes to stderr is kept for its owner alone, bounded, and outlives it', async () => {
    await using place = openPlace({ logBytes: 1_000 })
    for (let index = 0; index < 50; index++)
      await place.tool(ada, odd(), 'complain', { text: `complaint ${index} of hers` })
    await until(() => place.children.logs(ada).includes('complaint 49 of hers\n'))
    await failureOf(place.call(ada, odd(), toolCall('die')))
    const log = place.children.logs(ada)
    expect(log).toContain('complaint 49 of hers\n')
    expect(log.length).toBeLessThanOrEqual(1_000)
    expect(log).toMatch(/^complaint \d+ of hers\n/)
    expect([place.children.logs(bob), place.children.logs(shared)]).toEqual(['', ''])
    expect(place.logged.join('\n')).not.toContain('complaint')
  })
})

describe('a replaced token', () => {
  test('starts a new child; the old one answers what was asked of it, then ends', async () => {
    await using place = openPlace()
    const before = odd('normal', { TOKEN: 'old' })
    const after = odd('normal', { TOKEN: 'new' })
    const oldPid = Number(await place.tool(ada, before, 'pid'))
    const inFlight = place.tool(ada, before, 'slow', { ms: 400 })
    await until(() => place.children.list()[0]?.pending === 1)
    expect(await place.tool(ada, after, 'env')).toContain('"TOKEN":"new"')
    expect(place.children.list().map(({ state }) => state)).toEqual(['draining', 'ready'])
    expect(await inFlight).toBe('done')
    await until(() => !lives(oldPid))
    expect(place.children.find(ada)).toMatchObject({ state: 'ready' })
  })
})

describe('a start', () => {
  test('that fails says so, keeps what the server complained of, and is not tried again at once', async () => {
    let now = 1_000_000
    await using place = openPlace({}, { clock: { now: () => now } })
    const failing = () => failureOf(place.tool(ada, odd('exit'), 'echo'))
    const starts = () => place.events.filter(({ kind }) => kind === 'start_failed').length
    expect(await failing()).toMatchObject({ code: 'upstream.start_failed', cause: { message: 'exited with code 3' } })
    expect(place.children.logs(ada)).toContain('cannot start: no such thing')
    expect(place.children.find(ada)).toMatchObject({ state: 'failed', failure: 'odd did not start.' })
    for (const [waitMs, before] of [
      [1_000, 1],
      [2_000, 2],
      [4_000, 3],
    ] as const) {
      now += waitMs - 1
      expect((await failing()).code).toBe('upstream.start_failed')
      expect(starts()).toBe(before)
      now += 1
      await failing()
      expect(starts()).toBe(before + 1)
    }
    expect(await place.tool(ada, odd(), 'echo', { other: 'launch' })).toContain('launch')
    expect(place.children.find(ada)).toMatchObject({ state: 'ready' })
  })

  test('of a command that does not exist fails without showing its arguments', async () => {
    await using place = openPlace()
    const launch = { command: '/no/such/command', args: ['--token=hunter2'], env: {} }
    const failure = await failureOf(place.tool(ada, launch, 'echo'))
    expect(failure).toMatchObject({
      code: 'upstream.start_failed',
      cause: { message: 'the process could not be started: ENOENT' },
    })
    expect(JSON.stringify([failure, failure.cause, place.events, place.logged])).not.toContain('hunter2')
  })

  test('that gets no answer ends in time, and its process with it', async () => {
    await using place = openPlace({ startTimeoutMs: 300 })
    const failure = failureOf(place.tool(ada, odd('never'), 'echo'))
    await until(() => place.children.list()[0]?.pid !== undefined)
    const pid = place.children.list()[0]?.pid ?? 0
    expect((await failure).code).toBe('upstream.start_timeout')
    await until(() => !lives(pid))
  })

  test('goes on for the others when one of those who wait goes away', async () => {
    await using place = openPlace()
    const leaving = toolCall('pid')
    const left = failureOf(place.call(ada, odd(), leaving))
    const staying = place.tool(ada, odd(), 'pid')
    leaving.abort(cancelled())
    expect((await left).code).toBe('request.cancelled')
    expect(Number(await staying)).toBeGreaterThan(0)
    expect(place.events).toHaveLength(1)
  })

  test('gives those who call what the server said of itself', async () => {
    await using place = openPlace()
    const handshake = await place.children.use({ place: ada, launch: odd() }, toolCall('x').signal, (channel) =>
      Promise.resolve(channel.handshake),
    )
    expect(handshake).toMatchObject({ serverInfo: { name: 'odd' } })
  })
})

describe('what is told of a child', () => {
  test('that never started is that its start failed, and no end of it', async () => {
    await using place = openPlace()
    await failureOf(place.tool(ada, odd('exit'), 'echo'))
    await until(() => place.children.list().every(({ state }) => state === 'failed'))
    await place.tool(bob, odd(), 'pid')
    await place.children.close()
    expect(place.events.map(({ kind, owner }) => `${kind} ${owner.userId}`)).toEqual([
      'start_failed usr_ada',
      'started usr_bob',
      'ended usr_bob',
    ])
  })

  test('whoever fails to take it keeps no child from its end', async () => {
    const onEvent = ({ kind }: ChildEvent) => {
      if (kind === 'ended') throw new Error('the log is full')
    }
    const place = openPlace({}, { onEvent })
    const pid = Number(await place.tool(ada, odd(), 'pid'))
    await place[Symbol.asyncDispose]()
    expect(lives(pid)).toBe(false)
    expect(place.logged.join('\n')).toContain('child.end_failed')
  })
})

describe('how many, how long', () => {
  test('an idle child makes room for a new one; without any, nobody is started', async () => {
    await using place = openPlace({ maxChildren: 2 })
    const [first] = [await place.tool(ada, odd(), 'pid'), await place.tool(bob, odd(), 'pid')]
    await place.tool({ ...bob, upstream: 'third' as UpstreamId }, odd(), 'pid')
    await until(() => !lives(Number(first)))
    const busy = [bob, { ...bob, upstream: 'third' as UpstreamId }].map((owner) =>
      place.tool(owner, odd(), 'slow', { ms: 500 }),
    )
    await until(() => place.children.list().filter(({ pending }) => pending === 1).length === 2)
    expect((await failureOf(place.tool(ada, odd(), 'pid'))).code).toBe('upstream.capacity')
    expect(await Promise.all(busy)).toEqual(['done', 'done'])
  })

  test('one user at the limit of their own costs no other anything', async () => {
    await using place = openPlace({ maxChildrenPerUser: 1 })
    await place.tool(bob, odd(), 'pid')
    const slow = place.tool(ada, odd(), 'slow', { ms: 500 })
    await until(() => place.children.find(ada)?.pending === 1)
    const another = { ...ada, upstream: 'another' as UpstreamId }
    expect((await failureOf(place.tool(another, odd(), 'pid'))).code).toBe('upstream.capacity')
    expect(place.children.find(bob)).toMatchObject({ state: 'ready' })
    expect(await slow).toBe('done')
  })

  test('a child without work is ended, and started again when it is wanted', async () => {
    await using place = openPlace({ idleMs: 50 })
    const first = Number(await place.tool(ada, odd(), 'pid'))
    await until(() => !lives(first))
    await until(() => place.events.at(-1)?.kind === 'ended')
    expect(place.events.at(-1)).toMatchObject({ kind: 'ended', reason: 'idle' })
    expect(Number(await place.tool(ada, odd(), 'pid'))).not.toBe(first)
  })
})

describe('closing', () => {
  test('waits for what is in flight, takes nothing new, leaves nothing behind', async () => {
    await using place = openPlace()
    const slow = place.tool(ada, odd(), 'slow', { ms: 300 })
    await until(() => place.children.find(ada)?.pending === 1)
    const { pid = 0 } = place.children.find(ada) ?? {}
    const closing = place.children.close()
    expect((await failureOf(place.tool(bob, odd(), 'pid'))).code).toBe('gate.stopping')
    expect(await slow).toBe('done')
    await closing
    expect([lives(pid), place.children.list()]).toEqual([false, []])
  })

  test('gives up what takes too long, with a failure that says why', async () => {
    await using place = openPlace({ drainMs: 100 })
    const silent = failureOf(place.call(ada, odd('stubborn'), toolCall('silent')))
    await until(() => place.children.find(ada)?.pending === 1)
    const { pid = 0 } = place.children.find(ada) ?? {}
    await place.children.close()
    expect((await silent).code).toBe('gate.stopping')
    expect(lives(pid)).toBe(false)
  })

  test('some owners only leaves the others at work', async () => {
    await using place = openPlace()
    await Promise.all([place.tool(ada, odd(), 'pid'), place.tool(bob, odd(), 'pid')])
    await place.children.end(({ userId }) => userId === ada.userId)
    expect(place.children.list().map(({ userId }) => userId)).toEqual([bob.userId])
  })
})
