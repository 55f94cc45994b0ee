import { setTimeout as pause } from 'node:timers/promises'
import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { eras } from './eras.ts'
import { startScripted } from './scripted.ts'
import {
  addPerson,
  adminWith,
  childServer,
  doorOf,
  environmentOf,
  personalServer,
  referenceServer,
  runs,
  tokenOf,
  until,
  type Person,
} from './place.ts'
import { call, type Door, errorOf, namesOf, openSession, said, send, statusOf, tell, textFrom } from './wire.ts'

const withToken = { TOKEN: { $userToken: '{{token}}' } }

/** What a child knows of itself. */
interface Self {
  readonly pid: number
  readonly env: Readonly<Record<string, string>>
}

async function whoami(door: Door): Promise<Self> {
  return JSON.parse(await textFrom(door, 'whoami'))
}

test('hundreds of calls side by side, in both eras and at every address, each carry their own user’s secret', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({
    config: { mcpServers: { http: personalServer(everything.url), stdio: referenceServer(withToken) } },
  })
  const people = [await addPerson(gate, 'ada', ['http', 'stdio']), await addPerson(gate, 'bob', ['http', 'stdio'])]

  const kinds = people.flatMap((person) =>
    eras.flatMap((era) =>
      [
        { server: 'http', tool: 'echo_headers' },
        { server: 'stdio', tool: 'get-env' },
      ].flatMap(({ server, tool }) => [
        { person, server, door: doorOf(gate, person, era), tool: `${server}__${tool}` },
        { person, server, door: doorOf(gate, person, era, server), tool },
      ]),
    ),
  )
  const calls = Array.from({ length: 25 }, () => kinds).flat()
  expect(calls).toHaveLength(400)

  const seen = await inGroups(calls, 48, async ({ person, server, door, tool }, id) => ({
    wanted: tokenOf(person.name, server),
    found: [...new Set((await textFrom(door, tool, {}, { id })).match(/\w+-\w+-token-0123456789/g))],
  }))
  for (const { wanted, found } of seen) expect(found).toEqual([wanted])
})

async function inGroups<T, R>(
  all: readonly T[],
  size: number,
  work: (one: T, index: number) => Promise<R>,
): Promise<R[]> {
  const done: R[] = []
  for (let from = 0; from < all.length; from += size) {
    done.push(...(await Promise.all(all.slice(from, from + size).map((one, index) => work(one, from + index)))))
  }
  return done
}

test('each user has a child of their own, which holds nothing of anybody else’s', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const [ada, bob] = [await addPerson(gate, 'ada', ['own']), await addPerson(gate, 'bob', ['own'])]
  const [hers, his] = await Promise.all([ada, bob].map((person) => whoami(doorOf(gate, person, 'modern', 'own'))))

  expect(hers?.pid).not.toBe(his?.pid)
  expect(environmentOf(hers?.pid ?? 0).get('TOKEN')).toBe(tokenOf('ada', 'own'))
  expect([...environmentOf(his?.pid ?? 0).values()].join('\n')).not.toContain('ada')
  expect(await whoami(doorOf(gate, ada, 'legacy', 'own'))).toEqual(hers)
})

test('a list that depends on the user is shown to that user alone, and its tools are unknown to others', async () => {
  await using gate = await startGate({
    config: { mcpServers: { own: childServer({ PERSONAL_TOOL: { $userToken: 'of_{{token}}' } }) } },
  })
  const [ada, bob] = [await addPerson(gate, 'ada', ['own']), await addPerson(gate, 'bob', ['own'])]
  const tool = (person: Person) => `own__of_${tokenOf(person.name, 'own')}`

  for (const era of eras) {
    const [hers, his] = await Promise.all([ada, bob].map((person) => namesOf(doorOf(gate, person, era))))
    expect(hers).toContain(tool(ada))
    expect(hers).not.toContain(tool(bob))
    expect(his).toContain(tool(bob))
    expect(his).not.toContain(tool(ada))
    const refused = await send(doorOf(gate, bob, era), 'tools/call', { name: tool(ada), arguments: {} })
    expect(errorOf(refused).message).toBe(`Unknown tool: ${tool(ada)}.`)
  }
})

