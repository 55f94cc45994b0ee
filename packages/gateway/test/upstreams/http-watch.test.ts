import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startEverything } from '../../../playground/src/everything/http.ts'
import type { Reply } from '../../src/upstreams/transport.ts'
import { toolCall, until } from './children-harness.ts'
import {
  ADA,
  BOB,
  callEcho,
  callerOf,
  clientOf,
  createHttpScene,
  eras,
  hearer,
  interestsIn,
  listens,
  methodsOf,
  PROMPTS,
  TOOLS,
  UPDATED,
  urisOf,
} from './http-scene.ts'
import { startHttpServer, type Call, type Era } from './http-server.ts'

test.for(eras)('%s: everybody hears what they want, over one stream, and it is noted once', async (era) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era })
  const transport = scene.open(server.url)
  const tools = hearer({ lists: ['tools'] })
  const prompts = hearer({ lists: ['prompts'] })
  const uri = hearer({ uris: ['test://a'] })
  const watchings = [tools, prompts, uri].map((one) => transport.watch(one, callerOf()))
  await watchings[0]?.update(tools.interests)
  expect(listens(server, era)).toHaveLength(1)
  server.tell({ method: TOOLS })
  server.tell({ method: UPDATED, params: { uri: 'test://b' } })
  server.tell({ method: UPDATED, params: { uri: 'test://a' } })
  server.tell({ method: PROMPTS })
  await until(() => prompts.told.length === 1 && uri.told.length === 1)
  expect([methodsOf(tools), methodsOf(prompts), methodsOf(uri)]).toEqual([[TOOLS], [PROMPTS], [UPDATED]])
  expect(scene.noted.filter((note) => note.endsWith(TOOLS))).toEqual([`${ADA} ${TOOLS}`])
})

test('what is told carries nothing that ties it to the gate’s own request', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern' })
  const heard = hearer({ uris: ['test://a'] })
  await scene.open(server.url).watch(heard, callerOf()).update(heard.interests)
  server.tell({ method: UPDATED, params: { uri: 'test://a' } })
  await until(() => heard.told.length === 1)
  expect(JSON.parse(heard.told[0]?.text ?? '')).toEqual({
    jsonrpc: '2.0',
    method: UPDATED,
    params: { uri: 'test://a', _meta: { own: 1 } },
  })
})

test('in a session, everything else the server tells goes to all who watch there', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const [mine, same, other] = ['one', 'one', 'two'].map((session) => hearer({}, { client: clientOf({ session }) }))
  for (const one of [mine, same, other]) if (one) await transport.watch(one, callerOf()).update(one.interests)
  expect(server.of('GET')).toHaveLength(2)
  const log = { method: 'notifications/message', params: { level: 'info', data: 'hello' } }
  server.streams.find(({ session }) => session === server.of('GET')[0]?.session)?.event(log)
  await until(() => mine?.told.length === 1 && same?.told.length === 1)
  expect(other?.told).toEqual([])
  // Part of what one has subscribed to is theirs too; an id of the server's own is nobody's.
  const within = hearer({ uris: ['test://dir'] }, { client: clientOf({ session: 'one' }) })
  await transport.watch(within, callerOf()).update(within.interests)
  server.tell({ method: 'notifications/cancelled', params: { requestId: 1 } })
  server.tell({ method: UPDATED, params: { uri: 'test://directory' } })
  server.tell({ method: UPDATED, params: { uri: 'test://dir/file' } })
  await until(() => within.told.length === 1)
  expect(within.told[0]?.text).toContain('test://dir/file')
})

test('fifty watchers on one session cost one stream, and one subscription to each resource', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const client = clientOf({ session: 'one' })
  const heard = Array.from({ length: 50 }, (_none, at) =>
    hearer({ lists: ['tools'], uris: [`test://${at % 2}`] }, { client }),
  )
  const watchings = heard.map((one) => transport.watch(one, callerOf()))
  await Promise.all(watchings.map((one, at) => one.update(heard[at]?.interests ?? interestsIn([]))))
  expect(server.of('GET')).toHaveLength(1)
  expect(urisOf(server, 'resources/subscribe')).toEqual(['test://0', 'test://1'])
  server.tell({ method: TOOLS })
  await until(() => heard.every(({ told }) => told.length === 1))
  // The last of those who want it unsubscribes.
  for (const [at, one] of watchings.entries()) if (at % 2 === 1 && at < 49) one.close()
  await watchings[0]?.update(interestsIn(['tools'], ['test://0']))
  expect(urisOf(server, 'resources/unsubscribe')).toEqual([])
  watchings[49]?.close()
  await until(() => server.of('resources/unsubscribe').length === 1)
  expect(urisOf(server, 'resources/unsubscribe')).toEqual(['test://1'])
  for (const one of watchings) one.close()
  await until(() => server.streams.length === 0 && server.of('resources/unsubscribe').length === 2)
  expect(server.of('initialize')).toHaveLength(1)
})

