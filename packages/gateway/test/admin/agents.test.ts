import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { administering, codeOf, openScene } from './scene.ts'

test('the operator adds, lists, renews and removes agents; a secret is in one answer', async () => {
  await using scene = await openScene()
  const added = await scene.operator('POST', '/agents', { name: 'nightly' })
  expect(added).toMatchObject({
    status: 201,
    body: { agent: { name: 'nightly', method: 'client_secret_basic' }, tokenUrl: 'http://localhost:7354/token' },
  })
  const { clientSecret } = added.body as { clientSecret: string }
  expect(clientSecret).toMatch(/^[\w-]{43}$/)
  expect((await scene.operator('GET', '/agents')).text).not.toContain(clientSecret)
  const renewed = await scene.operator('POST', '/agents/nightly/secret', {})
  expect((renewed.body as { clientSecret: string }).clientSecret).not.toBe(clientSecret)
  expect((await scene.operator('DELETE', '/agents/nightly')).status).toBe(204)
  expect((await scene.operator('GET', '/agents')).body).toEqual({ agents: [] })
  const audited = JSON.stringify(await scene.audited())
  for (const kind of ['agent.added', 'agent.renewed', 'user.removed']) expect(audited).toContain(kind)
  expect(audited).not.toContain(clientSecret)
})

test('an agent is a user of its kind: no invitation is made for it, and no person is taken for one', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  await scene.operator('POST', '/agents', { name: 'nightly' })
  expect((await scene.operator('GET', '/users')).body).toMatchObject({
    users: [
      { name: 'ada', kind: 'person' },
      { name: 'nightly', kind: 'agent', role: 'member' },
    ],
  })
  expect(codeOf(await scene.operator('POST', '/users/nightly/invitation'))).toBe('400 agent.no_password')
  expect(codeOf(await scene.operator('POST', '/agents/ada/secret', {}))).toBe('404 agent.unknown')
  expect(codeOf(await scene.operator('DELETE', '/agents/ada'))).toBe('404 agent.unknown')
  expect(codeOf(await scene.operator('POST', '/agents', { name: 'ada' }))).toBe('409 user.exists')
})

test('only public keys are taken, and then there is no secret', async () => {
  await using scene = await openScene()
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwksOf = (key: object) => ({ keys: [key] })
  const good = { name: 'signer', jwks: jwksOf(publicKey.export({ format: 'jwk' })) }
  const added = await scene.operator('POST', '/agents', good)
  expect(added).toMatchObject({ status: 201, body: { agent: { method: 'private_key_jwt' } } })
  expect(added.body).not.toHaveProperty('clientSecret')
  for (const key of [privateKey.export({ format: 'jwk' }), { kty: 'oct', k: 'c2VjcmV0' }, { kty: 'none' }]) {
    const refused = await scene.operator('POST', '/agents', { name: 'bad', jwks: jwksOf(key) })
    expect(codeOf(refused)).toBe('400 request.params')
    expect(refused.text).not.toContain(String(privateKey.export({ format: 'jwk' })['d']))
  }
})

test('only administrators make agents, and only with a key that calls servers itself', async () => {
  await using scene = await openScene()
  const bob = await scene.person('bob')
  expect(codeOf(await bob.ask('POST', '/agents', { name: 'eve' }))).toBe('403 auth.role')
  const admin = await scene.person('alan', { ...administering, scopes: ['admin'] })
  expect(codeOf(await admin.ask('POST', '/agents', { name: 'eve' }))).toBe('403 auth.forbidden')
})
