import { expect, test } from 'vitest'
import { createDevice } from '../login/device.ts'
import { administering, openScene, type Scene } from './scene.ts'

const ORIGIN = 'http://localhost:7354'

async function give({ factors: { passkeys, factors }, sessions }: Scene, user: Awaited<ReturnType<Scene['person']>>) {
  const answer = createDevice(ORIGIN).create(await passkeys.offer(user.tenant, user, 'test'))
  await passkeys.add(user.tenant, user.id, { answer, name: 'laptop', use: 'test' })
  await factors.firstCodes(user.tenant, user.id)
  await sessions.start(user.tenant, user.id, { browser: 'Firefox/1', address: '::1', amr: ['pwd'] })
}

const standing = ({ factors: { factors } }: Scene, { tenant, id }: Awaited<ReturnType<Scene['person']>>) =>
  factors.standing(tenant, id)

test('an administrator takes the factors of somebody who lost them away, and signs their browsers out', async () => {
  await using scene = await openScene()
  const [bob, eve] = [await scene.person('bob'), await scene.person('eve')]
  for (const user of [bob, eve]) await give(scene, user)
  const admin = await scene.person('alan', administering)
  expect((await admin.ask('DELETE', '/users/bob/factors')).status).toBe(204)
  expect(await standing(scene, bob)).toEqual({ passkeys: [], app: undefined, codesLeft: 0 })
  expect(await scene.sessions.list(bob.tenant, bob.id)).toEqual([])
  expect(await standing(scene, eve)).toMatchObject({ passkeys: [{ name: 'laptop' }], codesLeft: 10 })
  expect(await scene.sessions.list(eve.tenant, eve.id)).toHaveLength(1)
  expect((await scene.audited()).at(-1)).toMatchObject({ kind: 'factors.reset', user: admin.id, target: bob.id })
})

test('members take nobody’s away, and admins no owner’s', async () => {
  await using scene = await openScene()
  const grace = await scene.person('grace', { role: 'owner' })
  await give(scene, grace)
  const member = await scene.person('bob')
  const admin = await scene.person('alan', administering)
  const answers = [
    await member.ask('DELETE', '/users/grace/factors'),
    await member.ask('DELETE', '/users/bob/factors'),
    await admin.ask('DELETE', '/users/grace/factors'),
    await admin.ask('DELETE', '/users/nobody/factors'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 404])
  expect((await standing(scene, grace)).passkeys).toHaveLength(1)
})

test('a link for a new password is made for users there are, by whoever may, and recorded as one', async () => {
  await using scene = await openScene()
  await scene.person('grace', { role: 'owner' })
  const bob = await scene.person('bob')
  const admin = await scene.person('alan', administering)
  const made = await admin.ask('POST', '/users/bob/password-reset')
  expect(made).toMatchObject({ status: 201, body: { url: expect.stringMatching(/\/welcome\/[\w-]{43}$/) } })
  expect((await scene.audited()).at(-1)).toMatchObject({ kind: 'password.reset_made', target: bob.id, name: 'bob' })
  const refused = [
    await bob.ask('POST', '/users/bob/password-reset'),
    await admin.ask('POST', '/users/grace/password-reset'),
    await admin.ask('POST', '/users/nobody/password-reset'),
  ]
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 404])
})
