import { expect, test } from 'vitest'
import type { LogLevel } from '../../src/upstreams/client.ts'
import type { Caller } from '../../src/upstreams/transport.ts'
import { failureOf, toolCall, until } from './children-harness.ts'
import { ADA, BOB, callEcho, callerOf, clientOf, createHttpScene, PERSONAL, responseOf, tokenOf } from './http-scene.ts'
import { startHttpServer, type Call, type HttpServer } from './http-server.ts'

const inSession = (session: string, more = {}) => clientOf({ session, ...more })
const sessionsOf = (server: HttpServer) => server.of('tools/call').map(({ session }) => session)

test('each user, each token, each session of a client, and each set of capabilities has a session upstream', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const ada = callerOf(ADA, tokenOf('a'))
  const all = [
    () => callEcho(transport, clientOf(), ada),
    () => callEcho(transport, clientOf({ capabilities: '{"roots":{}}' }), ada),
    () => callEcho(transport, inSession('one'), ada),
    () => callEcho(transport, inSession('two', { capabilities: '{"roots":{}}' }), ada),
    () => callEcho(transport, clientOf(), callerOf(BOB, tokenOf('b'))),
  ]
  for (const one of [...all, ...all]) await one()
  const used = sessionsOf(server)
  expect(new Set(used).size).toBe(all.length)
  expect(used.slice(all.length)).toEqual(used.slice(0, all.length))
  // The same user with another token is somebody else to the server.
  await callEcho(transport, clientOf(), callerOf(ADA, tokenOf('a2')))
  expect(used).not.toContain(sessionsOf(server).at(-1))
})

test('a session outlives the process: the next one goes on with it, and does not open it again', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const first = scene.open(server.url)
  await callEcho(first, inSession('one'))
  await first.close()
  expect(server.of('DELETE')).toEqual([])
  const second = scene.open(server.url)
  const asking = { era: 'legacy', client: inSession('one'), signal: AbortSignal.timeout(5_000) } as const
  const handshake = await second.describe(asking, callerOf())
  expect(handshake).toMatchObject({ era: 'legacy', version: '2025-11-25', serverInfo: { name: 'scripted' } })
  await callEcho(second, inSession('one'))
  expect(server.of('initialize')).toHaveLength(1)
  expect(new Set(sessionsOf(server)).size).toBe(1)
  const ids = server.of('tools/call').map(({ id }) => id)
  // An id is used once in a session, by whichever process.
  expect(new Set(ids).size).toBe(2)
})

test('what is kept is sealed, and read only where memory has none', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  await callEcho(transport)
  const [row] = await scene.rows()
  const [id = ''] = server.sessions
  expect(row?.sealed.includes(id)).toBe(false)
  await scene.storage.system.deleteFrom('upstream_sessions').execute()
  await callEcho(transport)
  expect(server.of('initialize')).toHaveLength(1)
})

test('a session that was opened with another token, or at another address, is not gone on with', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const personal = { headers: PERSONAL }
  await callEcho(scene.open(server.url, personal), clientOf(), callerOf(ADA, tokenOf('first')))
  await callEcho(scene.open(server.url, personal), clientOf(), callerOf(ADA, tokenOf('second')))
  await callEcho(scene.open(`${server.url}?elsewhere`, personal), clientOf(), callerOf(ADA, tokenOf('second')))
  expect(new Set(sessionsOf(server)).size).toBe(3)
  expect(await scene.rows()).toHaveLength(1)
  // The last one is kept.
  await callEcho(scene.open(`${server.url}?elsewhere`, personal), clientOf(), callerOf(ADA, tokenOf('second')))
  expect(server.of('initialize')).toHaveLength(3)
})

test('of two processes that open at once one is kept; the other ends its own and uses that', async () => {
  await using scene = await createHttpScene()
  const waiting: Call[] = []
  const initialize = (one: Call) => {
    waiting.push(one)
    if (waiting.length < 2) return
    for (const each of waiting) {
      const session = `session-${each.text.length}-${waiting.indexOf(each)}`
      server.sessions.add(session)
      each.response.setHeader('Mcp-Session-Id', session)
      each.result({ protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'slow', version: '1' } })
    }
  }
  await using server = await startHttpServer({ era: 'legacy', methods: { initialize } })
  const processes = [scene.open(server.url), scene.open(server.url)]
  await Promise.all(processes.map((transport) => callEcho(transport, inSession('one'))))
  await until(() => server.of('DELETE').length === 1)
  for (const transport of processes) await callEcho(transport, inSession('one'))
  expect(await scene.rows()).toHaveLength(1)
  expect(new Set(sessionsOf(server))).toEqual(new Set(server.sessions))
  expect(server.sessions.size).toBe(1)
})

