import { expect, test } from 'vitest'
import { administering, openScene } from './scene.ts'

const everything = ['github', 'notes', 'clock', 'anime', 'issues']

test('whoever has a key is told who they are, what it opens and when it ends', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada', { scopes: ['mcp:notes'], expiresAt: Date.UTC(2026, 1, 1) })
  expect(await ada.ask('GET', '/me')).toMatchObject({
    status: 200,
    body: {
      user: { id: ada.id, name: 'ada', role: 'member' },
      scopes: ['mcp:notes'],
      servers: ['notes'],
      expiresAt: '2026-02-01T00:00:00.000Z',
    },
  })
})

test('a key that does not end has no end, and one that opens no server names none', async () => {
  await using scene = await openScene()
  const admin = await scene.person('alan', administering)
  const meter = await scene.person('meter', { scopes: ['metrics'] })
  expect((await admin.ask('GET', '/me')).body).toEqual({
    user: { id: admin.id, name: 'alan', role: 'admin' },
    scopes: ['mcp', 'admin'],
    servers: everything,
  })
  expect((await meter.ask('GET', '/me')).body).toMatchObject({ scopes: ['metrics'], servers: [] })
})

test('of several keys it is the one at hand that is told of', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.keys.add(ada.tenant, { userId: ada.id, name: 'second', scopes: ['mcp'], expiresAt: Date.UTC(2026, 1, 1) })
  expect((await ada.ask('GET', '/me')).body).not.toHaveProperty('expiresAt')
})

test('the operator is nobody in particular, and may do all', async () => {
  await using scene = await openScene()
  expect((await scene.operator('GET', '/me')).body).toEqual({
    user: null,
    scopes: ['mcp', 'admin', 'metrics'],
    servers: everything,
  })
})
