import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { failureOf, until } from './children-harness.ts'
import {
  ADA,
  callEcho,
  callerOf,
  clientOf,
  createHttpScene,
  eras,
  hearer,
  interestsIn,
  listens,
  methodsOf,
  PERSONAL,
  PROMPTS,
  tokenOf,
  TOOLS,
  UPDATED,
  urisOf,
} from './http-scene.ts'
import { startHttpServer, type Call } from './http-server.ts'

test.for(eras)('%s: a stream that is lost is opened again, and everybody is told to look again', async (era) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era })
  const transport = scene.open(server.url)
  const heard = hearer({ lists: ['tools', 'prompts'], uris: ['test://a'] })
  const other = hearer({ lists: ['tools'] })
  await transport.watch(heard, callerOf()).update(heard.interests)
  await transport.watch(other, callerOf()).update(other.interests)
  const before = listens(server, era).length
  server.cut()
  await until(() => other.told.length > 0 && heard.told.length === 3)
  expect(methodsOf(heard)).toEqual([TOOLS, PROMPTS, UPDATED])
  expect(methodsOf(other)).toEqual([TOOLS])
  expect(scene.noted).toEqual(expect.arrayContaining([`${ADA} ${TOOLS}`, `${ADA} ${PROMPTS}`]))
  expect(listens(server, era)).toHaveLength(before + 1)
  server.tell({ method: TOOLS })
  await until(() => other.told.length === 2)
})

test('one that cannot be had is tried again after pauses that grow', async () => {
  await using scene = await createHttpScene()
  const times: number[] = []
  const get = (one: Call) => {
    times.push(performance.now())
    if (times.length < 3) one.response.writeHead(503).end()
    else one.stream()
  }
  await using server = await startHttpServer({ era: 'legacy', get })
  const heard = hearer({ lists: ['tools'] })
  scene.open(server.url, { pauses: {} }).watch(heard, callerOf())
  await until(() => heard.told.length === 1)
  const [first = 0, second = 0, third = 0] = times
  expect(second - first).toBeGreaterThanOrEqual(990)
  expect(third - second).toBeGreaterThanOrEqual(1_990)
})

test('a server that wants to be polled is asked again when it says, after its last event, and nothing is made up', async () => {
  await using scene = await createHttpScene()
  const times: number[] = []
  const get = (one: Call) => {
    times.push(performance.now())
    one.stream()
    one.event(undefined, { id: `e-${times.length}`, retry: 150 })
    if (times.length < 4) return void one.response.end()
    one.event({ method: TOOLS, params: { own: 1 } }, { id: 'e-last' })
  }
  await using server = await startHttpServer({ era: 'legacy', get })
  const heard = hearer({ lists: ['tools'] })
  const watching = scene.open(server.url).watch(heard, callerOf())
  // What is subscribed to in between brings nothing forward.
  expect(await watching.update(interestsIn(['tools'], ['test://a']))).toEqual(interestsIn(['tools'], ['test://a']))
  await until(() => heard.told.length === 1)
  server.tell({ method: TOOLS, params: { own: 2 } })
  await until(() => heard.told.length === 2)
  expect(heard.told.map(({ text }) => JSON.parse(text).params)).toEqual([{ own: 1 }, { own: 2 }])
  expect(server.of('GET').map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'e-1', 'e-2', 'e-3'])
  for (const [at, time] of times.entries()) expect(time - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(149)
})

test('who cannot be gone on with after an event is begun with anew', async () => {
  await using scene = await createHttpScene()
  const get = (one: Call) => {
    if (one.headers['last-event-id'] !== undefined) return one.response.writeHead(400).end()
    one.stream()
    return one.event({ method: PROMPTS }, { id: 'e-1' })
  }
  await using server = await startHttpServer({ era: 'legacy', get })
  const heard = hearer({ lists: ['tools'] })
  await scene.open(server.url).watch(heard, callerOf()).update(heard.interests)
  await until(() => scene.noted.length > 0)
  server.cut()
  await until(() => heard.told.length === 1)
  expect(server.of('GET')).toHaveLength(3)
  expect(server.of('initialize')).toHaveLength(1)
})

