import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { administering, codeOf, openScene } from './scene.ts'

const TOKEN = 'ghp_TheTokenOfAda1'

test('a member sets, sees and removes their own token, and whoever holds the old one is told', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  expect((await ada.ask('PUT', '/tokens/github', { token: TOKEN })).status).toBe(204)
  expect(await scene.tokenOf(ada.tenant, ada.id)).toBe(TOKEN)
  expect((await ada.ask('GET', '/tokens')).body).toMatchObject({
    tokens: [{ server: 'github', user: 'ada', lastUsedAt: null }],
  })
  expect((await ada.ask('DELETE', '/tokens/github')).status).toBe(204)
  expect(await scene.tokenOf(ada.tenant, ada.id)).toBeUndefined()
  expect(scene.changes).toEqual(Array(2).fill(`${DEFAULT_TENANT} ${ada.id} github`))
  expect(codeOf(await ada.ask('DELETE', '/tokens/github'))).toBe('404 token.unknown')
  expect(await scene.audited()).toMatchObject([
    { kind: 'token.set', user: ada.id, owner: ada.id, service: 'github', key: ada.keyId },
    { kind: 'token.removed', user: ada.id, owner: ada.id, service: 'github' },
  ])
})

test('a token comes back in no answer, no failure and no entry of the audit log', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const answers = [
    await ada.ask('PUT', '/tokens/github', { token: TOKEN }),
    await ada.ask('PUT', '/tokens/github', { token: `${TOKEN}\n` }),
    await ada.ask('PUT', '/tokens/clock', { token: TOKEN }),
    await ada.ask('PUT', '/tokens/github', { token: TOKEN, extra: true }),
    await ada.ask('PUT', '/tokens/github', { token: [TOKEN] }),
    await ada.ask('GET', '/tokens'),
    await scene.operator('GET', '/tokens'),
    await scene.operator('GET', '/status'),
  ]
  const said = [...answers.map(({ text }) => text), JSON.stringify(await scene.audited())]
  expect(said.join()).not.toContain(TOKEN)
  expect(
    scene.failures.map(({ message, details, fix }) => JSON.stringify([message, details, fix])).join(),
  ).not.toContain(TOKEN)
})

test('what does not look like a token of the service is refused with the way to get one', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const answer = await ada.ask('PUT', '/tokens/github', { token: 'my password' })
  expect(codeOf(answer)).toBe('400 token.format')
  expect(answer.text).toContain('https://github.test/tokens')
  expect(scene.changes).toEqual([])
})

test('a server that takes no token, and one that is not there, say so', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  expect(codeOf(await ada.ask('PUT', '/tokens/clock', { token: TOKEN }))).toBe('400 token.not_used')
  expect(codeOf(await ada.ask('PUT', '/tokens/gone', { token: TOKEN }))).toBe('404 upstream.unknown')
})

test('a member can neither set, list nor remove tokens of others, nor find out who there is', async () => {
  await using scene = await openScene()
  const bob = await scene.person('bob')
  const ada = await scene.person('ada')
  await scene.setToken(bob.tenant, bob.id, 'ghp_TheTokenOfBob')
  for (const user of ['bob', bob.id, 'nobody']) {
    const attempts = [
      await ada.ask('GET', `/tokens?user=${user}`),
      await ada.ask('PUT', '/tokens/github', { user, token: TOKEN }),
      await ada.ask('DELETE', `/tokens/github?user=${user}`),
    ]
    expect(attempts.map(codeOf)).toEqual(Array(3).fill('403 auth.role'))
  }
  expect(await scene.tokenOf(bob.tenant, bob.id)).toBe('ghp_TheTokenOfBob')
  expect((await ada.ask('GET', '/tokens')).body).toEqual({ tokens: [] })
})

test('a key for one server manages the token of that one only', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada', { scopes: ['mcp:notes'] })
  await scene.setToken(ada.tenant, ada.id, TOKEN)
  expect((await ada.ask('PUT', '/tokens/notes', { token: 'ghp_abcdefgh' })).status).toBe(204)
  expect(codeOf(await ada.ask('PUT', '/tokens/github', { token: TOKEN }))).toBe('404 upstream.unknown')
  expect(codeOf(await ada.ask('DELETE', '/tokens/github'))).toBe('404 upstream.unknown')
  expect((await ada.ask('GET', '/tokens')).body).toMatchObject({ tokens: [{ server: 'notes' }] })
})

test('an admin’s key without the scope admin manages its own tokens only', async () => {
  await using scene = await openScene()
  await scene.person('ada')
  const admin = await scene.person('alan', { role: 'admin', scopes: ['mcp'] })
  expect(codeOf(await admin.ask('GET', '/tokens?user=ada'))).toBe('403 auth.forbidden')
  expect((await admin.ask('PUT', '/tokens/github', { token: TOKEN })).status).toBe(204)
})

test('an administrator sets tokens for others, but not for an owner', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const owner = await scene.person('grace', { role: 'owner' })
  const admin = await scene.person('alan', administering)
  await scene.setToken(owner.tenant, owner.id, 'ghp_TheTokenOfGrace')
  expect((await admin.ask('PUT', '/tokens/github', { user: 'ada', token: TOKEN })).status).toBe(204)
  expect(await scene.tokenOf(ada.tenant, ada.id)).toBe(TOKEN)
  expect(codeOf(await admin.ask('PUT', '/tokens/github', { user: 'grace', token: TOKEN }))).toBe('403 auth.role')
  expect(codeOf(await admin.ask('DELETE', '/tokens/github?user=grace'))).toBe('403 auth.role')
  expect(await scene.tokenOf(owner.tenant, owner.id)).toBe('ghp_TheTokenOfGrace')
})

test('the operator need not name the only user of a gate, but one of several', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  expect((await scene.operator('PUT', '/tokens/github', { token: TOKEN })).status).toBe(204)
  expect(await scene.tokenOf(ada.tenant, ada.id)).toBe(TOKEN)
  await scene.person('bob')
  expect(codeOf(await scene.operator('PUT', '/tokens/github', { token: TOKEN }))).toBe('400 request.params')
})

test('a token for a server that is no longer configured is listed, and can be removed', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.keepOld(ada.id, 'left')
  expect((await scene.operator('GET', '/tokens')).body).toMatchObject({ tokens: [{ server: 'left', user: 'ada' }] })
  expect((await scene.operator('DELETE', '/tokens/left')).status).toBe(204)
  expect((await scene.operator('GET', '/tokens')).body).toEqual({ tokens: [] })
})

test('what the vault keeps of a connected account is no token: not listed, and not removed as one', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.connected.connect(ada.holder, 'tracker')
  await ada.ask('PUT', '/tokens/github', { token: TOKEN })
  for (const ask of [ada.ask, scene.operator])
    expect((await ask('GET', '/tokens')).body).toMatchObject({ tokens: [{ server: 'github' }] })
  expect(codeOf(await scene.operator('DELETE', '/tokens/oauth:tracker?user=ada'))).toBe('404 token.unknown')
  expect((await ada.ask('DELETE', '/connections/tracker')).body).toEqual({ revoked: true })
})
