import { describe, expect, onTestFinished, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import type { Interests } from '../../src/upstreams/transport.ts'
import { openOnRedis, withoutRedis } from '../storage/shared/places.ts'
import { eventually, hidden, initialize, notes, openGate, openStream, post, wiki } from './sessions-scene.ts'

const TOOLS = 'notifications/tools/list_changed'
const PROMPTS = 'notifications/prompts/list_changed'
const RESOURCES = 'notifications/resources/list_changed'
const UPDATED = 'notifications/resources/updated'
const LOG = 'notifications/message'

const subscribe = (uri: string) => ({ id: 1, method: 'resources/subscribe', params: { uri } })
const setLevel = (level: string) => ({ id: 1, method: 'logging/setLevel', params: { level } })

test('a stream is there for sessions of revisions that have one, and for clients that take it', async () => {
  const { one } = await openGate()
  const status = async (headers: Record<string, string>, method = 'GET') =>
    (await fetch(`${one.url}/mcp`, { method, headers: { 'x-user': 'ada', ...headers } })).status
  const session = await initialize(one)
  const old = await initialize(one, { protocolVersion: '2024-11-05' })
  const events = { accept: 'text/event-stream' }
  expect(await status(events)).toBe(405)
  expect(await status({ 'mcp-session-id': session, accept: 'application/json' })).toBe(406)
  expect(await status({ 'mcp-session-id': old, ...events })).toBe(405)
  expect(await status({ 'mcp-session-id': 'made-up', ...events })).toBe(404)
  expect(await status({ 'mcp-session-id': session, 'x-user': 'bob', ...events })).toBe(404)
  expect(await status({ 'mcp-session-id': session, 'last-event-id': 'made-up', ...events })).toBe(404)
  const stream = await openStream(one, { session })
  expect(stream.status).toBe(200)
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
})

test('a stream of the newest of these revisions begins with an id to come back by, of the older ones with nothing', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  const before = await initialize(one, { protocolVersion: '2025-06-18' })
  const older = await openStream(one, { session: before })
  one.servers.tell(notes, TOOLS)
  await Promise.all([stream.next(), older.next()])
  expect(stream.events.map(({ data, id }) => [data === '', id !== undefined])).toEqual([
    [true, true],
    [false, true],
  ])
  expect(older.events.map(({ data, id }) => [data === '', id !== undefined])).toEqual([[false, true]])
})

test('a session hears of the lists of every server it sees, and of the resources it subscribed to', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  await post(one, subscribe('notes+file:///mine'), { session })
  const stream = await openStream(one, { session })
  one.servers.tell(notes, UPDATED, { uri: 'file:///other' })
  one.servers.tell(wiki, UPDATED, { uri: 'file:///mine' })
  one.servers.tell(notes, UPDATED, { uri: 'file:///mine' })
  one.servers.tell(wiki, PROMPTS, { _meta: { why: 'because' } })
  one.servers.tell(notes, RESOURCES)
  expect(await stream.upTo(RESOURCES)).toEqual([
    { jsonrpc: '2.0', method: UPDATED, params: { uri: 'notes+file:///mine' } },
    { jsonrpc: '2.0', method: PROMPTS, params: { _meta: { why: 'because' } } },
    { jsonrpc: '2.0', method: RESOURCES },
  ])
  await post(one, { ...subscribe('notes+file:///mine'), method: 'resources/unsubscribe' }, { session })
  await post(one, subscribe('wiki+x:/page'), { session })
  one.servers.tell(notes, UPDATED, { uri: 'file:///mine' })
  one.servers.tell(wiki, UPDATED, { uri: 'x:/page/part' })
  one.servers.tell(notes, TOOLS)
  expect((await stream.upTo(TOOLS)).slice(3)).toEqual([
    { jsonrpc: '2.0', method: UPDATED, params: { uri: 'wiki+x:/page/part' } },
    { jsonrpc: '2.0', method: TOOLS },
  ])
})

test('at the endpoint of one server that one is heard, in its own words', async () => {
  const { one } = await openGate()
  const session = await initialize(one, {}, { path: '/mcp/hidden' })
  const stream = await openStream(one, { session, path: '/mcp/hidden' })
  await post(one, subscribe('file:///mine'), { session, path: '/mcp/hidden' })
  one.servers.tell(hidden, UPDATED, { uri: 'file:///mine' })
  one.servers.tell(hidden, TOOLS)
  expect(await stream.upTo(TOOLS)).toEqual([
    { jsonrpc: '2.0', method: UPDATED, params: { uri: 'file:///mine' } },
    { jsonrpc: '2.0', method: TOOLS },
  ])
  expect(one.servers.at(notes)).toEqual([])
})