test('a server that was restarted is subscribed to again, and told the level again', async () => {
  await using scene = await createHttpScene()
  const { port, url } = await (async () => {
    await using free = await startHttpServer({ era: 'legacy' })
    return free
  })()
  const heard = hearer(
    { lists: ['tools'], uris: ['test://a'] },
    { client: clientOf({ session: 'one', logLevel: 'info' }) },
  )
  const transport = scene.open(url)
  {
    await using server = await startHttpServer({ era: 'legacy', port })
    await transport.watch(heard, callerOf()).update(heard.interests)
    expect(urisOf(server, 'resources/subscribe')).toEqual(['test://a'])
    expect(server.of('logging/setLevel')).toHaveLength(1)
  }
  await using successor = await startHttpServer({ era: 'legacy', port })
  await until(() => heard.told.length === 2)
  expect(urisOf(successor, 'resources/subscribe')).toEqual(['test://a'])
  expect(successor.of('logging/setLevel').length).toBeGreaterThan(0)
  expect(successor.of('initialize')).toHaveLength(1)
  expect(await scene.rows()).toHaveLength(1)
})

test('where a call finds the session lost, its watchers move along at once', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const client = clientOf({ session: 'one' })
  const heard = hearer({ lists: ['tools'], uris: ['test://a'] }, { client })
  await transport.watch(heard, callerOf()).update(heard.interests)
  server.sessions.clear()
  await callEcho(transport, client)
  await until(() => heard.told.length === 2 && server.streams.length === 1)
  expect(urisOf(server, 'resources/subscribe')).toEqual(['test://a', 'test://a'])
  expect(server.of('resources/subscribe')[1]?.session).toBe([...server.sessions][0])
  expect(server.streams[0]?.session).toBe([...server.sessions][0])
})

test('while the server is away nothing can be had, but what was wanted before still is when it is back', async () => {
  await using scene = await createHttpScene()
  const away = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(away.url)
  const heard = hearer({ lists: ['tools'] })
  const watching = transport.watch(heard, callerOf())
  await watching.update(heard.interests)
  await away[Symbol.asyncDispose]()
  const failure = await failureOf(watching.update(interestsIn([], ['test://a'])))
  expect(failure.code).toMatch(/^upstream\./)
  await using server = await startHttpServer({ era: 'legacy', port: away.port })
  await until(() => heard.told.length === 1)
  expect(methodsOf(heard)).toEqual([TOOLS])
  expect(server.of('resources/subscribe')).toEqual([])
})

test('two processes listen at one server, though it has one stream for each session', async () => {
  await using scene = await createHttpScene()
  const taken = new Set<string | undefined>()
  const get = (one: Call) => {
    if (taken.has(one.session)) return one.response.writeHead(409).end()
    taken.add(one.session)
    return one.stream()
  }
  await using server = await startHttpServer({ era: 'legacy', get })
  const [first, second] = [scene.open(server.url), scene.open(server.url)]
  const [mine, yours] = [hearer({ lists: ['tools'] }), hearer({ lists: ['tools'], uris: ['test://a'] })]
  await first.watch(mine, callerOf()).update(mine.interests)
  const watching = second.watch(yours, callerOf())
  expect((await watching.update(yours.interests)).uris).toEqual(new Set(['test://a']))
  await until(() => server.streams.length === 2)
  server.tell({ method: TOOLS })
  await until(() => mine.told.length === 1 && yours.told.length === 1)
  // What nobody else knows of ends with those for whom it was opened.
  watching.close()
  await until(() => server.of('DELETE').length === 1)
  expect(server.sessions.size).toBe(1)
})

test.for(eras)('%s: with a credential that is gone nothing is heard; who gets another goes on', async (era) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const client = (session: string) => ({ client: clientOf({ session }) })
  const gone = hearer({ lists: ['tools'] }, client('one'))
  const renew = () => Promise.resolve(callerOf(ADA, tokenOf('second')))
  const goesOn = hearer({ lists: ['tools'] }, { ...client('two'), renew })
  const caller = callerOf(ADA, tokenOf('first'))
  const watchings = [gone, goesOn].map((one) => transport.watch(one, caller))
  for (const one of watchings) await one.update(interestsIn(['tools']))
  await transport.forget(caller)
  expect((await failureOf((watchings[0] as (typeof watchings)[0]).update(interestsIn(['tools'])))).code).toBe(
    'upstream.unreachable',
  )
  await until(() => goesOn.told.length === 1)
  expect(listens(server, era).at(-1)?.headers.authorization).toBe('Bearer second')
  server.tell({ method: TOOLS })
  await until(() => goesOn.told.length === 2)
  expect(gone.told).toEqual([])
})

