import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { textAt } from '../../../../scripts/lib/admin.ts'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { addPerson, childServer, doorOf, filesOf, personalServer, runs, tokenOf, until } from './place.ts'
import { freshDataDir } from './stopped.ts'
import { startScripted, type Answer, type Asked } from './scripted.ts'
import { call, namesOf, said, send, statusOf, textFrom } from './wire.ts'

const withToken = { TOKEN: { $userToken: '{{token}}' } }

/** What the gate has said is done. */
interface Acknowledged {
  readonly users: Set<string>
  /** Whose each key is. */
  readonly keys: Map<string, string>
  readonly revoked: Set<string>
  /** The token of each user. */
  readonly tokens: Map<string, string>
  readonly removed: Set<string>
}

/** Changes one thing after another until the gate is gone; what it answered with success is acknowledged. */
async function changeUntilGone(gate: Gate, writer: string, done: Acknowledged): Promise<void> {
  for (let count = 0; ; count++) {
    const user = `${writer}-${count}`
    try {
      if ((await gate.admin('POST', '/admin/api/users', { name: user })).status !== 201) return
      done.users.add(user)
      const { body, status } = await gate.admin('POST', '/admin/api/keys', { user })
      if (status !== 201) return
      const [key, id] = [textAt(body, 'key'), textAt(Reflect.get(body as object, 'record'), 'id')]
      done.keys.set(key, user)
      const token = `token-of-${user}`
      if ((await gate.admin('PUT', '/admin/api/tokens/http', { user, token })).status !== 204) return
      done.tokens.set(user, token)
      if (count % 3 === 1) await revoke(gate, key, id, done)
      if (count % 3 === 2) await removeToken(gate, user, done)
    } catch {
      return
    }
  }
}

/** Whether a change that was cut off happened is not known, so nothing is expected of it until it is answered. */
async function revoke(gate: Gate, key: string, id: string, done: Acknowledged): Promise<void> {
  done.keys.delete(key)
  if ((await gate.admin('DELETE', `/admin/api/keys/${id}`)).status === 204) done.revoked.add(key)
}

async function removeToken(gate: Gate, user: string, done: Acknowledged): Promise<void> {
  done.tokens.delete(user)
  if ((await gate.admin('DELETE', `/admin/api/tokens/http?user=${user}`)).status === 204) done.removed.add(user)
}

async function expectKept(gate: Gate, done: Acknowledged): Promise<void> {
  const { body } = await gate.admin('GET', '/admin/api/users')
  const users = new Set((body as { users: { name: string }[] }).users.map(({ name }) => name))
  expect([...done.users].filter((name) => !users.has(name))).toEqual([])
  const listed = await gate.admin('GET', '/admin/api/tokens')
  const tokens = new Set((listed.body as { tokens: { user: string }[] }).tokens.map(({ user }) => user))
  expect([...done.tokens.keys()].filter((user) => !tokens.has(user))).toEqual([])
  expect([...done.removed].filter((user) => tokens.has(user))).toEqual([])

  const kept = [...done.keys].filter(([, user]) => done.tokens.has(user))
  for (const [key, user] of kept) {
    const headers = await textFrom(doorOf(gate, { key }), 'http__echo_headers')
    expect(headers).toContain(`"Bearer ${done.tokens.get(user)}"`)
  }
  const statuses = (keys: Iterable<string>) =>
    Promise.all([...keys].map(async (key) => (await send(doorOf(gate, { key }), 'server/discover')).status))
  expect((await statuses(done.keys.keys())).filter((status) => status !== 200)).toEqual([])
  expect((await statuses(done.revoked)).filter((status) => status !== 401)).toEqual([])
}

test('kill -9 at any moment loses no user, key, token, revocation or removal that was answered', async () => {
  using place = freshDataDir()
  await using everything = await startEverything({ port: 0 })
  const options = { config: { mcpServers: { http: personalServer(everything.url) } }, dataDir: place.dataDir }
  const done: Acknowledged = {
    users: new Set(),
    keys: new Map(),
    revoked: new Set(),
    tokens: new Map(),
    removed: new Set(),
  }
  for (let round = 0; round < 4; round++) {
    await using gate = await startGate(options)
    await expectKept(gate, done)
    const writers = ['a', 'b', 'c'].map((name) => changeUntilGone(gate, `${name}${round}`, done))
    await pause(40 + Math.random() * 260)
    await gate.kill('SIGKILL')
    await Promise.all(writers)
  }
  await using gate = await startGate(options)
  expect(done.users.size).toBeGreaterThan(10)
  await expectKept(gate, done)
})

test('children that a killed gate left behind are ended at the next start, and start anew when they are called', async () => {
  using place = freshDataDir()
  const stubborn = childServer({ ...withToken, STUBBORN: 'yes' })
  const options = { config: { mcpServers: { own: stubborn } }, dataDir: place.dataDir }
  await using killed = await startGate(options)
  const people = [await addPerson(killed, 'ada', ['own']), await addPerson(killed, 'bob', ['own'])]
  const pidOf = async (gate: Gate, { key }: { key: string }): Promise<number> => {
    const self: { pid: number } = JSON.parse(await textFrom(doorOf(gate, { key }, 'modern', 'own'), 'whoami'))
    return self.pid
  }
  const left = await Promise.all(people.map((person) => pidOf(killed, person)))
  await killed.kill('SIGKILL')
  expect(left.filter(runs)).toEqual(left)

  await using gate = await startGate(options)
  expect(left.filter(runs)).toEqual([])
  for (const person of people) expect(left).not.toContain(await pidOf(gate, person))
})