test('a resource that no server can have is refused, and one that its server does not take note of as well', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  await openStream(one, { session })
  one.servers.honours(async (_server, interests) => {
    if (interests.uris.has('broken')) throw problem('upstream.unreachable', { server: notes })
    return interests
  })
  expect((await post(one, subscribe('file:///a'), { session })).status).toBe(400)
  expect((await post(one, subscribe('hidden+file:///a'), { session })).status).toBe(400)
  expect((await post(one, subscribe('notes+broken'), { session })).status).toBe(502)
  expect((await post(one, subscribe('notes+fine'), { session })).status).toBe(200)
  expect(one.servers.at(notes).map(({ interests }) => [...interests.uris])).toEqual([['fine']])
})

test('log messages are heard from the level on that the session has set, and servers know the least of them', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  const [watch] = one.servers.at(notes)
  one.servers.tell(notes, LOG, { level: 'emergency', data: 1 })
  expect(watch?.watcher.client.logLevel).toBeUndefined()
  await post(one, setLevel('warning'), { session })
  expect(watch?.watcher.client.logLevel).toBe('warning')
  one.servers.tell(notes, LOG, { level: 'info', data: 2 })
  one.servers.tell(notes, LOG, { level: 'error', data: 3 })
  one.servers.tell(notes, TOOLS)
  expect(await stream.upTo(TOOLS)).toEqual([
    { jsonrpc: '2.0', method: LOG, params: { level: 'error', data: 3 } },
    { jsonrpc: '2.0', method: TOOLS },
  ])
})

test('who was cut off has all that happened meanwhile, once and in order, and what comes then', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  await post(one, setLevel('info'), { session })
  const log = (data: number) => one.servers.tell(notes, LOG, { level: 'info', data })
  const first = await openStream(one, { session })
  log(0)
  await first.next()
  const seen = first.lastId()
  log(1)
  await first.next()
  first.cut()
  log(2)
  log(3)
  const second = await openStream(one, { session, after: seen })
  log(4)
  one.servers.tell(notes, TOOLS)
  const data = (await second.upTo(TOOLS)).map(({ params, method }) => params?.['data'] ?? method)
  expect(data).toEqual([1, 2, 3, 4, TOOLS])
  expect(new Set(second.events.map(({ id }) => id)).size).toBe(second.events.length)
})

test('a client that comes back after its very first event, or whose first connection still seems to be there, is taken in', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  const first = await openStream(one, { session })
  await eventually(() => first.lastId() !== undefined, 'primed')
  const second = await openStream(one, { session, after: first.lastId() })
  await first.ended()
  one.servers.tell(notes, TOOLS)
  expect(await second.next()).toMatchObject({ method: TOOLS })
  expect(first.messages()).toEqual([])
})

test('a client that begins anew, since it cannot come back, looks at all again where it missed something', async () => {
  const { one } = await openGate()
  const session = await initialize(one, { protocolVersion: '2025-06-18' })
  const first = await openStream(one, { session })
  first.cut()
  await eventually(() => one.reading.size === 0, 'noticed')
  const second = await openStream(one, { session })
  second.cut()
  await eventually(() => one.reading.size === 0, 'noticed')
  one.servers.tell(notes, PROMPTS)
  const third = await openStream(one, { session })
  expect((await third.upTo(RESOURCES)).map(({ method }) => method)).toEqual([TOOLS, PROMPTS, RESOURCES])
  one.servers.tell(notes, UPDATED, { uri: 'not subscribed to' })
  one.servers.tell(notes, TOOLS)
  await third.upTo(TOOLS)
  expect(second.messages()).toEqual([])
})

test('who comes back by another endpoint has the rest, and from then on what is heard there', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  const first = await openStream(one, { session })
  one.servers.tell(notes, TOOLS)
  await first.next()
  const seen = first.lastId()
  one.servers.tell(notes, PROMPTS)
  await first.next()
  const second = await openStream(one, { session, path: '/mcp/hidden', after: seen })
  await first.ended()
  expect((await second.upTo(RESOURCES)).map(({ method }) => method)).toEqual([PROMPTS, TOOLS, PROMPTS, RESOURCES])
  expect(one.servers.at(notes)).toEqual([])
  expect(one.servers.at(hidden)).toHaveLength(1)
})