test.for(eras)('%s: a credential that the server refuses is replaced by another, where there is one', async (era) => {
  await using scene = await createHttpScene()
  let refuses = false
  const listening: Call[] = []
  const listen = (one: Call) => {
    listening.push(one)
    if (refuses && one.headers.authorization === 'Bearer first') return one.response.writeHead(401).end()
    one.stream()
    const params = { notifications: { toolsListChanged: true } }
    return era === 'modern' ? one.event({ method: 'notifications/subscriptions/acknowledged', params }) : undefined
  }
  await using server = await startHttpServer({ era, get: listen, methods: { 'subscriptions/listen': listen } })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const renew = () => Promise.resolve(callerOf(ADA, tokenOf('second')))
  const heard = hearer({ lists: ['tools'] }, { renew })
  await transport.watch(heard, callerOf(ADA, tokenOf('first'))).update(heard.interests)
  refuses = true
  for (const { response } of listening) response.destroy()
  await until(() => heard.told.length === 1)
  expect(listens(server, era).at(-1)?.headers.authorization).toBe('Bearer second')
})

test('a request to listen that is taken only after its credential is gone is not listened to', async () => {
  await using scene = await createHttpScene()
  const listening: Call[] = []
  const take = (one: Call) => {
    const params = { notifications: { toolsListChanged: true } }
    one.event({ method: 'notifications/subscriptions/acknowledged', params })
  }
  const listen = (one: Call) => {
    listening.push(one)
    one.stream()
    if (one.headers.authorization === 'Bearer second') take(one)
  }
  await using server = await startHttpServer({ era: 'modern', methods: { 'subscriptions/listen': listen } })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const heard = hearer({ lists: ['tools'] }, { renew: async () => callerOf(ADA, tokenOf('second')) })
  const caller = callerOf(ADA, tokenOf('first'))
  transport.watch(heard, caller)
  await until(() => listening.length === 1)
  await transport.forget(caller)
  listening.forEach(take)
  await until(() => listening.length === 2 && listening[0]?.hungUp === true)
  expect(listening[1]?.headers.authorization).toBe('Bearer second')
  await until(() => heard.told.length === 1)
  listening[1]?.event({ method: TOOLS })
  await until(() => heard.told.length === 2)
})

test('what is subscribed to while its credential goes is subscribed to with the next', async () => {
  await using scene = await createHttpScene()
  const subscribing: Call[] = []
  const subscribe = (one: Call) => {
    subscribing.push(one)
    if (one.headers.authorization === 'Bearer second') one.result()
  }
  await using server = await startHttpServer({ era: 'legacy', methods: { 'resources/subscribe': subscribe } })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const heard = hearer({ uris: ['test://a'] }, { renew: async () => callerOf(ADA, tokenOf('second')) })
  const caller = callerOf(ADA, tokenOf('first'))
  transport.watch(heard, caller)
  await until(() => subscribing.length === 1)
  await transport.forget(caller)
  subscribing[0]?.result()
  await until(() => subscribing.length === 2)
  expect(subscribing[1]?.headers.authorization).toBe('Bearer second')
})

test.for(eras)('%s: a credential that goes while it is fetched is used by nobody', async (era) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era })
  const transport = scene.open(server.url, { headers: PERSONAL })
  const fetching: PromiseWithResolvers<string>[] = []
  const renew = async () => {
    const fetched = Promise.withResolvers<string>()
    fetching.push(fetched)
    return callerOf(ADA, tokenOf(await fetched.promise))
  }
  const heard = hearer({ lists: ['tools'] }, { renew })
  const caller = callerOf(ADA, tokenOf('first'))
  await transport.watch(heard, caller).update(heard.interests)
  await transport.forget(caller)
  await until(() => fetching.length === 1)
  await transport.forget(caller)
  fetching[0]?.resolve('second')
  await until(() => fetching.length === 2)
  fetching[1]?.resolve('third')
  await until(() => listens(server, era).length === 2)
  const sent = new Set(server.seen.map(({ headers }) => headers.authorization))
  expect([...sent]).toEqual(['Bearer first', 'Bearer third'])
})

test('with the session of a client ends what it heard, and nothing is opened again', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const transport = scene.open(server.url)
  const one = hearer({ lists: ['tools'] }, { client: clientOf({ session: 'one' }) })
  const two = hearer({ lists: ['tools'] }, { client: clientOf({ session: 'two' }) })
  for (const each of [one, two]) await transport.watch(each, callerOf()).update(each.interests)
  await transport.forgetSession('one', callerOf())
  await until(() => server.streams.length === 1)
  await pause(400)
  server.tell({ method: TOOLS })
  await until(() => two.told.length === 1)
  expect(one.told).toEqual([])
  expect([server.sessions.size, server.of('initialize').length]).toEqual([1, 2])
})

test('a process that goes leaves the session as it is for the next', async () => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'legacy' })
  const first = scene.open(server.url)
  const heard = hearer({ uris: ['test://a'] })
  await first.watch(heard, callerOf()).update(heard.interests)
  await first.close()
  await until(() => server.streams.length === 0)
  expect([server.of('DELETE'), server.of('resources/unsubscribe')]).toEqual([[], []])
})