test.for(eras)('%s: who wants something else is told what of it can be had', async (era) => {
  await using scene = await createHttpScene()
  const capabilities = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true } }
  const methods = {
    'resources/subscribe': (one: Call) => (one.params['uri'] === 'test://none' ? one.fail(-32002) : one.result()),
  }
  await using server = await startHttpServer({ era, capabilities, methods })
  const heard = hearer({ lists: ['tools'] })
  const watching = scene.open(server.url).watch(heard, callerOf())
  const all = interestsIn(['tools', 'prompts', 'resources'], ['test://a', 'test://none'])
  const had = await watching.update(all)
  expect(had.lists).toEqual(new Set(['tools']))
  expect(had.uris).toEqual(new Set(era === 'legacy' ? ['test://a'] : ['test://a', 'test://none']))
  server.tell({ method: UPDATED, params: { uri: 'test://a' } })
  await until(() => heard.told.length === 1)
  expect(await watching.update(interestsIn([]))).toEqual(interestsIn([]))
  await until(() => urisOf(server, 'resources/unsubscribe').includes('test://a') || server.streams.length === 0)
})

test('in the modern era one request tells a user’s watchers all that any of them wants; another replaces it without a gap', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern' })
  const transport = scene.open(server.url)
  const first = hearer({ lists: ['tools'], uris: ['test://a'] })
  const second = hearer({ lists: ['prompts'] }, { client: clientOf({ capabilities: '{"roots":{}}' }) })
  const hers = hearer({ lists: ['tools'] })
  await transport.watch(first, callerOf()).update(first.interests)
  const watching = transport.watch(second, callerOf())
  await watching.update(second.interests)
  await transport.watch(hers, callerOf(BOB)).update(hers.interests)
  expect(server.of('subscriptions/listen').map(({ params }) => params['notifications'])).toEqual([
    { toolsListChanged: true, resourceSubscriptions: ['test://a'] },
    { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['test://a'] },
    { toolsListChanged: true },
  ])
  await until(() => server.streams.length === 2)
  // Somebody who wants nothing new costs nothing new.
  const third = hearer({ lists: ['tools'] })
  await transport.watch(third, callerOf()).update(third.interests)
  expect(server.of('subscriptions/listen')).toHaveLength(3)
  watching.close()
  await until(() => server.of('subscriptions/listen').length === 4)
  expect(server.of('subscriptions/listen')[3]?.params['notifications']).toEqual({
    toolsListChanged: true,
    resourceSubscriptions: ['test://a'],
  })
  expect(methodsOf(first)).toEqual([])
})

test('what a server acknowledges is what it tells', async () => {
  await using scene = await createHttpScene()
  const listen = (one: Call) => {
    one.stream()
    const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['test://a'] } }
    one.event({ method: 'notifications/subscriptions/acknowledged', params })
  }
  await using server = await startHttpServer({ era: 'modern', methods: { 'subscriptions/listen': listen } })
  const heard = hearer()
  const watching = scene.open(server.url).watch(heard, callerOf())
  const wanted = interestsIn(['tools', 'prompts'], ['test://a', 'test://b'])
  expect(await watching.update(wanted)).toEqual(interestsIn(['tools'], ['test://a']))
  expect(heard.told).toEqual([])
})