test('another process gives the rest and goes on; as something may have been missed between, the client looks at all again', async () => {
  const { one, two } = await openGate(2)
  const session = await initialize(one)
  await post(one, subscribe('notes+file:///mine'), { session })
  const first = await openStream(one, { session })
  one.servers.tell(notes, TOOLS)
  await first.next()
  const seen = first.lastId()
  first.cut()
  one.servers.tell(notes, PROMPTS)
  const second = await openStream(two, { session, after: seen })
  const told = await second.upTo(UPDATED)
  expect(told.map(({ method }) => method)).toEqual([PROMPTS, TOOLS, PROMPTS, RESOURCES, UPDATED])
  expect(told.at(-1)?.params).toEqual({ uri: 'notes+file:///mine' })
  await eventually(() => one.servers.watches.size === 0 && one.streams.size === 0, 'let go of')
  expect([...(two.servers.at(notes)[0]?.interests.uris ?? [])]).toEqual(['file:///mine'])
  two.servers.tell(notes, UPDATED, { uri: 'file:///mine' })
  await eventually(() => second.messages().length === 6, 'told')
})

test('a stream that is kept no more begins anew, and the client looks at all again', async () => {
  const { one, clock } = await openGate()
  const session = await initialize(one)
  const first = await openStream(one, { session })
  one.servers.tell(notes, TOOLS)
  await first.next()
  const seen = first.lastId()
  await one.close()
  const { one: next } = await openGate(1, { clock })
  // The same gate after a restart would find its sessions in the database; this one has its key, which is enough.
  const second = await openStream(next, { session, after: seen })
  expect((await second.upTo(RESOURCES)).map(({ method }) => method)).toEqual([TOOLS, PROMPTS, RESOURCES])
})

test('what one process is told of a session, the one that has its stream acts on', async () => {
  const { one, two } = await openGate(2)
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  await post(two, subscribe('notes+file:///mine'), { session })
  await post(two, setLevel('info'), { session })
  await eventually(() => one.servers.at(notes)[0]?.interests.uris.size === 1, 'subscribed')
  await eventually(() => one.servers.at(notes)[0]?.watcher.client.logLevel === 'info', 'levelled')
  one.servers.tell(notes, UPDATED, { uri: 'file:///mine' })
  expect(await stream.next()).toMatchObject({ method: UPDATED })
  expect(two.servers.watches.size).toBe(0)
})

test('each message goes to one stream: to the newest, and when that is gone to the one before', async () => {
  const { one } = await openGate()
  const session = await initialize(one)
  const streams = [await openStream(one, { session }), await openStream(one, { session })]
  one.servers.tell(notes, TOOLS)
  await streams[1]?.next()
  expect(streams[0]?.messages()).toEqual([])
  streams[1]?.cut()
  await eventually(() => one.reading.size === 1, 'noticed')
  one.servers.tell(notes, PROMPTS)
  expect(await streams[0]?.next()).toMatchObject({ method: PROMPTS })
  // More than a few are not held for one session: the oldest goes.
  await openStream(one, { session })
  await openStream(one, { session })
  await openStream(one, { session })
  await streams[0]?.ended()
})

test('a session that is ended has no stream any more, wherever that is, and is unknown from then on', async () => {
  const { one, two } = await openGate(2)
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  const ended = await fetch(`${two.url}/mcp`, {
    method: 'DELETE',
    headers: { 'x-user': 'ada', 'mcp-session-id': session },
  })
  expect(ended.status).toBe(204)
  await stream.ended()
  expect((await post(one, { id: 1, method: 'tools/call' }, { session })).status).toBe(404)
  expect((await post(two, { id: 1, method: 'tools/call' }, { session })).status).toBe(404)
  await eventually(() => one.servers.watches.size === 0, 'let go of')
  expect(one.forgotten).toEqual(two.forgotten)
  expect(one.forgotten).toHaveLength(1)
})

test('streams end when the gate stops, and where their owner may not read them any more', async () => {
  const { one } = await openGate()
  const adas = await openStream(one, { session: await initialize(one) })
  const bobs = await openStream(one, { session: await initialize(one, {}, { user: 'bob' }), user: 'bob' })
  one.streams.endOf(({ userName }) => userName === 'ada')
  await adas.ended()
  expect(one.streams.size).toBe(1)
  one.streams.close()
  await bobs.ended()
  expect(one.servers.watches.size).toBe(0)
})

test('servers are listened to as long as a session has a stream or is used, and five minutes more', async () => {
  const { one, clock } = await openGate(1, { times: { pulseMs: 30 } })
  const session = await initialize(one)
  const stream = await openStream(one, { session })
  await stream.comments()
  clock.turn(3_600_000)
  await stream.comments()
  expect(one.streams.size).toBe(1)
  stream.cut()
  await eventually(() => one.reading.size === 0, 'noticed')
  clock.turn(4 * 60_000)
  await post(one, setLevel('info'), { session })
  clock.turn(4 * 60_000)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(one.streams.size).toBe(1)
  clock.turn(2 * 60_000)
  await eventually(() => one.streams.size === 0 && one.servers.watches.size === 0, 'let go of')
})

