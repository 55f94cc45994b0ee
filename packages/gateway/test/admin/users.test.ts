import { expect, test } from 'vitest'
import { administering, codeOf, openScene } from './scene.ts'

test('the operator adds, lists, promotes and removes users, named by name or id', async () => {
  await using scene = await openScene()
  const owner = await scene.person('grace', { role: 'owner' })
  const added = await scene.operator('POST', '/users', { name: 'ada' })
  expect(added).toMatchObject({
    status: 201,
    body: { name: 'ada', role: 'member', createdAt: '2026-01-01T00:00:00.000Z' },
  })
  const promoted = await scene.operator('PATCH', '/users/ada', { role: 'admin' })
  expect(promoted).toMatchObject({ status: 200, body: { name: 'ada', role: 'admin' } })
  expect((await scene.operator('GET', '/users')).body).toMatchObject({
    users: [
      { name: 'ada', role: 'admin' },
      { id: owner.id, name: 'grace', role: 'owner' },
    ],
  })
  expect((await scene.operator('DELETE', '/users/ada')).status).toBe(204)
  expect(codeOf(await scene.operator('DELETE', '/users/ada'))).toBe('404 user.unknown')
})

test('a name with spaces and letters of any script names its user in the address', async () => {
  await using scene = await openScene()
  await scene.operator('POST', '/users', { name: 'Grete Müller' })
  const answer = await scene.operator('PATCH', `/users/${encodeURIComponent('Grete Müller')}`, { role: 'admin' })
  expect(answer).toMatchObject({ status: 200, body: { role: 'admin' } })
})

test('the last owner can neither be removed nor demoted', async () => {
  await using scene = await openScene()
  await scene.person('grace', { role: 'owner' })
  expect(codeOf(await scene.operator('DELETE', '/users/grace'))).toBe('409 user.last_owner')
  expect(codeOf(await scene.operator('PATCH', '/users/grace', { role: 'member' }))).toBe('409 user.last_owner')
})

test('an admin cannot add, make, demote or remove owners', async () => {
  await using scene = await openScene()
  await scene.person('grace', { role: 'owner' })
  await scene.person('second', { role: 'owner' })
  await scene.person('bob')
  const admin = await scene.person('alan', administering)
  const attempts = [
    await admin.ask('POST', '/users', { name: 'eve', role: 'owner' }),
    await admin.ask('PATCH', '/users/bob', { role: 'owner' }),
    await admin.ask('PATCH', '/users/alan', { role: 'owner' }),
    await admin.ask('PATCH', '/users/grace', { role: 'member' }),
    await admin.ask('DELETE', '/users/grace'),
  ]
  expect(attempts.map(codeOf)).toEqual(Array(5).fill('403 auth.role'))
  const { users } = scene
  const roles = (await users.list(admin.tenant)).map(({ name, role }) => `${name} ${role}`)
  expect(roles).toEqual(['alan admin', 'bob member', 'grace owner', 'second owner'])
})

test('an owner with a key of scope admin may change owners', async () => {
  await using scene = await openScene()
  const owner = await scene.person('grace', { role: 'owner', scopes: ['admin'] })
  await scene.person('second', { role: 'owner' })
  expect((await owner.ask('PATCH', '/users/second', { role: 'member' })).status).toBe(200)
})

test('a removed user’s key and token are gone', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.setToken(ada.tenant, ada.id, 'ghp_abcdefgh')
  await scene.operator('DELETE', `/users/${ada.id}`)
  expect(await scene.keys.verify(ada.key.reveal())).toBeUndefined()
  expect(await scene.credentials.list(ada.tenant)).toEqual([])
})

test('every change is in the audit log, with who did it, by which key, under which request', async () => {
  await using scene = await openScene()
  const admin = await scene.person('alan', administering)
  const added = await admin.ask('POST', '/users', { name: 'ada' })
  await scene.operator('PATCH', '/users/ada', { role: 'admin' })
  await scene.operator('DELETE', '/users/ada')
  expect(await scene.audited()).toMatchObject([
    { kind: 'user.added', user: admin.id, key: admin.keyId, name: 'ada', request: added.headers.get('X-Request-Id') },
    { kind: 'user.role_changed', name: 'ada', role: 'admin' },
    { kind: 'user.removed', name: 'ada' },
  ])
})

test('a refused change leaves no entry', async () => {
  await using scene = await openScene()
  await scene.person('grace', { role: 'owner' })
  await scene.operator('DELETE', '/users/grace')
  await scene.operator('POST', '/users', { name: 'grace' })
  expect(await scene.audited()).toEqual([])
})
