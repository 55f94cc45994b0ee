import { expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { textAt } from '../../../../scripts/lib/admin.ts'
import type { TenantId, UserId } from '../../src/base/ids.ts'
import { addPerson, childServer, doorOf, runs, tokenOf, until } from './place.ts'
import { changeDatabase, freshDataDir } from './stopped.ts'
import { call, errorOf, namesOf, said, send, textFrom, type Door, type Reply } from './wire.ts'

const withToken = { TOKEN: { $userToken: '{{token}}' } }

async function keysOf(gate: Gate, user: string): Promise<string[]> {
  const { body } = await gate.admin('GET', `/admin/api/keys?user=${user}`)
  return (body as { keys: { id: string }[] }).keys.map(({ id }) => id)
}

function expectRefused({ status, headers, bytes }: Reply): void {
  expect(status).toBe(401)
  expect(headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", scope="mcp", resource_metadata="http/)
  expect(JSON.parse(bytes.toString())).toMatchObject({ error: { data: { code: 'auth.invalid' } } })
}

test('a revoked key is refused from the moment its revocation is answered, and the user’s other keys go on', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } } })
  const ada = await addPerson(gate, 'ada')
  const other = await gate.admin('POST', '/admin/api/keys', { user: 'ada' })
  const [first = ''] = await keysOf(gate, 'ada')
  const door = doorOf(gate, ada, 'modern', 'own')
  await textFrom(door, 'whoami')

  expect((await gate.admin('DELETE', `/admin/api/keys/${first}`)).status).toBe(204)
  expectRefused(await send(door, 'tools/call', { name: 'whoami', arguments: {} }))
  expectRefused(await send({ ...door, era: 'legacy' }, 'tools/list'))
  await textFrom({ ...door, key: textAt(other.body, 'key') }, 'whoami')
})

test('an expired key opens nothing', async () => {
  using place = freshDataDir()
  const config = { mcpServers: { own: childServer() } }
  const before = await startGate({ config, dataDir: place.dataDir })
  const ada = await addPerson(before, 'ada')
  await before.stop()
  await changeDatabase(place.dataDir, ({ for: of }) =>
    of('ten_default' as TenantId)
      .updateTable('api_keys')
      .set({ expires_at: Date.now() - 1 })
      .where('user_id', '=', ada.id as UserId)
      .execute(),
  )
  await using gate = await startGate({ config, dataDir: place.dataDir })
  const replies = [
    await send(doorOf(gate, ada), 'tools/list'),
    await send(doorOf(gate, ada, 'modern', 'own'), 'tools/list'),
  ]
  replies.forEach(expectRefused)
  expect(replies).toHaveLength(2)
})

test('a key of another gate, a cut one and no key at all open nothing, and each is told what to send', async () => {
  const config = { mcpServers: { own: childServer() } }
  await using elsewhere = await startGate({ config })
  await using gate = await startGate({ config })
  const [foreign, own] = [await addPerson(elsewhere, 'ada'), await addPerson(gate, 'ada')]

  expectRefused(await send(doorOf(gate, foreign), 'tools/list'))
  expectRefused(await send(doorOf(gate, { key: own.key.slice(0, -1) }), 'tools/list'))
  const nameless = await send(doorOf(gate, own), 'tools/list', {}, { headers: { Authorization: 'Basic YWRhOmFkYQ==' } })
  expect([nameless.status, nameless.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringMatching(/^Bearer scope="mcp", resource_metadata="http/),
  ])
  expect(await namesOf(doorOf(gate, own))).toContain('own__whoami')
})

test('a key for one server is refused at every other with the scope it lacks, and sees only that one on /mcp', async () => {
  await using gate = await startGate({ config: { mcpServers: { one: childServer(), two: childServer() } } })
  const ada = { name: 'ada', ...(await gate.addUser('ada', { scopes: ['mcp:one'] })) }

  await textFrom(doorOf(gate, ada, 'modern', 'one'), 'whoami')
  const refused = await send(doorOf(gate, ada, 'modern', 'two'), 'tools/call', { name: 'whoami', arguments: {} })
  expect(refused.status).toBe(403)
  expect(refused.headers.get('www-authenticate')).toMatch(
    /^Bearer error="insufficient_scope", scope="mcp:two", resource_metadata="http[^"]+\/mcp\/two"$/,
  )

  const names = await namesOf(doorOf(gate, ada))
  expect(names).toContain('one__whoami')
  expect(names.filter((name) => name.startsWith('two'))).toEqual([])
  const unknown = await send(doorOf(gate, ada), 'tools/call', { name: 'two__whoami', arguments: {} })
  expect(errorOf(unknown).message).toBe('Unknown tool: two__whoami.')
})

test('a key without the scope mcp is refused on /mcp with the scope it lacks', async () => {
  await using gate = await startGate()
  const { key } = await gate.addUser('ada', { scopes: ['metrics'] })
  const refused = await send(doorOf(gate, { key }), 'tools/list')
  expect(refused.status).toBe(403)
  expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer error="insufficient_scope", scope="mcp", /)
})

test('the call after a token was replaced uses the new one, and no child with the old one lives on', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const ada = await addPerson(gate, 'ada', ['own'])
  const door = doorOf(gate, ada, 'modern', 'own')
  const old = await tokenIn(door)
  expect(old.token).toBe(tokenOf('ada', 'own'))

  await gate.setToken('ada', 'own', 'a-newer-token')
  const next = await tokenIn(door)
  expect(next.token).toBe('a-newer-token')
  await until(() => !runs(old.pid))
  expect(runs(next.pid)).toBe(true)
})

test('the call after a token was removed explains how to set one, and the child with it ends', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const ada = await addPerson(gate, 'ada', ['own'])
  const door = doorOf(gate, ada)
  const { pid } = await tokenIn(doorOf(gate, ada, 'modern', 'own'))
  expect(await namesOf(door)).toContain('own__whoami')

  expect((await gate.admin('DELETE', '/admin/api/tokens/own?user=ada')).status).toBe(204)
  const refused = await call(door, 'own__whoami')
  expect(refused.isError).toBe(true)
  expect(said(refused)).toMatch(/needs your own own token.*sekisho token set own/)
  expect(await namesOf(door)).toEqual(['sekisho_status'])
  await until(() => !runs(pid))
})

test('a call that is under way when its token is replaced still ends, with the token it began with', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer(withToken) } } })
  const ada = await addPerson(gate, 'ada', ['own'])
  const door = doorOf(gate, ada, 'modern', 'own')
  const old = await tokenIn(door)
  const slow = call(door, 'release_after', { milliseconds: 300 })
  await until(async () => (await childrenOf(gate)).some(({ pending }) => pending === 1))

  await gate.setToken('ada', 'own', 'a-newer-token')
  expect((await tokenIn(door)).token).toBe('a-newer-token')
  expect(said(await slow)).toBe(`released by ${tokenOf('ada', 'own')}`)
  await until(() => !runs(old.pid))
})

async function tokenIn(door: Door): Promise<{ pid: number; token: string }> {
  const self: { pid: number; env: { TOKEN: string } } = JSON.parse(await textFrom(door, 'whoami'))
  return { pid: self.pid, token: self.env.TOKEN }
}

async function childrenOf(gate: Gate): Promise<readonly { pending: number }[]> {
  const { body } = await gate.admin('GET', '/admin/api/status')
  return (body as { children: { pending: number }[] }).children
}
