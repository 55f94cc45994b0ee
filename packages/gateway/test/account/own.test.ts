import { describe, expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { openScene, PASSWORD, readable, type Page, type Scene } from './scene.ts'

describe('the keys of a user', () => {
  test('are made with a name, what they open and when they end, and shown once', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const made = await ada.post('/account/keys', { name: 'laptop', scope: ['mcp:clock'], expiry: '30' })
    const key = keyIn(made)
    expect(made.status).toBe(200)
    expect(readable(made)).toContain(`claude mcp add --transport http clock ${scene.publicUrl}/mcp/clock`)
    expect(await scene.keys.verify(key)).toMatchObject({ userId: ada.userId, scopes: ['mcp:clock'] })
    const list = await ada.get('/account/keys')
    expect(list.text).not.toContain(key)
    expect(readable(list)).toContain(`laptop ${key.slice(0, 12)}… clock 2026-01-01 00:00 UTC 2026-01-31 00:00 UTC`)
    const [{ id } = { id: '' }] = await scene.keys.list(ada.tenant, ada.userId)
    expect((await ada.post('/account/keys/revoke', { key: id })).location).toBe('/account/keys?done=keyRevoked')
    expect(await scene.keys.verify(key)).toBeUndefined()
    expect(readable(await ada.get('/account/keys'))).toContain('You have no API keys.')
    expect(await scene.audited()).toEqual(['key.added', 'key.revoked'])
  })

  test('are not made from a form with something wrong, which keeps what was right', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const page = await ada.post('/account/keys', { name: '"><b>x</b>', expiry: '30' })
    expect(page.status).toBe(400)
    expect(page.text).toContain('href="#scopes"')
    expect(page.text).toContain('value="&quot;&gt;&lt;b&gt;x&lt;/b&gt;"')
    expect(page.text).toMatch(/<option value="30"\s+selected/)
    for (const expiry of ['0', '-1', '99999', 'soon', '']) {
      expect((await ada.post('/account/keys', { name: 'x', scope: 'mcp', expiry })).status).toBe(400)
    }
    expect(await scene.keys.list(ada.tenant, ada.userId)).toEqual([])
  })

  test('open no more than their user may: members make none for administration', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const eve = await scene.person('eve', 'admin')
    expect((await ada.get('/account/keys')).text).not.toContain('value="admin"')
    expect((await eve.get('/account/keys')).text).toContain('value="admin"')
    for (const scope of ['admin', 'metrics']) {
      expect((await ada.post('/account/keys', { name: 'x', scope, expiry: 'never' })).status).toBe(403)
      expect((await eve.post('/account/keys', { name: 'x', scope, expiry: 'never' })).status).toBe(200)
    }
    expect((await ada.post('/account/keys', { name: 'x', scope: 'mcp:nothing', expiry: 'never' })).status).toBe(404)
    expect(await scene.keys.list(ada.tenant, ada.userId)).toEqual([])
  })

  test('of another user are as unknown as those that are not there', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const bob = await scene.person('bob')
    const key = keyIn(await bob.post('/account/keys', { name: 'his', scope: 'mcp', expiry: 'never' }))
    const [{ id } = { id: '' }] = await scene.keys.list(bob.tenant, bob.userId)
    await alike(scene, ada, { path: '/account/keys/revoke', field: 'key', theirs: id })
    expect(await scene.keys.verify(key)).toMatchObject({ userId: bob.userId })
    expect((await ada.get('/account/keys')).text).not.toContain('his')
  })
})

describe('the clients of a user', () => {
  const client = {
    clientId: 'https://client.test/metadata.json',
    clientName: 'Cl\u202eient <b>x</b>',
    redirectHost: '127.0.0.1',
    isAssured: true,
    scopes: ['mcp'],
    grantId: 'g',
  }

  test('are listed by what they call themselves, cleaned, and can be revoked', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.consents.give(ada.holder, { ...client, resources: [`${scene.publicUrl}/mcp/anime`] })
    const page = await ada.get('/account/clients')
    expect(page.text).toContain('Cl ient &lt;b&gt;x&lt;/b&gt;')
    expect(readable(page)).toContain('https://client.test/metadata.json 127.0.0.1 anime 2026-01-01 00:00 UTC never')
    const revoked = await ada.post('/account/clients/revoke', { client: client.clientId })
    expect(revoked.location).toBe('/account/clients?done=clientRevoked')
    expect(readable(await ada.get('/account/clients'))).toContain('You have allowed no client yet.')
  })

  test('of another user are as unknown as those that are not there', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const bob = await scene.person('bob')
    await scene.consents.give(bob.holder, { ...client, resources: [`${scene.publicUrl}/mcp`] })
    await alike(scene, ada, { path: '/account/clients/revoke', field: 'client', theirs: client.clientId })
    expect(readable(await bob.get('/account/clients'))).toContain('every server')
  })
})

