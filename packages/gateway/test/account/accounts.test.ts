import { describe, expect, test } from 'vitest'
import { connectThere, openScene, readable, secrets, type Scene } from './scene.ts'

/** The text between two headings of a page. */
function between(text: string, from: string, to: string): string {
  return text.slice(text.indexOf(from), text.indexOf(to))
}

describe('the page of accounts', () => {
  test('asks whoever is not signed in to sign in, and to come back', async () => {
    await using scene = await openScene()
    const { status, location } = await scene.anybody('/account?done=connected')
    expect([status, location]).toEqual([303, '/sign-in?next=%2Faccount%3Fdone%3Dconnected'])
  })

  test('shows every server in its group, and how many wait, when nothing is connected', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const text = readable(await ada.get('/account'))
    expect(text).toContain('4 servers wait for you.')
    const waiting = between(text, 'Needs you', 'Unavailable')
    for (const server of ['anime', 'manga', 'issues', 'notes']) expect(waiting).toContain(server)
    expect(between(text, 'Unavailable', 'Ready, with')).toContain('Absent is not set up on this gate yet.')
    expect(text.slice(text.indexOf('Ready, with'))).toContain('clock ready Tells the time. Tools 2')
  })

  test('shows what is connected: the account, since when, until when, and when it was last used', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.connect(ada.holder, 'mal')
    await scene.connect(ada.holder, 'tracker')
    await scene.paste(ada.holder)
    const text = readable(await ada.get('/account'))
    expect(text).not.toContain('wait for you')
    expect(text).toContain('anime connected Lists of &lt;anime&gt;. Provider MyAnimeList Account mika')
    expect(text).toContain('Connected since 2026-01-01 00:00 UTC')
    expect(text).toContain('it ends in 1 month, and is renewed by itself before that.')
    expect(text).toContain('Last used never')
    expect(text).toContain('notes token set')
  })

  test('says of a rejected connection what happened and offers to connect again (R0-10b, c, e)', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.store.note(await scene.connect(ada.holder, 'tracker'), 'invalid_grant', true)
    const text = readable(await ada.get('/account'))
    const waiting = between(text, 'Needs you', 'Unavailable')
    expect(waiting).toContain('Tracker does not accept the connection of your account any more.')
    expect(waiting).toContain('Connect Tracker again')
  })

  test('tells a provider that cannot be reached from one that is only slow to renew', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.store.note(await scene.connect(ada.holder, 'tracker'), 'status_503', false)
    const still = readable(await ada.get('/account'))
    expect(between(still, 'Connected', 'Ready, with')).toContain('Tracker cannot be reached')
    const expiresAt = scene.clock.now() - 60_000
    const { credential } = await scene.connect(ada.holder, 'tracker')
    const kept = await scene.connect(ada.holder, 'tracker', { credential: { ...credential, expiresAt } })
    await scene.store.note(kept, 'unreachable', false)
    const over = readable(await ada.get('/account'))
    expect(between(over, 'Unavailable', 'Ready, with')).toContain('It ended 1 minute ago, and could not be renewed.')
  })

  test('escapes what others call themselves', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.connect(ada.holder, 'mal', { account: '<script>alert(1)</script>' })
    const { text } = await ada.get('/account')
    expect(text).not.toContain('<script')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('says only what is in its table when something was done', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    expect(readable(await ada.get('/account?done=tokenSet'))).toContain('The token is kept.')
    for (const key of ['toString', '__proto__', 'Free text']) {
      expect((await ada.get(`/account?done=${encodeURIComponent(key)}`)).text).not.toContain('notice good')
    }
  })
})

describe('what can be done with a connection', () => {
  test('testing it says that it works, or why not', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await connectThere(ada)
    expect((await ada.post('/account/servers/issues/test')).location).toBe('/account?done=tested')
    scene.provider.on('/me', () => ({ status: 401 }))
    const failed = await ada.post('/account/servers/issues/test')
    expect(failed.status).toBe(403)
    expect(readable(failed)).toContain('Tracker does not accept the connection of your account any more.')
    expect(readable(failed)).toContain('/connect/issues?t=')
  })

  test('disconnecting asks first, and names the other servers that go without', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await scene.connect(ada.holder, 'mal')
    const question = readable(await ada.get('/account/servers/anime/disconnect'))
    expect(question).toContain('Disconnect MyAnimeList?')
    expect(question).toContain('These servers cannot be used with your account then: manga.')
    expect(await scene.connections.list(ada.tenant, ada.userId)).toHaveLength(1)
    expect((await ada.post('/account/servers/anime/disconnect')).location).toBe('/account?done=disconnectedHere')
    expect(await scene.connections.list(ada.tenant, ada.userId)).toEqual([])
    expect((await ada.post('/account/servers/anime/disconnect')).status).toBe(404)
  })

  test('disconnecting says so where the provider has revoked the access', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    await connectThere(ada)
    expect((await ada.post('/account/servers/issues/disconnect')).location).toBe('/account?done=disconnected')
    expect(scene.provider.seenAt('/revoke').length).toBeGreaterThan(0)
  })
})