test('a session that is gone is opened anew, once for all who wait, with its log level, and the request sent again', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const client = inSession('one', { logLevel: 'warning' })
  await callEcho(transport, client)
  server.sessions.clear()
  const quiet = inSession('one')
  const answers = await Promise.all(Array.from({ length: 10 }, () => callEcho(transport, quiet)))
  for (const answer of answers) expect(responseOf(answer).result).toBeDefined()
  expect([server.of('initialize').length, server.of('DELETE').length]).toEqual([2, 1])
  expect(server.of('logging/setLevel').map(({ params, session }) => [params['level'], session])).toEqual([
    ['warning', expect.any(String)],
    ['warning', [...server.sessions][0]],
  ])
  await scene.open(server.url).send(toolCall('echo', {}, { client }), callerOf())
  expect(server.of('initialize')).toHaveLength(2)
})

test('where another process has opened it anew already, that one is used', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const [first, second] = [scene.open(server.url), scene.open(server.url)]
  await callEcho(first)
  await callEcho(second)
  server.sessions.clear()
  await callEcho(first)
  await callEcho(second)
  expect(server.of('initialize')).toHaveLength(2)
  expect(server.sessions.size).toBe(1)
})

test('a request that the server refuses like that again is not sent a third time', async () => {
  await using scene = await createHttpScene()
  const refused = ({ response }: Call) => response.writeHead(404).end()
  await using server = await startHttpServer({ era: 'legacy', tools: { refused } })
  const failure = await failureOf(scene.open(server.url).send(toolCall('refused'), callerOf()))
  expect(failure.code).toBe('upstream.bad_answer')
  expect(server.of('tools/call')).toHaveLength(2)
})

test('the sessions of a user are ended when the credential is gone, those of others are not', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  await callEcho(transport, inSession('one'))
  await callEcho(transport, inSession('two'))
  await callEcho(transport, inSession('three'), callerOf(BOB))
  await transport.forget(callerOf(ADA))
  expect(server.sessions.size).toBe(1)
  expect((await scene.rows()).map(({ user_id }) => user_id)).toEqual([BOB])
  await callEcho(transport, inSession('one'))
  expect(server.of('initialize')).toHaveLength(4)
})

test('the sessions of one session of a client are ended with it, also by a process that never used them', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const [first, second] = [scene.open(server.url), scene.open(server.url)]
  await callEcho(first, inSession('one'))
  await callEcho(first, inSession('two'))
  const [one] = sessionsOf(server)
  await second.forgetSession('one', callerOf(ADA))
  expect(server.of('DELETE').map(({ session }) => session)).toEqual([one])
  expect((await scene.rows()).map(({ session }) => session)).toEqual(['two'])
})

test('what nobody has used for a day is forgotten; what is in use is noted now and then', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  await callEcho(transport, inSession('idle'))
  await callEcho(transport, inSession('used'))
  const before = scene.clock.now()
  const hour = 60 * 60_000
  const usedAt = async () => (await scene.rows()).find(({ session }) => session === 'used')?.used_at
  scene.clock.turn(60_000)
  await callEcho(transport, inSession('used'))
  expect(await usedAt()).toBe(before)
  scene.clock.turn(23 * hour)
  await callEcho(transport, inSession('used'))
  await until(async () => (await usedAt()) === scene.clock.now())
  scene.clock.turn(2 * hour)
  await scene.store.sweep()
  expect((await scene.rows()).map(({ session }) => session)).toEqual(['used'])
})

test('a user whom the database does not know, or a database that fails, keeps no call from being made', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const stranger = callerOf('usr_none' as typeof ADA)
  await callEcho(transport, clientOf(), stranger)
  await callEcho(transport, clientOf(), stranger)
  expect(new Set(sessionsOf(server)).size).toBe(1)
  // Nobody could go on with that one.
  await transport.close()
  expect(server.sessions.size).toBe(0)
})

test('the level is set before the call that wants it, once, and to the least severe that anybody on the link wants', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const wants = (logLevel: LogLevel | undefined) => callEcho(transport, clientOf({ logLevel }))
  for (const level of ['error', 'error', 'info', 'warning', undefined] as const) await wants(level)
  expect(server.of('logging/setLevel').map(({ params }) => params['level'])).toEqual(['error', 'info'])
  const order = server.seen.map(({ method }) => method).filter((method) => method !== 'notifications/initialized')
  expect(order.slice(0, 3)).toEqual(['initialize', 'logging/setLevel', 'tools/call'])
})

test('a session of its own has the level its client wants now, be it more severe than before', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  for (const logLevel of ['debug', 'error'] as const) await callEcho(transport, inSession('one', { logLevel }))
  expect(server.of('logging/setLevel').map(({ params }) => params['level'])).toEqual(['debug', 'error'])
})

test('a server that does not log is told no level, and one that does not want to know is called all the same', async () => {
  await using scene = await createHttpScene()
  await using mute = await startHttpServer({ era: 'legacy', capabilities: { tools: {} } })
  await callEcho(scene.open(mute.url), clientOf({ logLevel: 'debug' }))
  expect(mute.of('logging/setLevel')).toEqual([])
  const methods = { 'logging/setLevel': (one: Call) => one.fail(-32603) }
  await using server = await startHttpServer({ era: 'legacy', methods })
  const transport = scene.open(server.url)
  expect(responseOf(await callEcho(transport, clientOf({ logLevel: 'debug' }))).result).toBeDefined()
  await callEcho(transport, clientOf({ logLevel: 'debug' }))
  expect(server.of('logging/setLevel')).toHaveLength(1)
})

