import { expect, test } from 'vitest'
import { other } from '../stores/databases.ts'
import { administering, codeOf, openScene } from './scene.ts'

test('the operator reads the log of any user’s server, and need not name the only user', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.complain('of ada', { userId: ada.id })
  expect(await scene.operator('GET', '/logs/notes')).toMatchObject({ status: 200, text: 'of ada\n' })
  const bob = await scene.person('bob')
  await scene.complain('of bob', { userId: bob.id })
  expect((await scene.operator('GET', '/logs/notes?user=bob')).text).toBe('of bob\n')
  expect((await scene.operator('GET', `/logs/notes?user=${ada.id}`)).text).toBe('of ada\n')
  expect(codeOf(await scene.operator('GET', '/logs/notes'))).toBe('400 request.params')
})

test('a log is text that no browser takes for a page', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.complain('<script>', { userId: ada.id })
  const { headers } = await scene.operator('GET', '/logs/notes')
  expect(headers.get('Content-Type')).toMatch(/^text\/plain/)
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
})

test('an administrator’s key opens the log of its own user and of shared servers, and no other', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const admin = await scene.person('alan', administering)
  await scene.complain('of ada', { userId: ada.id })
  await scene.complain('of alan', { userId: admin.id })
  await scene.complain('of all', { server: 'clock' })
  expect((await admin.ask('GET', '/logs/notes')).text).toBe('of alan\n')
  expect((await admin.ask('GET', '/logs/notes?user=alan')).text).toBe('of alan\n')
  expect((await admin.ask('GET', '/logs/clock')).text).toBe('of all\n')
  for (const user of ['ada', ada.id, 'nobody']) {
    const answer = await admin.ask('GET', `/logs/notes?user=${user}`)
    expect(codeOf(answer)).toBe('403 auth.operator')
  }
})

test('a member opens the log of their own server: not of others, of shared ones, or of one their key does not open', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const bob = await scene.person('bob', { scopes: ['mcp:github'] })
  await scene.complain('of ada', { userId: ada.id })
  await scene.complain('of all', { server: 'clock' })
  expect(await ada.ask('GET', '/logs/notes')).toMatchObject({ status: 200, text: 'of ada\n' })
  expect(await ada.ask('GET', '/logs/notes?user=ada')).toMatchObject({ status: 200, text: 'of ada\n' })
  expect(codeOf(await ada.ask('GET', '/logs/notes?user=bob'))).toBe('403 auth.operator')
  expect(codeOf(await ada.ask('GET', '/logs/clock'))).toBe('403 auth.role')
  expect(codeOf(await bob.ask('GET', '/logs/notes'))).toBe('404 upstream.unknown')
})

test('a server that is no process, and one that is not there, say so', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  expect(codeOf(await scene.operator('GET', '/logs/github'))).toBe('400 request.params')
  expect(codeOf(await scene.operator('GET', '/logs/gone'))).toBe('404 upstream.unknown')
})

test('the status names the servers, and the processes of the caller’s tenant only', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const eve = await scene.person('eve', { tenant: other })
  await scene.complain('x', { userId: ada.id })
  await scene.complain('x', { userId: eve.id, tenant: other })
  await scene.complain('x', { server: 'clock' })
  scene.clock.turn(61_500)
  const { body } = await scene.operator('GET', '/status')
  expect(body).toMatchObject({
    uptimeSeconds: 61,
    url: 'http://localhost:7354',
    servers: [
      { id: 'github', kind: 'http', description: 'Issues.', needsToken: true, service: 'GitHub' },
      { id: 'notes', kind: 'stdio', needsToken: true },
      { id: 'clock', kind: 'stdio', shared: true, needsToken: false },
      { id: 'anime', kind: 'builtin', needsToken: false, provider: 'MyAnimeList' },
      { id: 'issues', kind: 'http', needsToken: false, provider: 'Tracker' },
    ],
  })
  const children: unknown = Reflect.get(Object(body), 'children')
  expect(children).toMatchObject([
    { server: 'notes', user: 'ada', state: 'ready', pending: 0 },
    { server: 'clock', state: 'ready' },
  ])
})