describe('the switch of a server', () => {
  test('is of one user and one server, says what holds, and is recorded (R2-16)', async () => {
    await using scene = await openScene()
    const [ada, bob] = [await scene.person('ada'), await scene.person('bob')]
    const post = (path: string, on: string) => ada.post(`/account/servers/${path}/read-only`, { on })
    expect((await post('issues', 'yes')).location).toBe('/account?done=readOnly')
    expect((await post('clock', 'yes')).location).toBe('/account?done=readOnly')
    expect((await post('clock', 'yes')).status).toBe(303)
    expect(await scene.users.listReadOnly(ada.tenant, ada.userId)).toEqual(['issues', 'clock'])
    expect(await scene.users.listReadOnly(bob.tenant, bob.userId)).toEqual([])
    const shown = readable(await ada.get('/account'))
    expect(shown.slice(shown.indexOf('clock'))).toContain('Changes none: you have switched them off')
    expect((await post('clock', 'no')).location).toBe('/account?done=changesAllowed')
    expect((await post('issues', 'no')).location).toBe('/account?done=changesAllowed')
    expect(readable(await ada.get('/account'))).not.toContain('you have switched them off')
    expect((await post('nowhere', 'yes')).status).toBe(404)
    expect(await scene.audited()).toEqual(Array(5).fill('server.read_only'))
  })
})

describe('a pasted token', () => {
  test('is kept and never shown, and every change is recorded and told', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const form = await ada.get('/account/servers/notes/token')
    expect(readable(form)).toContain('It must match: ^note_[a-z0-9]{4,}$')
    expect(form.text).toMatch(/<input[^>]*id="token"[^>]*type="password"[^>]*autocomplete="off"/)
    expect(form.text).toContain('href="https://notes.test/tokens"')
    const set = await ada.post('/account/servers/notes/token', { token: ' note_1234 ' })
    expect(set.location).toBe('/account?done=tokenSet')
    expect(await scene.tokenOf(ada.holder)).toBe('note_1234')
    expect((await ada.get('/account/servers/notes/token')).text).not.toContain('note_1234')
    expect(readable(await ada.get('/account/servers/notes/token/remove'))).toContain('Remove your Notes token?')
    expect((await ada.post('/account/servers/notes/token/remove')).location).toBe('/account?done=tokenRemoved')
    expect((await ada.post('/account/servers/notes/token/remove')).status).toBe(404)
    expect(await scene.audited()).toEqual(['token.set', 'token.removed'])
    expect(scene.changes).toEqual([`${ada.userId} notes`, `${ada.userId} notes`])
  })

  test('of the wrong form is refused at its field, and not repeated', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const page = await ada.post('/account/servers/notes/token', { token: 'ghp_something' })
    expect(page.status).toBe(400)
    expect(page.text).toContain('aria-describedby="token-hint token-error"')
    expect(readable(page)).toContain('This does not look like a Notes token.')
    expect(page.text).not.toContain('ghp_something')
    expect(await scene.tokenOf(ada.holder)).toBeUndefined()
  })

  test('is refused where a server takes none', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    expect((await ada.get('/account/servers/clock/token')).status).toBe(400)
    expect((await ada.get('/account/servers/nothing/token')).status).toBe(404)
  })
})

const FORMS = [
  '/account/servers/issues/test',
  '/account/servers/issues/disconnect',
  '/account/servers/notes/token',
  '/account/servers/notes/token/remove',
  '/connect/issues',
  '/account/clients/revoke',
  '/account/keys',
  '/account/keys/revoke',
  '/account/sessions/end',
  '/account/sessions/end-others',
  '/account/password',
]

describe('every form', () => {
  test.each(FORMS)(
    '%s is refused without the token of its page, with another’s, and from elsewhere (R3-31d)',
    async (path) => {
      await using scene = await openScene()
      const ada = await scene.person('ada')
      const bob = await scene.person('bob')
      const { csrf } = ada
      const tries = [
        await ada.send(path, { form: {} }),
        await ada.send(path, { form: { csrf: bob.csrf } }),
        await ada.send(path, { form: { csrf }, headers: { Origin: 'https://evil.test' } }),
        await ada.send(path, { form: { csrf }, headers: { 'Sec-Fetch-Site': 'cross-site' } }),
      ]
      expect(tries.map(({ status }) => status)).toEqual([403, 403, 403, 403])
      expect(scene.failures.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'request.csrf'))
      expect((await scene.anybody(path, { form: { csrf } })).location).toBe('/sign-in?next=%2Faccount')
    },
  )
})

test('no page shows a secret, has a script or a style of its own, or may be framed or kept', async () => {
  await using scene = await openScene()
  const ada = await scene.person('ada', 'owner')
  await fill(scene, ada)
  const paths = ['', '/clients', '/keys', '/sessions', '/servers/notes/token', '/servers/issues/disconnect']
  const pages = [
    ...paths.map((path) => `/account${path}`),
    '/connect/issues',
    '/connect/notes',
    '/connect/issues/done',
    '/lost',
  ]
  for (const path of pages) {
    const { text, headers } = await ada.get(path)
    for (const secret of [...secrets, ada.cookie.split('=')[1]]) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i)
    expect(text.match(/<h1/g)).toHaveLength(1)
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('Cache-Control')).toBe('no-store')
  }
})

async function fill(scene: Scene, { holder }: Awaited<ReturnType<Scene['person']>>): Promise<void> {
  await scene.connect(holder, 'mal')
  await scene.connect(holder, 'tracker')
  await scene.paste(holder)
}
