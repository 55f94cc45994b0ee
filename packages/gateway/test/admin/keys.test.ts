import { expect, test } from 'vitest'
import { administering, codeOf, openScene, type Answer } from './scene.ts'

const DAY_MS = 86_400_000

function textOf(answer: Answer, name: 'key'): string {
  const value: unknown = Reflect.get(Object(answer.body), name)
  if (typeof value !== 'string') throw new TypeError(`no ${name} in ${answer.text}`)
  return value
}

test('a new key is in the answer that made it, works, and is in no other answer', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  scene.clock.turn(1)
  const made = await scene.operator('POST', '/keys', { user: 'ada', name: 'laptop' })
  expect(made).toMatchObject({
    status: 201,
    body: { record: { user: 'ada', name: 'laptop', scopes: ['mcp'], expiresAt: null } },
  })
  const key = textOf(made, 'key')
  expect(await scene.keys.verify(key)).toMatchObject({ userId: ada.id, scopes: ['mcp'] })
  const listed = await scene.operator('GET', '/keys?user=ada')
  expect(listed.body).toMatchObject({ keys: [{ name: 'first' }, { name: 'laptop', prefix: key.slice(0, 12) }] })
  const all = [listed, await scene.operator('GET', '/keys'), await scene.operator('GET', '/status')]
  expect(all.map(({ text }) => text).join()).not.toContain(key)
  expect(JSON.stringify(await scene.audited())).not.toContain(key)
})

test('answers are never to be kept by a cache', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  const made = await scene.operator('POST', '/keys', { user: 'ada' })
  expect(made.headers.get('Cache-Control')).toBe('no-store')
})

test('a key opens nothing after its days have passed', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  const key = textOf(await scene.operator('POST', '/keys', { user: 'ada', expiresInDays: 2 }), 'key')
  scene.clock.turn(2 * DAY_MS - 1)
  expect(await scene.keys.verify(key)).toBeDefined()
  scene.clock.turn(1)
  expect(await scene.keys.verify(key)).toBeUndefined()
})

test.for([0, 3651, 1.5, '7'])('a key cannot be made for %s days', async (expiresInDays) => {
  await using scene = await openScene()
  await scene.person('ada')
  const answer = await scene.operator('POST', '/keys', { user: 'ada', expiresInDays })
  expect(codeOf(answer)).toBe('400 request.params')
  expect(answer.text).toContain('expiresInDays')
})

test('a revoked key opens nothing, and revoking it again is no second entry', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  expect((await scene.operator('DELETE', `/keys/${ada.keyId}`)).status).toBe(204)
  expect((await scene.operator('DELETE', `/keys/${ada.keyId}`)).status).toBe(204)
  expect(await scene.keys.verify(ada.key.reveal())).toBeUndefined()
  expect(await scene.audited()).toMatchObject([{ kind: 'key.revoked', target: ada.keyId, owner: ada.id }])
  expect(codeOf(await scene.operator('DELETE', '/keys/key_none'))).toBe('404 key.unknown')
})

test('a key cannot be given a scope that its maker’s key does not have', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  const admin = await scene.person('alan', { role: 'admin', scopes: ['admin', 'mcp:github'] })
  const make = async (scopes: string[]) => (await admin.ask('POST', '/keys', { user: 'ada', scopes })).status
  expect(codeOf(await admin.ask('POST', '/keys', { user: 'ada' }))).toBe('403 auth.forbidden')
  expect(await Promise.all([['mcp'], ['mcp:notes'], ['mcp:github', 'mcp:notes']].map(make))).toEqual([403, 403, 403])
  expect(await Promise.all([['mcp:github'], ['metrics']].map(make))).toEqual([201, 201])
})

test('the scope admin is for owners and admins', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  await scene.person('alan', { role: 'admin' })
  const make = async (user: string) => scene.operator('POST', '/keys', { user, scopes: ['admin'] })
  expect(codeOf(await make('ada'))).toBe('400 request.params')
  expect((await make('alan')).status).toBe(201)
})

test('a scope names a server that exists', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  const make = async (scope: string) => scene.operator('POST', '/keys', { user: 'ada', scopes: [scope] })
  expect((await make('mcp:github')).status).toBe(201)
  expect(codeOf(await make('mcp:gone'))).toBe('404 upstream.unknown')
  expect(codeOf(await make('root'))).toBe('400 request.params')
})

test('an admin can neither make nor revoke keys of an owner', async () => {
  await using scene = await openScene()
  const owner = await scene.person('grace', { role: 'owner' })
  const admin = await scene.person('alan', administering)
  expect(codeOf(await admin.ask('POST', '/keys', { user: 'grace' }))).toBe('403 auth.role')
  expect(codeOf(await admin.ask('DELETE', `/keys/${owner.keyId}`))).toBe('403 auth.role')
  expect(await scene.keys.verify(owner.key.reveal())).toBeDefined()
})
