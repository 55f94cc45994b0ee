import { expect, test } from 'vitest'
import { connectedTokens } from './connected.ts'
import { administering, codeOf, openScene } from './scene.ts'

test('a member sees their own connection as it is, and disconnects it: forgotten here, revoked there', async () => {
  await using scene = await openScene()
  const { connected } = scene
  const ada = await scene.person('ada')
  await connected.connect(ada.holder, 'tracker')
  expect((await ada.ask('GET', '/connections')).body).toEqual({
    connections: [
      {
        provider: 'tracker',
        name: 'Tracker',
        user: 'ada',
        account: 'mika',
        status: 'connected',
        scopes: ['read'],
        connectedAt: '2026-01-01T00:00:00.000Z',
        expiresAt: '2026-01-02T00:00:00.000Z',
        refreshedAt: null,
        lastUsedAt: null,
        failure: null,
        failedAt: null,
      },
    ],
  })
  expect(await ada.ask('DELETE', '/connections/tracker')).toMatchObject({ status: 200, body: { revoked: true } })
  expect(connected.revoked()).toEqual(connectedTokens.toReversed())
  expect((await ada.ask('GET', '/connections')).body).toEqual({ connections: [] })
  expect(codeOf(await ada.ask('DELETE', '/connections/tracker'))).toBe('404 connection.unknown')
  const entries = await scene.audited()
  const removed = { kind: 'connection.removed', owner: ada.id, provider: 'tracker', revoked: true }
  expect(entries).toMatchObject([{ ...removed, user: ada.id, key: ada.keyId, request: expect.any(String) }])
})

test('a connection that the provider ended says so, and why', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.connected.connect(ada.holder, 'mal')
  await scene.connected.reject(ada.holder, 'mal')
  expect((await ada.ask('GET', '/connections')).body).toMatchObject({
    connections: [
      { provider: 'mal', status: 'rejected', failure: 'invalid_grant', failedAt: '2026-01-01T00:00:00.000Z' },
    ],
  })
  expect((await ada.ask('DELETE', '/connections/mal')).body).toEqual({ revoked: false })
})

test('the tokens of a connection are in no answer, no failure and no entry of the audit log', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.connected.connect(ada.holder, 'tracker')
  await scene.connected.connect(ada.holder, 'mal')
  const answers = [
    await ada.ask('GET', '/connections'),
    await scene.operator('GET', '/connections'),
    await scene.operator('GET', '/me'),
    await ada.ask('DELETE', '/connections/tracker'),
    await ada.ask('DELETE', '/connections/mal'),
    await ada.ask('DELETE', '/connections/mal'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 404])
  const said = [
    ...answers.map(({ text }) => text),
    JSON.stringify(await scene.audited()),
    JSON.stringify(scene.failures.map(({ message, details, fix }) => [message, details, fix])),
  ].join()
  for (const token of connectedTokens) expect(said).not.toContain(token)
})

test('administrators and the operator see everybody’s, or those of one', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const bob = await scene.person('bob')
  const admin = await scene.person('alan', administering)
  await scene.connected.connect(ada.holder, 'mal')
  await scene.connected.connect(bob.holder, 'tracker')
  const all = {
    connections: [
      { user: 'ada', provider: 'mal' },
      { user: 'bob', provider: 'tracker' },
    ],
  }
  expect((await admin.ask('GET', '/connections')).body).toMatchObject(all)
  expect((await scene.operator('GET', '/connections')).body).toMatchObject(all)
  expect((await admin.ask('GET', '/connections?user=bob')).body).toMatchObject({ connections: [{ user: 'bob' }] })
})

test('a member neither lists nor removes connections of others, nor finds out who there is', async () => {
  await using scene = await openScene()
  const bob = await scene.person('bob')
  const ada = await scene.person('ada')
  const admin = await scene.person('alan', { role: 'admin', scopes: ['mcp'] })
  await scene.connected.connect(bob.holder, 'tracker')
  for (const user of ['bob', bob.id, 'nobody']) {
    const paths = [`/connections?user=${user}`, `/connections/tracker?user=${user}`] as const
    const attempts = [await ada.ask('GET', paths[0]), await ada.ask('DELETE', paths[1])]
    expect(attempts.map(codeOf)).toEqual(Array(2).fill('403 auth.role'))
    expect(codeOf(await admin.ask('DELETE', paths[1]))).toBe('403 auth.forbidden')
  }
  expect((await ada.ask('GET', '/connections')).body).toEqual({ connections: [] })
  expect(await scene.connected.connections.list(bob.tenant, bob.id)).toHaveLength(1)
})