test.for<[era: Era, what: string, refuse: (call: Call) => unknown]>([
  ['legacy', 'has no stream', ({ response }) => response.writeHead(405).end()],
  ['legacy', 'knows no such address', ({ response }) => response.writeHead(404).end('Cannot GET /mcp')],
  ['modern', 'does not know the request', (one) => one.fail(-32601, 404)],
  ['modern', 'does not take the request', (one) => one.fail(-32602)],
])('%s: a server that %s tells nothing, and is not asked again', async ([era, , refuse]) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer(
    era === 'legacy' ? { era, get: refuse } : { era, methods: { 'subscriptions/listen': refuse } },
  )
  const transport = scene.open(server.url)
  const heard = hearer({ lists: ['tools'] })
  const watching = transport.watch(heard, callerOf())
  expect(await watching.update(interestsIn(['tools'], ['test://a']))).toEqual(interestsIn([]))
  await callEcho(transport)
  await pause(400)
  expect(listens(server, era)).toHaveLength(1)
  expect(heard.told).toEqual([])
  // The session is as good as before.
  expect(server.of(era === 'legacy' ? 'initialize' : 'server/discover')).toHaveLength(1)
})

test('what the server asks outside of any call, somebody is asked who listens there and can answer', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const client = clientOf({ session: 'one', capabilities: '{"roots":{}}' })
  const mute = hearer({}, { client: clientOf({ session: 'two' }) })
  const answering = hearer({}, { client, ask: () => Promise.resolve('"result":{"roots":[]}' as Reply) })
  await transport.watch(answering, callerOf()).update(answering.interests)
  await transport.watch(mute, callerOf()).update(mute.interests)
  const [first, second] = server.streams
  first?.event({ id: 'q1', method: 'roots/list' })
  second?.event({ id: 'q2', method: 'roots/list' })
  second?.event({ id: 'q3', method: 'ping' })
  const [one, two, three] = [await server.reply('q1'), await server.reply('q2'), await server.reply('q3')]
  expect(one.text).toBe('{"jsonrpc":"2.0","id":"q1","result":{"roots":[]}}')
  expect(one.session).toBe(first?.session)
  expect(JSON.parse(two.text)).toMatchObject({ id: 'q2', error: { code: -32601 } })
  expect(three.text).toBe('{"jsonrpc":"2.0","id":"q3","result":{}}')
  expect(mute.asked).toEqual([])
})

test('who comes back while the last one is leaving is subscribed all the same', async () => {
  await using scene = await createHttpScene()
  const held: Call[] = []
  const methods = { 'resources/unsubscribe': (one: Call) => void held.push(one) }
  await using server = await startHttpServer({ era: 'legacy', methods })
  const transport = scene.open(server.url)
  const heard = hearer({ uris: ['test://a'] })
  const first = transport.watch(heard, callerOf())
  await first.update(heard.interests)
  first.close()
  await until(() => held.length === 1)
  const again = transport.watch(heard, callerOf())
  const taken = again.update(heard.interests)
  held[0]?.result()
  expect(await taken).toEqual(heard.interests)
  expect(urisOf(server, 'resources/subscribe')).toHaveLength(2)
})

test('headers that come with the first event only hold up no subscription', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy', get: () => {} })
  const heard = hearer({ uris: ['test://a'] })
  const watching = scene.open(server.url).watch(heard, callerOf())
  expect(await watching.update(heard.interests)).toEqual(heard.interests)
  server.streams[0]?.stream()
  server.tell({ method: UPDATED, params: { uri: 'test://a' } })
  await until(() => heard.told.length === 1)
})

test('a server that speaks both is listened to in the era of the client', async () => {
  await using scene = await createHttpScene()
  await using everything = await startEverything({ port: 0 })
  const transport = scene.open(everything.url)
  for (const era of eras) {
    const client = era === 'legacy' ? clientOf({ session: 'one' }) : clientOf()
    const heard = hearer({ lists: ['tools'], uris: ['test://watched-resource'] }, { client })
    const watching = transport.watch(heard, callerOf())
    expect(await watching.update(heard.interests)).toEqual(heard.interests)
    await transport.send(toolCall('touch_resource', {}, { era, client }), callerOf())
    await transport.send(toolCall('test_trigger_tool_change', {}, { era, client }), callerOf())
    await until(() => heard.told.length >= 2)
    expect(methodsOf(heard)).toEqual(expect.arrayContaining([UPDATED, TOOLS]))
    watching.close()
  }
})

test.for(eras)('%s: a flood outside of any call is slowed down', async (era) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era })
  const heard = hearer({ lists: ['tools'] })
  await scene.open(server.url).watch(heard, callerOf()).update(heard.interests)
  const begun = performance.now()
  for (let count = 0; count < 20_000; count++) server.tell({ method: TOOLS })
  await until(() => heard.told.length === 20_000)
  // Of each fifty milliseconds, a few hundred messages.
  expect(performance.now() - begun).toBeGreaterThan(500)
})