test('a thousand idle streams of one user cost neither timers nor streams at the servers', async () => {
  const { one } = await openGate()
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const session = await initialize(one)
  await openStream(one, { session })
  const before = timers()
  const sessions = await Promise.all(Array.from({ length: 1_000 }, () => initialize(one)))
  const streams = await Promise.all(sessions.map((each) => openStream(one, { session: each })))
  expect(one.streams.size).toBe(1_001)
  expect(one.servers.at(notes)).toHaveLength(9)
  expect(timers() - before).toBeLessThan(10)
  one.servers.tell(notes, TOOLS)
  await Promise.all(streams.map((stream) => stream.next()))
  for (const stream of streams) stream.cut()
}, 120_000)

test('a client that is shared an ear with others hears what it asked for, and the server the least severe level of all', async () => {
  const { one } = await openGate()
  const sessions = await Promise.all(Array.from({ length: 12 }, () => initialize(one)))
  const streams = await Promise.all(sessions.map((session) => openStream(one, { session })))
  const [a = '', b = ''] = sessions.slice(-2)
  await post(one, subscribe('notes+a'), { session: a })
  await post(one, subscribe('notes+b'), { session: b })
  await post(one, setLevel('error'), { session: a })
  await post(one, setLevel('info'), { session: b })
  const shared = one.servers.at(notes).find(({ watcher }) => watcher.client.session === undefined)
  const wanted: Interests | undefined = shared?.interests
  expect([...(wanted?.uris ?? [])].sort()).toEqual(['a', 'b'])
  expect(shared?.watcher.client.logLevel).toBe('info')
  one.servers.tell(notes, UPDATED, { uri: 'a' })
  one.servers.tell(notes, LOG, { level: 'warning' })
  one.servers.tell(notes, TOOLS)
  const heard = await Promise.all(
    streams.slice(-2).map(async (stream) => (await stream.upTo(TOOLS)).map(({ method }) => method)),
  )
  expect(heard).toEqual([
    [UPDATED, TOOLS],
    [LOG, TOOLS],
  ])
})

describe.skipIf(withoutRedis)('on Redis', () => {
  /** Two processes of one gate: what the one seals the other opens. */
  async function openOnTwo() {
    const [a, b] = await openOnRedis(2)
    if (!a || !b) throw new Error('no Redis')
    const { one } = await openGate(1, { bus: a.bus, events: a.events })
    const { one: two } = await openGate(1, { bus: b.bus, events: b.events })
    // Before what they share is closed.
    onTestFinished(async () => void (await Promise.all([one.close(), two.close()])))
    return { one, two, dying: a }
  }

  test('who was cut off has the rest at the same process, and then at another', async () => {
    const { one, two } = await openOnTwo()
    const session = await initialize(one)
    const first = await openStream(one, { session })
    one.servers.tell(notes, TOOLS)
    await first.next()
    const seen = first.lastId()
    first.cut()
    one.servers.tell(notes, PROMPTS)
    const second = await openStream(one, { session, after: seen })
    one.servers.tell(notes, RESOURCES)
    expect((await second.upTo(RESOURCES)).map(({ method }) => method)).toEqual([PROMPTS, RESOURCES])
    second.cut()
    one.servers.tell(notes, PROMPTS)
    const third = await openStream(two, { session, after: second.lastId() })
    expect((await third.upTo(RESOURCES)).map(({ method }) => method)).toEqual([PROMPTS, TOOLS, PROMPTS, RESOURCES])
    await eventually(() => one.servers.watches.size === 0, 'let go of')
    two.servers.tell(notes, TOOLS)
    await eventually(() => third.messages().length === 5, 'told')
  })

  test('where the process of a stream is gone, another goes on with it', async () => {
    const { one, two, dying } = await openOnTwo()
    const session = await initialize(one)
    const first = await openStream(one, { session })
    one.servers.tell(notes, TOOLS)
    await first.next()
    const seen = first.events[0]?.id
    await dying.close()
    one.dropConnections()
    const second = await openStream(two, { session, after: seen })
    const told = await second.upTo(RESOURCES)
    expect(told.map(({ method }) => method)).toEqual([TOOLS, TOOLS, PROMPTS, RESOURCES])
  })
})
