import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acknowledged, readWanted, told } from '../../src/mcp/eras/told.ts'
import type { Interests } from '../../src/upstreams/transport.ts'
import { problem } from '../../src/base/problem.ts'
import { eventually, hidden, notes, openGate, openStream, post, wiki, type Replica } from './sessions-scene.ts'

const KEY = 'io.modelcontextprotocol/subscriptionId'
const TOOLS = 'notifications/tools/list_changed'
const PROMPTS = 'notifications/prompts/list_changed'
const UPDATED = 'notifications/resources/updated'
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

interface Wanted {
  readonly id?: string | number
  readonly path?: string
  readonly user?: string
}

function listen(replica: Replica, notifications: unknown, { id = 1, ...asked }: Wanted = {}) {
  return openStream(replica, { ...asked, body: { id, method: 'subscriptions/listen', params: { notifications } } })
}

test('the first message says what of it will be told; then that is told, and nothing else', async () => {
  const { one } = await openGate()
  const wanted = { toolsListChanged: true, promptsListChanged: false, resourceSubscriptions: ['notes+file:///a'] }
  const stream = await listen(one, wanted, { id: 'sub' })
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    method: ACKNOWLEDGED,
    params: {
      _meta: { [KEY]: 'sub' },
      notifications: { toolsListChanged: true, resourceSubscriptions: ['notes+file:///a'] },
    },
  })
  one.servers.tell(notes, PROMPTS)
  one.servers.tell(notes, 'notifications/message', { level: 'emergency', data: 1 })
  one.servers.tell(notes, UPDATED, { uri: 'file:///b' })
  one.servers.tell(wiki, UPDATED, { uri: 'file:///a' })
  one.servers.tell(notes, UPDATED, { uri: 'file:///a', _meta: { [KEY]: 99, other: 1 } })
  one.servers.tell(wiki, TOOLS)
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    method: UPDATED,
    params: { uri: 'notes+file:///a', _meta: { [KEY]: 'sub', other: 1 } },
  })
  expect(await stream.next()).toEqual({ jsonrpc: '2.0', method: TOOLS, params: { _meta: { [KEY]: 'sub' } } })
  expect(stream.events.every(({ id }) => id === undefined)).toBe(true)
})

test('what a server cannot tell is not promised; a merged list the gate can always tell of', async () => {
  const { one } = await openGate()
  one.servers.honours(async (server, { uris }): Promise<Interests> => {
    if (server === wiki) throw problem('upstream.unreachable', { server })
    return { lists: new Set(['prompts']), uris: server === notes ? uris : new Set() }
  })
  const wanted = {
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ['notes+a', 'wiki+a', 'hidden+a', 'file:///a'],
  }
  const honoured = async (path: string, filter: object) =>
    (await (await listen(one, filter, { path })).next()).params?.['notifications']
  expect(await honoured('/mcp', wanted)).toEqual({
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ['notes+a'],
  })
  const own = { ...wanted, resourceSubscriptions: ['a'] }
  expect(await honoured('/mcp/notes', own)).toEqual({ promptsListChanged: true, resourceSubscriptions: ['a'] })
  expect(await honoured('/mcp/hidden', own)).toEqual({ promptsListChanged: true })
  expect(await honoured('/mcp/wiki', own)).toEqual({ toolsListChanged: true, promptsListChanged: true })
  expect(await honoured('/mcp', {})).toEqual({})
})

test('a server that does not say what it can tell holds nobody up, and what it tells meanwhile is not lost', async () => {
  const { one } = await openGate()
  one.servers.honours(() => new Promise(() => {}))
  const opened = listen(one, { toolsListChanged: true, resourceSubscriptions: ['notes+a'] })
  await eventually(() => one.servers.at(notes).length === 1, 'listened to')
  one.servers.tell(notes, TOOLS)
  const stream = await opened
  expect(await stream.next()).toMatchObject({
    method: ACKNOWLEDGED,
    params: { notifications: { toolsListChanged: true } },
  })
  expect(await stream.next()).toMatchObject({ method: TOOLS })
})

test('when the gate stops, listening has a result; who hangs up is listened for no more', async () => {
  const { one } = await openGate()
  const stream = await listen(one, { toolsListChanged: true }, { id: 5 })
  await stream.next()
  const leaving = await listen(one, {}, { user: 'bob' })
  await leaving.next()
  expect(one.listening.size).toBe(2)
  expect(
    one.servers
      .at(notes)
      .map(({ user }) => user)
      .sort(),
  ).toEqual(['ada', 'bob'])
  leaving.cut()
  await eventually(() => one.listening.size === 1, 'hung up')
  const revoked = await listen(one, {}, { user: 'bob', id: 9 })
  await revoked.next()
  one.listening.endOf(({ userName }) => userName === 'bob')
  expect((await revoked.next()).id).toBe(9)
  expect(one.servers.at(notes).map(({ user }) => user)).toEqual(['ada'])
  one.listening.close()
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    id: 5,
    result: { resultType: 'complete', _meta: { [KEY]: 5 } },
  })
  await stream.ended()
  await eventually(() => one.servers.watches.size === 0, 'let go of')
  const late = await listen(one, {}, { id: 6 })
  expect((await late.upTo(6)).map(({ method }) => method)).toEqual([ACKNOWLEDGED, undefined])
})

