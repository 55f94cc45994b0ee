import { expect, test } from 'vitest'
import { administering, codeOf, openScene } from './scene.ts'

test('an administrator makes a link for a user, which is in that answer and in no log', async () => {
  await using scene = await openScene()
  const bob = await scene.person('bob')
  const admin = await scene.person('alan', administering)
  const answer = await admin.ask('POST', '/users/bob/invitation')
  expect(answer).toMatchObject({
    status: 201,
    body: {
      url: expect.stringMatching(/^http:\/\/localhost:7354\/welcome\/[\w-]{43}$/),
      expiresAt: '2026-01-04T00:00:00.000Z',
    },
  })
  const entry = (await scene.audited()).at(-1)
  expect(entry).toMatchObject({ kind: 'invitation.made', user: admin.id, target: bob.id, name: 'bob' })
  expect(JSON.stringify(entry)).not.toContain('/welcome/')
})

test('members make no links, admins none for owners, and nobody for a user who is not there', async () => {
  await using scene = await openScene()
  await scene.person('grace', { role: 'owner' })
  const member = await scene.person('bob')
  const admin = await scene.person('alan', administering)
  const answers = [
    await member.ask('POST', '/users/bob/invitation'),
    await admin.ask('POST', '/users/grace/invitation'),
    await admin.ask('POST', '/users/nobody/invitation'),
    await scene.operator('POST', '/users/grace/invitation'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 404, 201])
})

test('a key that calls no server makes no link, which would let its user call all of them', async () => {
  await using scene = await openScene()
  await scene.person('bob')
  const admin = await scene.person('alan', { role: 'admin', scopes: ['admin'] })
  expect(codeOf(await admin.ask('POST', '/users/bob/invitation'))).toBe('403 auth.forbidden')
})
