import { describe, expect, test } from 'vitest'
import { openScene, readable, stateOf, type Scene } from './scene.ts'

/** The path of the link that a client is given for its user. */
function linkFor(
  { connections }: Scene,
  { holder }: Awaited<ReturnType<Scene['person']>>,
  scopes: readonly string[] = [],
): string {
  const { pathname, search } = new URL(connections.linkFor(holder, 'issues', scopes))
  return `${pathname}${search}`
}

describe('the page that a client’s link leads to', () => {
  test('asks to sign in first and comes back with its ticket', async () => {
    await using scene = await openScene()
    const { location } = await scene.anybody('/connect/issues?t=abc')
    expect(location).toBe('/sign-in?next=%2Fconnect%2Fissues%3Ft%3Dabc')
  })

  test('says what is about to be connected, and whose it will be', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const page = await ada.get(linkFor(scene, ada))
    const text = readable(page)
    expect(page.status).toBe(200)
    expect(text).toContain('Server issues Issues. Provider Tracker Access asked for read, write')
    expect(readable(await ada.get('/connect/anime'))).toContain('2 more servers wait for you issues')
    expect(text).toContain('Will belong to ada, the user of this gate you are signed in as')
    expect(text).toContain('3 more servers wait for you')
    expect(page.headers.get('Content-Security-Policy')).not.toContain('form-action')
  })

  test('is for the user alone whose client asked: another is told so, and may sign in as them', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const bob = await scene.person('bob')
    const link = linkFor(scene, ada)
    const page = await bob.get(link)
    expect(page.status).toBe(403)
    expect(readable(page)).toContain('You are signed in as bob')
    expect(page.text).toContain('action="/sign-out"')
    expect(page.text).toContain(`name="next" value="${link}"`)
    expect(scene.failures.map(({ code }) => code)).toEqual(['connect.other_user'])
  })

  test('says what a server wants in addition, and goes on with that', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const link = linkFor(scene, ada, ['delete', 'admin:<all>'])
    const page = await ada.get(link)
    expect(readable(page)).toContain('Access asked for read, write Wanted in addition delete, admin:')
    expect(page.text).not.toContain('<all>')
    const [, action = ''] = /action="(\/connect[^"]*)"/.exec(page.text) ?? []
    const away = await ada.post(action.replaceAll('&amp;', '&'))
    expect(new URL(away.location ?? '').searchParams.get('scope')).toBe('read write delete admin:<all>')
  })

  test('asks for nothing in addition that the gate has not said itself', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const forged = `${linkFor(scene, ada)}&scope=admin`
    expect((await ada.get(forged)).status).toBe(403)
    expect((await ada.post(forged)).status).toBe(403)
    const away = await ada.post('/connect/issues?scope=admin')
    expect(new URL(away.location ?? '').searchParams.get('scope')).toBe('read write')
  })

  test('of a link that has expired leads to the accounts', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const link = linkFor(scene, ada)
    scene.clock.turn(86_400_000)
    const page = await (await ada.signIn()).get(link)
    expect([page.status, readable(page)]).toEqual([410, expect.stringContaining('This link has expired.')])
    expect(page.text).toContain('href="/account"')
  })

  test('says of a provider that is not set up whom to ask, and nothing of a server that needs nothing', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const page = await ada.get('/connect/absent')
    expect([page.status, readable(page)]).toEqual([503, expect.stringContaining('Ask the operator')])
    expect((await ada.get('/connect/clock')).location).toBe('/account')
    expect((await ada.get('/connect/nothing')).status).toBe(404)
  })
})

describe('connecting', () => {
  test('goes to the provider and comes back to a page that can be loaded again (R0-32)', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const away = await ada.post('/connect/issues')
    expect([away.status, away.location]).toEqual([303, expect.stringContaining(`${scene.provider.origin}/authorize?`)])
    const back = await ada.get(`/callback?state=${stateOf(away.location)}&code=x`)
    expect([back.status, back.location]).toEqual([303, '/connect/issues/done'])
    for (let time = 0; time < 2; time++) {
      const text = readable(await ada.get('/connect/issues/done'))
      expect(text).toContain('Go back to your client and let it try again.')
      expect(text).toContain('3 more servers wait for you anime MyAnimeList Connect anime')
    }
    const again = await ada.get(`/callback?state=${stateOf(away.location)}&code=x`)
    expect(again.location).toBe('/connect/issues/done')
    expect(scene.provider.seenAt('/token')).toHaveLength(1)
    const unknown = await ada.get('/callback?state=x&code=x')
    expect([unknown.status, readable(unknown)]).toEqual([400, expect.stringContaining('Begin again')])
  })

  test('in another browser than it was begun in connects nothing', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const bob = await scene.person('bob')
    const away = await ada.post('/connect/issues')
    expect((await bob.get(`/callback?state=${stateOf(away.location)}&code=x`)).status).toBe(400)
    expect((await ada.get('/connect/issues/done')).location).toBe('/connect/issues')
    expect(await scene.connections.list(bob.tenant, bob.userId)).toEqual([])
  })

  test('comes back to nobody where the session has ended, and says how to go on', async () => {
    await using scene = await openScene()
    const page = await scene.anybody('/callback?state=x&code=y')
    expect([page.status, readable(page)]).toEqual([403, expect.stringContaining('Nothing was connected')])
    expect(page.text).toContain('href="/sign-in?next=%2Faccount"')
    expect(page.text).not.toContain('state=x')
  })

  test('that the provider refused says so, without what it wrote', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    const state = stateOf((await ada.post('/connect/issues')).location)
    const page = await ada.get(`/callback?state=${state}&error=access_denied&error_description=<b>haha</b>`)
    expect([page.status, readable(page)]).toEqual([
      400,
      expect.stringContaining('Tracker did not connect your account'),
    ])
    expect(page.text).not.toContain('haha')
  })

  test('comes back only so often from one address', async () => {
    await using scene = await openScene({ callbacksPerMinute: 2 })
    const ada = await scene.person('ada')
    const codes: number[] = []
    for (let time = 0; time < 3; time++) codes.push((await ada.get('/callback?state=x')).status)
    expect(codes).toEqual([400, 400, 429])
  })

  test('a server that wants a token shows where to paste it on the same page', async () => {
    await using scene = await openScene()
    const ada = await scene.person('ada')
    expect(readable(await ada.get('/connect/notes'))).toContain('Make one under Settings.')
    const wrong = await ada.post('/connect/notes', { token: 'wrong' })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('action="/connect/notes"')])
    expect((await ada.post('/connect/notes', { token: 'note_1234' })).location).toBe('/connect/notes/done')
    expect(readable(await ada.get('/connect/notes/done'))).toContain('notes can be used with your Notes account now.')
  })
})