test('what a child writes to stderr is shown to its owner and the operator, and to no other administrator', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } } })
  const scopes = ['mcp', 'admin']
  const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => gate.addUser(name, { role: 'admin', scopes })))
  if (!ada || !bob) throw new Error('two users were added')
  await textFrom(doorOf(gate, ada), 'own__complain', { text: 'the diary of ada' })
  await textFrom(doorOf(gate, bob), 'own__complain', { text: 'the diary of bob' })

  expect(await adminWith({ url: gate.url, key: ada.key }, 'GET', '/admin/api/logs/own')).toEqual({
    status: 200,
    text: 'the diary of ada\n',
  })
  expect(await adminWith({ url: gate.url, key: bob.key }, 'GET', '/admin/api/logs/own')).toEqual({
    status: 200,
    text: 'the diary of bob\n',
  })
  for (const named of ['ada', ada.id]) {
    const refused = await adminWith({ url: gate.url, key: bob.key }, 'GET', `/admin/api/logs/own?user=${named}`)
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('auth.operator') })
    expect(refused.text).not.toContain('diary')
  }
  expect(await gate.admin('GET', '/admin/api/logs/own?user=ada')).toEqual({ status: 200, body: 'the diary of ada\n' })
})

test('a child that dies in the middle of one user’s call costs only that user’s calls', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } } })
  const [ada, bob] = [await addPerson(gate, 'ada'), await addPerson(gate, 'bob')]
  const [hers, his] = [doorOf(gate, ada), doorOf(gate, bob)]
  const hanging = { hers: call(hers, 'own__hang', { label: 'hers' }), his: call(his, 'own__hang', { label: 'his' }) }
  await until(async () => (await textFrom(hers, 'own__waiting')) === '["hers"]')
  await until(async () => (await textFrom(his, 'own__waiting')) === '["his"]')

  expect(said(await call(hers, 'own__die'))).toContain('ended before it answered')
  expect(said(await hanging.hers)).toContain('ended before it answered')
  await textFrom(his, 'own__release')
  expect(said(await hanging.his)).toBe('released his')
})

test('an upstream that refuses one user’s token fails that user’s calls only, also when both are its first callers', async () => {
  await using upstream = await startScripted(async ({ headers, method, id }) => {
    await pause(50)
    if (headers.authorization !== `Bearer ${tokenOf('bob', 'strict')}`) return { status: 401, body: '{}' }
    if (method === 'server/discover')
      return { result: '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}' }
    if (method === 'tools/list') return { result: '{"resultType":"complete","tools":[{"name":"open"}]}' }
    return { result: `{"resultType":"complete","content":[{"type":"text","text":"opened ${String(id)}"}]}` }
  })
  await using gate = await startGate({ config: { mcpServers: { strict: personalServer(upstream.url) } } })
  const [ada, bob] = [await addPerson(gate, 'ada', ['strict']), await addPerson(gate, 'bob', ['strict'])]
  const [hers, his] = [doorOf(gate, ada), doorOf(gate, bob)]

  const outcomes = await Promise.all([
    call(hers, 'strict__open', {}, { id: 1 }),
    call(his, 'strict__open', {}, { id: 2 }),
    call(hers, 'strict__open', {}, { id: 3 }),
    call(his, 'strict__open', {}, { id: 4 }),
  ])
  const words = outcomes.map(said)
  expect([words[1], words[3]]).toEqual(['opened 2', 'opened 4'])
  for (const refused of [words[0], words[2]]) expect(refused).toContain('strict refused the credential it was given')
  expect((await statusOf(his)).get('strict')).toMatchObject({ state: 'ready', tools: 1 })
  expect((await statusOf(hers)).get('strict')).toMatchObject({ state: 'unavailable' })
})

test('a missing token hides and explains a server for its user, and changes nothing for others', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const [ada, bob] = [await addPerson(gate, 'ada', ['own']), await addPerson(gate, 'bob')]

  for (const era of eras) {
    expect(await namesOf(doorOf(gate, bob, era))).toEqual(['sekisho_status'])
    expect(await namesOf(doorOf(gate, ada, era))).toContain('own__whoami')
    const refused = await call(doorOf(gate, bob, era), 'own__whoami')
    expect(refused.isError).toBe(true)
    expect(said(refused)).toMatch(/own needs your own own token and has none.*sekisho token set own/)
  }
  expect((await statusOf(doorOf(gate, bob))).get('own')).toMatchObject({ state: 'needs_token', tools: 0 })
  expect((await statusOf(doorOf(gate, ada))).get('own')).toMatchObject({ state: 'ready' })
})