test('in the modern era the level goes along with each request', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern' })
  await callEcho(scene.open(server.url), clientOf({ logLevel: 'debug' }))
  expect(server.of('tools/call')[0]?.params['_meta']).toMatchObject({ 'io.modelcontextprotocol/logLevel': 'debug' })
})

test('what a server of the modern era says of itself is asked for again after a while', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern' })
  const transport = scene.open(server.url)
  const describe = () =>
    transport.describe({ era: 'modern', client: clientOf(), signal: AbortSignal.timeout(5_000) }, callerOf())
  expect(await describe()).toMatchObject({ era: 'modern', instructions: 'Be kind.' })
  await describe()
  expect(server.of('server/discover')).toHaveLength(1)
  scene.clock.turn(11 * 60_000)
  await describe()
  expect(server.of('server/discover')).toHaveLength(2)
})

/** @see MCP 2026-07-28, server/utilities/caching */
test.for([
  ['private', 'for second'],
  ['public', 'for first'],
] as const)('what a server says of itself, and says is %s, another user is told as %j', async ([cacheScope, told]) => {
  await using scene = await createHttpScene()
  const discover = (call: Call) => {
    const instructions = `for ${call.headers.authorization?.slice('Bearer '.length)}`
    call.result({ supportedVersions: ['2026-07-28'], capabilities: {}, instructions, ttlMs: 0, cacheScope })
  }
  await using server = await startHttpServer({ era: 'modern', methods: { 'server/discover': discover } })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const describe = async (caller: Caller) =>
    (await transport.describe({ era: 'modern', client: clientOf(), signal: AbortSignal.timeout(5_000) }, caller))
      .instructions
  const [ada, bob] = [callerOf(ADA, tokenOf('first')), callerOf(BOB, tokenOf('second'))]
  for (let times = 0; times < 2; times++) {
    expect(await describe(ada)).toBe('for first')
    expect(await describe(bob)).toBe(told)
  }
  await callEcho(transport, clientOf(), bob)
  expect(server.of('server/discover')).toHaveLength(cacheScope === 'public' ? 1 : 2)
})

test('what a server has said to everybody is not told on once it says it in private', async () => {
  await using scene = await createHttpScene()
  let cacheScope = 'public'
  const discover = (call: Call) => {
    const instructions = `${cacheScope}, for ${call.headers.authorization?.slice('Bearer '.length)}`
    call.result({ supportedVersions: ['2026-07-28'], capabilities: {}, instructions, ttlMs: 0, cacheScope })
  }
  await using server = await startHttpServer({ era: 'modern', methods: { 'server/discover': discover } })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const [ada, bob] = [callerOf(ADA, tokenOf('first')), callerOf(BOB, tokenOf('second'))]
  const describe = async (caller: Caller) =>
    (await transport.describe({ era: 'modern', client: clientOf(), signal: AbortSignal.timeout(5_000) }, caller))
      .instructions
  expect(await describe(ada)).toBe('public, for first')
  expect(await describe(bob)).toBe('public, for first')
  cacheScope = 'private'
  scene.clock.turn(11 * 60_000)
  for (let times = 0; times < 2; times++) {
    expect(await describe(ada)).toBe('private, for first')
    expect(await describe(bob)).toBe('private, for second')
  }
  expect(server.of('server/discover')).toHaveLength(3)
})

test('what a server says in private is asked for once by all who wait for it with one credential', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern' })
  const transport = scene.open(server.url, { headers: PERSONAL })
  await callEcho(transport, clientOf(), callerOf(ADA, tokenOf('first')))
  const asking = { era: 'modern', client: clientOf(), signal: AbortSignal.timeout(5_000) } as const
  const bob = callerOf(BOB, tokenOf('second'))
  const told = await Promise.all(['tools', 'prompts', 'resources'].map(() => transport.describe(asking, bob)))
  expect(told.map(({ instructions }) => instructions)).toEqual(Array(3).fill('Be kind.'))
  expect(server.of('server/discover')).toHaveLength(2)
})

test('a notification of a client reaches its own session, and opens none', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  await callEcho(transport, inSession('one'))
  const changed = Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}')
  transport.tell(changed, inSession('two'), callerOf())
  transport.tell(changed, inSession('one'), callerOf())
  // Another process finds it as well.
  scene.open(server.url).tell(changed, inSession('one'), callerOf())
  await until(() => server.of('notifications/roots/list_changed').length === 2)
  const [session] = server.sessions
  expect(server.of('notifications/roots/list_changed').map((seen) => seen.session)).toEqual([session, session])
  expect(server.of('initialize')).toHaveLength(1)
})