test('an administrator disconnects accounts of others, but not an owner’s', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const owner = await scene.person('grace', { role: 'owner' })
  const admin = await scene.person('alan', administering)
  await scene.connected.connect(ada.holder, 'tracker')
  await scene.connected.connect(owner.holder, 'tracker')
  expect((await admin.ask('DELETE', '/connections/tracker?user=ada')).status).toBe(200)
  expect(await scene.audited()).toMatchObject([
    { kind: 'connection.removed', user: admin.id, key: admin.keyId, owner: ada.id, provider: 'tracker' },
  ])
  expect(codeOf(await admin.ask('DELETE', '/connections/tracker?user=grace'))).toBe('403 auth.role')
  expect((await scene.operator('GET', '/connections')).body).toMatchObject({ connections: [{ user: 'grace' }] })
})

test('a key for one server reaches the account of that one only', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada', { scopes: ['mcp:anime'] })
  await scene.connected.connect(ada.holder, 'mal')
  await scene.connected.connect(ada.holder, 'tracker')
  await scene.connected.connect(ada.holder, 'left')
  expect((await ada.ask('GET', '/connections')).body).toMatchObject({ connections: [{ provider: 'mal' }] })
  for (const provider of ['tracker', 'left', 'nothing'])
    expect(codeOf(await ada.ask('DELETE', `/connections/${provider}`))).toBe('404 connection.unknown')
  expect((await ada.ask('DELETE', '/connections/mal')).status).toBe(200)
  expect(await scene.connected.connections.list(ada.tenant, ada.id)).toHaveLength(2)
})

test('an account that no server uses any more is listed by its id, and can be disconnected', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.connected.connect(ada.holder, 'mcp:left')
  expect((await ada.ask('GET', '/connections')).body).toMatchObject({
    connections: [{ provider: 'mcp:left', name: 'mcp:left' }],
  })
  const answer = await ada.ask('DELETE', `/connections/${encodeURIComponent('mcp:left')}`)
  expect(answer).toMatchObject({ status: 200, body: { revoked: false } })
  expect((await scene.operator('GET', '/connections')).body).toEqual({ connections: [] })
})

test('nothing is disconnected by whom it is not clear whose it is', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.person('bob')
  await scene.connected.connect(ada.holder, 'tracker')
  expect(codeOf(await scene.operator('DELETE', '/connections/tracker'))).toBe('400 request.params')
  expect((await scene.operator('DELETE', '/connections/tracker?user=ada')).status).toBe(200)
})

const tokens = { accessToken: 'an-imported-access-token', refreshToken: 'an-imported-refresh-token' }

test('tokens of another program become a connection, and the audit log says by whom', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const body = { server: 'issues', ...tokens, expiresAt: Date.UTC(2026, 1, 1), scopes: ['read'] }
  const made = {
    provider: 'tracker',
    user: 'ada',
    status: 'connected',
    scopes: ['read'],
    account: null,
    checked: false,
  }
  expect(await ada.ask('POST', '/connections', body)).toMatchObject({
    status: 201,
    body: { ...made, expiresAt: '2026-02-01T00:00:00.000Z' },
  })
  expect(codeOf(await ada.ask('POST', '/connections', body))).toBe('409 connection.exists')
  const imported = { kind: 'connection.imported', owner: ada.id, provider: 'tracker', user: ada.id, key: ada.keyId }
  expect(await scene.audited()).toMatchObject([imported])
  const said = JSON.stringify([await scene.audited(), scene.failures.map(({ message, details }) => [message, details])])
  for (const token of Object.values(tokens)) expect(said).not.toContain(token)
})

test('a connection that the provider has ended gives way to tokens that work', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  await scene.connected.connect(ada.holder, 'tracker')
  await scene.connected.reject(ada.holder, 'tracker')
  const answer = await ada.ask('POST', '/connections', { server: 'issues', ...tokens })
  expect(answer).toMatchObject({ status: 201, body: { status: 'connected', failure: null, expiresAt: null } })
})

test('tokens are brought to oneself, by administrators to others but owners, and to servers that take some', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada')
  const bob = await scene.person('bob', { scopes: ['mcp:github'] })
  const owner = await scene.person('grace', { role: 'owner' })
  const admin = await scene.person('alan', administering)
  const body = { server: 'issues', ...tokens }
  expect(codeOf(await ada.ask('POST', '/connections', { ...body, user: 'bob' }))).toBe('403 auth.role')
  expect(codeOf(await bob.ask('POST', '/connections', body))).toBe('404 upstream.unknown')
  expect(codeOf(await admin.ask('POST', '/connections', { ...body, user: owner.id }))).toBe('403 auth.role')
  expect(codeOf(await ada.ask('POST', '/connections', { ...body, server: 'github' }))).toBe(
    '400 connection.not_importable',
  )
  for (const odd of [
    { accessToken: 'two words' },
    { accessToken: '' },
    { expiresAt: -1 },
    { refreshToken: 'x\n' },
    { more: 1 },
  ])
    expect(codeOf(await ada.ask('POST', '/connections', { ...body, ...odd }))).toBe('400 request.params')
  expect((await scene.operator('GET', '/connections')).body).toEqual({ connections: [] })
  expect((await admin.ask('POST', '/connections', { ...body, user: 'ada' })).status).toBe(201)
})