test('nobody cancels the call of another, not even with its id and session, or in a child they share', async () => {
  await using gate = await startGate({ config: { mcpServers: { shared: childServer({}, { shared: true }) } } })
  const [ada, bob] = [await addPerson(gate, 'ada'), await addPerson(gate, 'bob')]
  const [hers, his] = [doorOf(gate, ada, 'legacy'), doorOf(gate, bob, 'legacy')]
  const [hersToo, hisOwn] = [await openSession(hers), await openSession(his)]
  const hang = (door: Door, label: string, headers: Record<string, string>) =>
    call(door, 'shared__hang', { label }, { id: 7, headers })
  const hanging = { hers: hang(hers, 'hers', hersToo), his: hang(his, 'his', hisOwn).catch(String) }
  await until(async () => (await waitingIn(hers)).length === 2)

  expect((await tell(his, 'notifications/cancelled', { requestId: 7 }, hersToo)).status).toBe(404)
  expect((await tell(his, 'notifications/cancelled', { requestId: 7 }, hisOwn)).status).toBe(202)
  await until(async () => (await textFrom(hers, 'shared__cancelled')) === '["his"]')
  expect(await waitingIn(hers)).toEqual(['hers'])
  await textFrom(hers, 'shared__release')
  expect(said(await hanging.hers)).toBe('released hers')
  expect(await hanging.his).toContain('The request was cancelled.')
})

async function waitingIn(door: Door): Promise<string[]> {
  return JSON.parse(await textFrom(door, 'shared__waiting'))
}

test('a client that hangs up stops its own call, and no other that waits in the same child', async () => {
  await using gate = await startGate({ config: { mcpServers: { shared: childServer({}, { shared: true }) } } })
  const [ada, bob] = [await addPerson(gate, 'ada'), await addPerson(gate, 'bob')]
  const [hers, his] = [doorOf(gate, ada), doorOf(gate, bob)]
  const impatience = new AbortController()
  const left = call(his, 'shared__hang', { label: 'his' }, { signal: impatience.signal }).catch(() => 'left')
  const stays = call(hers, 'shared__hang', { label: 'hers' })
  await until(async () => (await waitingIn(hers)).length === 2)

  impatience.abort()
  expect(await left).toBe('left')
  await until(async () => (await textFrom(hers, 'shared__cancelled')) === '["his"]')
  await textFrom(hers, 'shared__release')
  expect(said(await stays)).toBe('released hers')
})

test('a child is given PATH, HOME, TMPDIR, LANG and what its entry names, and nothing else of the gate’s', async () => {
  await using gate = await startGate({
    config: { mcpServers: { own: childServer({ ...withToken, NAMED: 'by the config' }) } },
    env: {
      SEKISHO_ROOT_KEY: Buffer.alloc(32, 7).toString('base64'),
      TMPDIR: '/tmp',
      LANG: 'C.UTF-8',
      CLOUD_SECRET: 'of the operator',
      NODE_OPTIONS: '--no-warnings',
    },
  })
  const ada = await addPerson(gate, 'ada', ['own'])
  const { pid, env } = await whoami(doorOf(gate, ada, 'modern', 'own'))

  const expected = ['HOME', 'LANG', 'NAMED', 'PATH', 'TMPDIR', 'TOKEN']
  expect([...environmentOf(pid).keys()].sort()).toEqual(expected)
  expect(Object.keys(env).sort()).toEqual(expected)
  expect(env).toMatchObject({ NAMED: 'by the config', TOKEN: tokenOf('ada', 'own') })
})

test('a removed user’s keys stop at once, their child ends, and nothing happens to anybody else', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const [ada, bob] = [await addPerson(gate, 'ada', ['own']), await addPerson(gate, 'bob', ['own'])]
  const [hers, his] = [doorOf(gate, ada, 'modern', 'own'), doorOf(gate, bob, 'modern', 'own')]
  const pids = { hers: (await whoami(hers)).pid, his: (await whoami(his)).pid }

  expect((await gate.admin('DELETE', '/admin/api/users/ada')).status).toBe(204)
  expect((await send(hers, 'tools/list')).status).toBe(401)
  await until(() => !runs(pids.hers))
  expect((await whoami(his)).pid).toBe(pids.his)
  expect(await listedTokens(gate)).toEqual(['bob own'])
})

async function listedTokens(gate: Gate): Promise<string[]> {
  const { body } = await gate.admin('GET', '/admin/api/tokens')
  const { tokens } = body as { tokens: { user: string; server: string }[] }
  return tokens.map(({ user, server }) => `${user} ${server}`)
}