describe('the browsers of a user', () => {
  test('are listed with this one marked, and the others can be signed out', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const [second, third] = [await ada.signIn(), await ada.signIn()]
    const page = await ada.get('/account/sessions')
    expect(readable(page).match(/Firefox/g)?.length).toBeGreaterThanOrEqual(3)
    expect(readable(page).match(/this browser/g)).toHaveLength(1)
    const ended = await ada.post('/account/sessions/end', { session: second.sessionId })
    expect(ended.location).toBe('/account/sessions?done=sessionEnded')
    expect((await second.get('/account')).status).toBe(303)
    expect((await third.get('/account')).status).toBe(200)
    expect((await ada.post('/account/sessions/end-others')).location).toBe('/account/sessions?done=sessionsEnded')
    expect((await third.get('/account')).status).toBe(303)
    expect((await ada.get('/account')).status).toBe(200)
    expect(await scene.audited()).toEqual(['session.ended', 'session.ended'])
  })

  test('of another user are as unknown as those that are not there', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const bob = await scene.person('bob')
    await alike(scene, ada, { path: '/account/sessions/end', field: 'session', theirs: bob.sessionId })
    expect((await bob.get('/account')).status).toBe(200)
  })
})

describe('the password of a user', () => {
  const wanted = 'nine red foxes cross the frozen lake'

  test('is changed by whoever knows it, and signs the other browsers out', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const other = await ada.signIn()
    const changed = await ada.post('/account/password', { current: PASSWORD, wanted, again: wanted })
    expect(changed.location).toBe('/account/sessions?done=passwordChanged')
    expect(await scene.passwords.verify(ada.tenant, ada.userId, secret(wanted))).toBeDefined()
    expect((await other.get('/account')).status).toBe(303)
    expect((await ada.get('/account')).status).toBe(200)
    expect(await scene.audited()).toEqual(['password.set'])
  })

  test('stays where the form is wrong, which says so at the field and repeats none of it', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const tries = [
      [{ current: 'something else', wanted, again: wanted }, 'current'],
      [{ current: PASSWORD, wanted, again: `${wanted}!` }, 'again'],
      [{ current: PASSWORD, wanted: 'password', again: 'password' }, 'wanted'],
    ] as const
    for (const [form, field] of tries) {
      const page = await ada.post('/account/password', form)
      expect([page.status, page.text]).toEqual([400, expect.stringContaining(`id="${field}-error"`)])
      for (const entered of [PASSWORD, wanted]) expect(page.text).not.toContain(entered)
    }
    expect(await scene.passwords.verify(ada.tenant, ada.userId, secret(PASSWORD))).toBeDefined()
  })

  test('is not guessed faster from a browser that stands open', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const codes: number[] = []
    for (let time = 0; time < 6; time++) {
      codes.push((await ada.post('/account/password', { current: `guess ${time}`, wanted, again: wanted })).status)
    }
    expect(codes).toEqual([400, 400, 400, 400, 400, 429])
  })
})

function keyIn({ text }: Page): string {
  return /sekisho_[0-9A-Za-z]{46}/.exec(text)?.[0] ?? ''
}

interface Theirs {
  readonly path: string
  readonly field: string
  readonly theirs: string
}

/** What belongs to somebody else is answered word for word as what is not there. */
async function alike(scene: Scene, asker: Awaited<ReturnType<Scene['person']>>, { path, field, theirs }: Theirs) {
  const forOthers = await asker.post(path, { [field]: theirs })
  const forNothing = await asker.post(path, { [field]: 'nothing' })
  const words = (page: Page) =>
    readable(page)
      .replaceAll(theirs, 'nothing')
      .replaceAll(/Request \S+/g, 'Request')
  expect([forOthers.status, forNothing.status]).toEqual([404, 404])
  expect(words(forOthers)).toBe(words(forNothing))
  expect(await scene.audited()).not.toContain('key.revoked')
}