test.for([
  ['nothing', undefined],
  ['no object', ['toolsListChanged']],
  ['resources that are no list', { resourceSubscriptions: 'file:///a' }],
  ['resources that are no text', { resourceSubscriptions: [1] }],
  ['too many resources', { resourceSubscriptions: Array.from({ length: 1_001 }, String) }],
] as const)('a request for %s is refused', async ([, notifications]) => {
  const { one } = await openGate()
  const { status, body } = await post(one, { id: 1, method: 'subscriptions/listen', params: { notifications } })
  expect([status, JSON.parse(body).error.code]).toEqual([400, -32602])
  expect(one.servers.watches.size).toBe(0)
})

test('many who listen for one user are one at the server, which is asked for what they want together', async () => {
  const { one } = await openGate()
  const uris = Array.from({ length: 30 }, (_, index) => `notes+${index}`)
  const streams = await Promise.all(uris.map((uri) => listen(one, { resourceSubscriptions: [uri] })))
  const acknowledged = await Promise.all(streams.map((stream) => stream.next()))
  expect(acknowledged.map(({ params }) => params?.['notifications'])).toEqual(
    uris.map((uri) => ({ resourceSubscriptions: [uri] })),
  )
  expect(one.servers.at(notes)).toHaveLength(1)
  expect(one.servers.at(notes)[0]?.interests.uris.size).toBe(30)
  one.servers.tell(notes, UPDATED, { uri: '7' })
  expect(await streams[7]?.next()).toMatchObject({ params: { uri: 'notes+7' } })
  expect(streams[8]?.messages()).toHaveLength(1)
  for (const stream of streams.slice(1)) stream.cut()
  await eventually(() => one.servers.at(notes)[0]?.interests.uris.size === 1, 'fewer')
  await listen(one, {}, { user: 'bob' })
  expect(one.servers.at(notes)).toHaveLength(2)
})

test('a list that is another for a reason of the gate’s own is told as well, to those whom it concerns', async () => {
  const { one } = await openGate()
  const stream = await listen(one, { toolsListChanged: true })
  const bob = await listen(one, { toolsListChanged: true }, { user: 'bob' })
  await Promise.all([stream.next(), bob.next()])
  const [watch] = one.servers.at(notes)
  const who = { tenant: 'ten_a' as never, userId: 'usr_ada' as never }
  expect(watch?.user).toBe('ada')
  one.following.changed(notes, ['tools', 'prompts'], who)
  one.following.changed(hidden, ['tools'])
  one.following.changed(wiki, ['tools'])
  expect((await stream.next()).method).toBe(TOOLS)
  expect((await stream.next()).method).toBe(TOOLS)
  await bob.next()
  expect([stream.messages().length, bob.messages().length]).toEqual([3, 2])
})

test('a message keeps every byte but the mark of the stream that it stands on', () => {
  const meta = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })
  const params = fc.option(
    fc.record(
      { _meta: fc.option(meta, { nil: undefined }), uri: fc.string(), x: fc.jsonValue() },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  )
  fc.assert(
    fc.property(params, fc.boolean(), fc.oneof(fc.string(), fc.integer()), (given, isMarked, id) => {
      const marked = isMarked && given ? { ...given, _meta: { ...given._meta, [KEY]: 'theirs' } } : given
      const message = { jsonrpc: '2.0', method: UPDATED, ...(marked ? { params: marked } : {}) }
      const bytes = told(Buffer.from(JSON.stringify(message, null, 1)), JSON.stringify(id))
      const expected = { ...message, params: { ...marked, _meta: { ...marked?._meta, [KEY]: id } } }
      expect(JSON.parse(bytes.toString())).toEqual(JSON.parse(JSON.stringify(expected)))
    }),
  )
  const odd = Buffer.from('{"jsonrpc":"2.0","method":"x","params":{"n":1.0, "big":12345678901234567890}}')
  expect(told(odd, '7').toString()).toBe(
    `{"jsonrpc":"2.0","method":"x","params":{"_meta":{"${KEY}":7},"n":1.0, "big":12345678901234567890}}`,
  )
})

test('what is promised is what was asked for, where all of it can be', () => {
  const lists = fc.record({
    toolsListChanged: fc.boolean(),
    promptsListChanged: fc.boolean(),
    resourcesListChanged: fc.boolean(),
  })
  fc.assert(
    fc.property(lists, fc.uniqueArray(fc.string(), { minLength: 1 }), (filter, resourceSubscriptions) => {
      const notifications = { ...filter, resourceSubscriptions }
      const { params }: { params: { notifications: object } } = JSON.parse(
        acknowledged(readWanted({ notifications }), '1').toString(),
      )
      const expected = Object.fromEntries(Object.entries(notifications).filter(([, wanted]) => wanted !== false))
      expect(params.notifications).toEqual(expected)
    }),
  )
})