test('a second gate on the same data directory is refused with the way out, and changes nothing for the first', async () => {
  using place = freshDataDir()
  const options = { config: { mcpServers: { own: childServer(withToken) } }, dataDir: place.dataDir }
  await using gate = await startGate(options)
  const ada = await addPerson(gate, 'ada', ['own'])
  const door = doorOf(gate, ada, 'modern', 'own')
  const before = await textFrom(door, 'whoami')
  const rootKey = filesOf(place.dataDir).get(join(place.dataDir, 'root.key'))

  await expect(startGate(options)).rejects.toThrow(
    /Another gate is running on .*sekisho\.db\.\nStop it first, or give this one a data directory of its own with SEKISHO_DATA\./,
  )
  expect(await textFrom(door, 'whoami')).toBe(before)
  expect((await gate.admin('GET', '/admin/api/users')).status).toBe(200)
  expect(filesOf(place.dataDir).get(join(place.dataDir, 'root.key'))).toEqual(rootKey)
})

test('a second gate that would show demonstration servers is refused too, and leaves nothing running', async () => {
  using place = freshDataDir()
  await using _gate = await startGate({ dataDir: place.dataDir })
  const second = startGate({ dataDir: place.dataDir, firstRun: true })
  await expect(second).rejects.toThrow(/^The gate ended[^]*Another gate is running/)
})

test('a wrong, malformed or missing root key stops the start with the reason, and changes no byte', async () => {
  using place = freshDataDir()
  await using everything = await startEverything({ port: 0 })
  const config = { mcpServers: { http: personalServer(everything.url) } }
  const right = { SEKISHO_ROOT_KEY: randomBytes(32).toString('base64') }
  const first = await startGate({ config, dataDir: place.dataDir, env: right })
  const ada = await addPerson(first, 'ada', ['http'])
  await first.stop()
  const before = filesOf(place.dataDir)

  const start = (env: Record<string, string>) => startGate({ config, dataDir: place.dataDir, env })
  const wrong = { SEKISHO_ROOT_KEY: randomBytes(32).toString('base64') }
  await expect(start(wrong)).rejects.toThrow(
    /The root key from SEKISHO_ROOT_KEY does not open this database\. Nothing was changed\.\nUse the root key this database was made with\./,
  )
  await expect(start({ SEKISHO_ROOT_KEY: 'too-short' })).rejects.toThrow(/SEKISHO_ROOT_KEY is not 32 bytes in base64/)
  await expect(start({})).rejects.toThrow(/root key is not at .*root\.key, (?:nor in|and) the keyring/)
  expect(filesOf(place.dataDir)).toEqual(before)

  await using again = await start(right)
  expect(await textFrom(doorOf(again, ada), 'http__echo_headers')).toContain(tokenOf('ada', 'http'))
})

/** A server with one tool, `greet`, whose list is public. */
function greeter({ method }: Asked): Answer {
  if (method === 'server/discover')
    return { result: '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}' }
  if (method === 'tools/list') return { result: '{"resultType":"complete","tools":[{"name":"greet"}]}' }
  return { result: '{"resultType":"complete","content":[{"type":"text","text":"hello"}]}' }
}

test('after a restart the tools of servers that are down are listed as last known, calls and sekisho_status say why, and the rest works', async () => {
  using place = freshDataDir()
  const broken = join(place.dataDir, '..', 'broken')
  const upstream = await startScripted(greeter)
  const config = {
    mcpServers: { remote: { url: upstream.url }, child: childServer({ FAIL_IF_THERE: broken }), well: childServer() },
  }
  const before = await startGate({ config, dataDir: place.dataDir })
  const ada = await addPerson(before, 'ada')
  const names = await namesOf(doorOf(before, ada))
  expect(names).toEqual(expect.arrayContaining(['remote__greet', 'child__whoami', 'well__whoami']))
  await before.stop()
  await upstream.close()
  writeFileSync(broken, '')

  await using gate = await startGate({ config, dataDir: place.dataDir })
  const door = doorOf(gate, ada)
  expect(await namesOf(door)).toEqual(names)
  expect(said(await call(door, 'remote__greet'))).toContain('remote cannot be reached.')
  expect(said(await call(door, 'child__whoami'))).toContain('child did not start. See `sekisho logs child`')
  expect(JSON.parse(await textFrom(door, 'well__whoami'))).toMatchObject({ pid: expect.any(Number) })
  const status = await statusOf(door)
  expect(status.get('remote')).toMatchObject({ state: 'unavailable', tools: 1, reason: 'remote cannot be reached.' })
  expect(status.get('child')).toMatchObject({ state: 'unavailable', reason: 'child did not start.' })
  expect(status.get('well')).toMatchObject({ state: 'ready' })

  // Once it is back, it is used again without anybody's help.
  await using _ = await startScripted(greeter, Number(new URL(upstream.url).port))
  await until(async () => (await statusOf(door)).get('remote')?.state === 'ready')
  expect(await textFrom(door, 'remote__greet')).toBe('hello')
})

const LONGEST = 2_147_483_647

test.for([600_000, LONGEST])(
  'a gate that is told to stop lets the call under way end, and waits for no connection that only stands open, with %i ms',
  async (drainMs) => {
    await using everything = await startEverything({ port: 0 })
    await using gate = await startGate({
      config: { mcpServers: { http: { url: everything.url } }, timeouts: { drainMs } },
    })
    const ada = await addPerson(gate, 'ada')
    const door = doorOf(gate, ada, 'modern', 'http')
    const unused = connect(Number(new URL(gate.url).port), '127.0.0.1')
    await once(unused, 'connect')
    const slow = textFrom(door, 'slow', { ms: 1_000, label: 'last' })
    await until(async () => (await textFrom(door, 'slow_calls')).includes('running'))

    const ending = gate.stop()
    expect(await slow).toBe('Answered after 1000 ms')
    expect(await ending).toEqual({ code: 0, signal: null })
  },
)
