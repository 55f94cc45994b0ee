import { expect, test } from 'vitest'
import { adminRoutes, type AdminRoute } from '../../src/admin/routes.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { other } from '../stores/databases.ts'
import { administering, codeOf, openScene } from './scene.ts'

const rows: readonly (AdminRoute & { name: string })[] = Object.entries(adminRoutes).map(([name, row]) => ({
  name,
  ...row,
}))
const below = (path: string) => path.replace('/admin/api', '').replace(/\{\w+\}/, 'github')

test.for(rows.filter(({ who }) => who === 'administrator'))(
  'a member is kept out of $method $path',
  async ({ method, path }) => {
    await using scene = await openScene()
    const member = await scene.person('ada')
    expect(codeOf(await member.ask(method.toUpperCase(), below(path)))).toBe('403 auth.role')
  },
)

test.for(rows.filter(({ who }) => who === 'administrator'))(
  'an owner’s key without the scope admin is kept out of $method $path',
  async ({ method, path }) => {
    await using scene = await openScene()
    const owner = await scene.person('grace', { role: 'owner', scopes: ['mcp', 'metrics'] })
    expect(codeOf(await owner.ask(method.toUpperCase(), below(path)))).toBe('403 auth.forbidden')
  },
)

test('a member who was an admin is kept out at once, with the key of before', async () => {
  await using scene = await openScene()
  const admin = await scene.person('alan', administering)
  expect((await admin.ask('GET', '/users')).status).toBe(200)
  await scene.operator('PATCH', '/users/alan', { role: 'member' })
  expect(codeOf(await admin.ask('GET', '/users'))).toBe('403 auth.role')
})

test('whoever and whatever is of another tenant is unknown', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.setToken(ada.tenant, ada.id, 'ghp_TheTokenOfAda')
  await scene.connected.connect(ada.holder, 'tracker')
  const foreign = await scene.person('eve', { tenant: other, role: 'owner', scopes: ['mcp', 'admin'] })
  const attempts = [
    await foreign.ask('PATCH', `/users/${ada.id}`, { role: 'owner' }),
    await foreign.ask('DELETE', `/users/${ada.id}`),
    await foreign.ask('POST', '/keys', { user: ada.id }),
    await foreign.ask('GET', `/keys?user=${ada.id}`),
    await foreign.ask('PUT', '/tokens/github', { user: ada.id, token: 'ghp_TheTokenOfEve' }),
    await foreign.ask('GET', `/tokens?user=${ada.id}`),
    await foreign.ask('DELETE', `/tokens/github?user=${ada.id}`),
    await foreign.ask('GET', `/connections?user=${ada.id}`),
    await foreign.ask('DELETE', `/connections/tracker?user=${ada.id}`),
  ]
  expect(attempts.map(codeOf)).toEqual(Array(9).fill('404 user.unknown'))
  expect(codeOf(await foreign.ask('DELETE', `/keys/${ada.keyId}`))).toBe('404 key.unknown')
  expect((await foreign.ask('GET', '/users')).body).toMatchObject({ users: [{ name: 'eve' }] })
  expect((await foreign.ask('GET', '/tokens')).body).toEqual({ tokens: [] })
  expect((await foreign.ask('GET', '/connections')).body).toEqual({ connections: [] })
  expect(codeOf(await foreign.ask('DELETE', '/connections/tracker'))).toBe('404 connection.unknown')
  expect(await scene.connected.connections.list(ada.tenant, ada.id)).toHaveLength(1)
  expect(await scene.tokenOf(ada.tenant, ada.id)).toBe('ghp_TheTokenOfAda')
  expect(await scene.keys.verify(ada.key.reveal())).toBeDefined()
})

test('no request chooses its tenant', async () => {
  await using scene = await openScene()
  const eve = await scene.person('eve', { tenant: other, role: 'owner', scopes: ['admin'] })
  expect(codeOf(await eve.ask('POST', '/users', { name: 'mole', tenant: 'ten_default' }))).toBe('400 request.params')
  expect(codeOf(await eve.ask('GET', '/users?tenant=ten_default'))).toBe('400 request.params')
})

test.for([
  { body: { name: 'ada', rol: 'admin' }, says: 'rol' },
  { body: { name: 7 }, says: 'name' },
  { body: { name: 'ada', role: 'king' }, says: 'role' },
  { body: ['ada'], says: 'object' },
])('what does not fit is refused with its path: $body', async ({ body, says }) => {
  await using scene = await openScene()
  const answer = await scene.operator('POST', '/users', body)
  expect(codeOf(answer)).toBe('400 request.params')
  expect(answer.text).toContain(says)
  expect(await scene.users.list(DEFAULT_TENANT)).toEqual([])
})

test('a body that is not JSON, or does not say that it is, is refused', async () => {
  await using scene = await openScene()
  const send = async (body: string, type: string) => {
    const request = new Request('http://gate.invalid/admin/api/users', {
      method: 'POST',
      body,
      headers: { 'Content-Type': type },
    })
    return (await scene.app.fetch(request, { kind: 'operator', tenant: DEFAULT_TENANT })).json()
  }
  expect(await send('{"name":', 'application/json')).toMatchObject({ error: { code: 'request.params' } })
  expect(await send('{"name":"ada"}', 'text/plain')).toMatchObject({ error: { code: 'request.media_type' } })
})

test('a failure has the request’s id, which is in the header as well, and what to do', async () => {
  await using scene = await openScene()
  const { body, headers } = await scene.operator('DELETE', '/users/nobody')
  const requestId = headers.get('X-Request-Id')
  expect(requestId).toMatch(/\S/)
  expect(body).toMatchObject({ error: { details: { requestId, fix: 'See `sekisho user list`.' } } })
})

test('an address that is none is not found', async () => {
  await using scene = await openScene()
  expect(codeOf(await scene.operator('GET', '/nothing'))).toBe('404 request.not_found')
})

test('a fault inside says nothing of itself', async () => {
  await using scene = await openScene()
  await scene.storage.close()
  const answer = await scene.operator('GET', '/users')
  expect(codeOf(answer)).toBe('500 gate.fault')
  expect(answer.text).not.toMatch(/sqlite|driver|closed|destroyed/i)
  expect(scene.failures[0]?.cause).toBeInstanceOf(Error)
})

test('the description of the API has every route of the table, for whoever has a key', async () => {
  await using scene = await openScene()
  const member = await scene.person('ada', { scopes: ['metrics'] })
  const { status, body } = await member.ask('GET', '/openapi.json')
  expect(status).toBe(200)
  const paths = new Map(Object.entries(Object(Reflect.get(Object(body), 'paths'))))
  const described = [...paths].flatMap(([path, methods]) =>
    Object.keys(Object(methods)).map((method) => `${method} ${path}`),
  )
  expect(described.sort()).toEqual(rows.map(({ method, path }) => `${method} ${path}`).sort())
})
