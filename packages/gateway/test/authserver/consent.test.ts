import { expect, test } from 'vitest'
import { covers, type Asked, type Consent } from '../../src/authserver/consents.ts'
import { problem } from '../../src/base/problem.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { createBrowser } from './browser.ts'
import {
  authorize,
  authorizeUrl,
  HOUR,
  letIn,
  openScene,
  redeem,
  createPkce,
  refresh,
  refuse,
  registerClient,
} from './scene.ts'

eachDatabase((_name, openFresh) => {
  test('R1-11: a user is asked once for each client, and again when it wants more or sends the answer elsewhere', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const redirects = ['http://127.0.0.1/cb', 'https://app.test/cb']
    const clientId = await registerClient(scene, { redirect_uris: redirects })
    const browser = createBrowser({ id: user.id })
    const ask = async (more: Record<string, string>, redirectUri = 'http://127.0.0.1:4000/cb') => {
      const url = authorizeUrl(scene, { clientId, redirectUri, more })
      const { asked, answer } = await authorize(scene, browser, user, url)
      expect(answer.searchParams.get('code')).toBeTruthy()
      return asked
    }
    const github = { resource: `${scene.publicUrl}/mcp/github` }
    expect(await ask(github)).toEqual(['consent'])
    expect(await ask(github)).toEqual([])
    expect(await ask(github, 'http://127.0.0.1:4001/cb')).toEqual([])
    expect(await ask({ resource: `${scene.publicUrl}/mcp/notes` })).toEqual(['consent'])
    expect(await ask({})).toEqual(['consent'])
    expect(await ask(github)).toEqual([])
    expect(await ask({ scope: 'openid mcp' })).toEqual(['consent'])
    expect(await ask({ scope: 'openid mcp' })).toEqual([])
    expect(await ask({ prompt: 'none' })).toEqual([])
    expect(await ask({ prompt: 'consent' })).toEqual(['consent'])
    expect(await ask({}, 'https://app.test/cb')).toEqual(['consent'])
  })

  test('a client is allowed whatever it calls itself', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene, { client_name: 'odd\0 \ud800 \u202ename' })
    await letIn(scene, user, { clientId })
    expect(await scene.server.consents.list(DEFAULT_TENANT, user.id)).toHaveLength(1)
  })

  test('RFC 8252 §8.6: where another program could use the client id, its user is asked each time', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const browser = createBrowser({ id: user.id })
    const scheme = 'com.example.app:/cb'
    const own = await registerClient(scene, { redirect_uris: [scheme] })
    const ask = async (redirectUri: string, clientId = 'known') =>
      (await authorize(scene, browser, user, authorizeUrl(scene, { clientId, redirectUri }))).asked
    for (const local of ['http://127.0.0.1:4000/cb', 'com.example.known:/cb']) {
      expect([await ask(local), await ask(local)], `with ${local}`).toEqual([['consent'], ['consent']])
      const silently = authorizeUrl(scene, { clientId: 'known', redirectUri: local, more: { prompt: 'none' } })
      expect((await browser.open(silently)).location?.searchParams.get('error')).toBe('consent_required')
    }
    const known = 'https://known.test/cb'
    expect([await ask(known), await ask(known)]).toEqual([['consent'], []])
    expect([await ask(scheme, own), await ask(scheme, own)]).toEqual([['consent'], []])
  })

  test('one user’s permission is nobody else’s, and what is taken back has to be given again', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const [ada, bob] = [await scene.addUser('ada'), await scene.addUser('bob')]
    const clientId = await registerClient(scene)
    const tokens = await letIn(scene, ada, { clientId })
    const asked = async (user: typeof ada) =>
      (await authorize(scene, createBrowser({ id: user.id }), user, authorizeUrl(scene, { clientId }))).asked
    expect(await asked(bob)).toEqual(['consent'])
    expect(await asked(ada)).toEqual([])

    const { consents } = scene.server
    expect(await consents.list(DEFAULT_TENANT, ada.id)).toEqual([
      {
        clientId,
        clientName: 'A program',
        redirectHost: '127.0.0.1:5555',
        scopes: ['mcp'],
        resources: [`${scene.publicUrl}/mcp`],
        grantedAt: scene.clock.now(),
        usedAt: null,
      },
    ])
    expect(await scene.server.verify(tokens.accessToken)).toBeDefined()
    const by = { requestId: 'r-1', address: '192.0.2.7' }
    expect(await consents.revoke(DEFAULT_TENANT, ada.id, clientId, by)).toBe(true)
    const taken = {
      kind: 'consent.revoked',
      userId: ada.id,
      owner: ada.id,
      client: clientId,
      clientName: 'A program',
      ...by,
    }
    expect(scene.events.at(-1)).toEqual(taken)
    const lastly = scene.events.at(-1)
    expect(await scene.server.verify(tokens.accessToken)).toBeUndefined()
    expect((await refresh(scene, clientId, tokens.refreshToken)).status).toBe(400)
    expect(await consents.list(DEFAULT_TENANT, ada.id)).toEqual([])
    expect(await consents.revoke(DEFAULT_TENANT, ada.id, clientId, by)).toBe(false)
    expect(scene.events.at(-1)).toBe(lastly)
    expect(await asked(ada)).toEqual(['consent'])
    expect(await asked(bob)).toEqual([])
  })

  test('R1-11: nothing is taken back that cannot be recorded, and by whom it was is', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const [ada, root] = [await scene.addUser('ada'), await scene.addUser('root')]
    const clientId = await registerClient(scene)
    const tokens = await letIn(scene, ada, { clientId })
    const full = () => {
      throw problem('audit.full')
    }
    await scene.restart({ audit: { requireRoom: full, record: full, note: () => {} } })
    const revoke = () => scene.server.consents.revoke(DEFAULT_TENANT, ada.id, clientId, { userId: root.id, key: 'k-1' })
    await expect(revoke()).rejects.toMatchObject({ code: 'audit.full' })
    expect(await scene.server.verify(tokens.accessToken)).toBeDefined()
    await scene.restart()
    expect(await revoke()).toBe(true)
    expect(scene.events.at(-1)).toMatchObject({ userId: root.id, key: 'k-1', owner: ada.id })
  })

  test('when it was used is remembered', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { accessToken } = await letIn(scene, user, { clientId })
    scene.clock.turn(60_000)
    await scene.server.verify(accessToken)
    const usedAt = scene.clock.now()
    await scene.restart()
    expect(await scene.server.consents.list(DEFAULT_TENANT, user.id)).toMatchObject([{ usedAt }])
  })

  test('a user who refuses sends the client away with access_denied, and is asked anew', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const browser = createBrowser({ id: user.id })
    const { answer } = await refuse(scene, browser, user, authorizeUrl(scene, { clientId }))
    const expected = { error: 'access_denied', state: 'xyz', iss: scene.publicUrl }
    expect(Object.fromEntries(answer.searchParams)).toMatchObject(expected)
    expect((await authorize(scene, browser, user, authorizeUrl(scene, { clientId }))).asked).toEqual(['consent'])
  })

  test('the page of the question knows who asks, and for what', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const more = { resource: `http://127.0.0.1:${scene.port}/mcp/github/`, scope: 'mcp files:write', login_hint: 'ada' }
    const { location } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId, more }))
    const uid = location?.pathname.split('/').at(-1) ?? ''
    expect(await scene.server.interactions.find(uid)).toMatchObject({
      uid,
      prompt: 'consent',
      clientId,
      clientName: 'A program',
      redirectUri: 'http://127.0.0.1:5555/cb',
      redirectHost: '127.0.0.1:5555',
      isLocalRedirect: true,
      isMetadataClient: false,
      resources: [`${scene.publicUrl}/mcp/github`],
      scopes: ['mcp'],
      account: { tenant: DEFAULT_TENANT, userId: user.id },
      loginHint: 'ada',
    })
    const anew = new URL(await scene.server.interactions.beginAnew(uid), scene.publicUrl)
    expect(anew.pathname).toBe('/authorize')
    expect(anew.searchParams.get('client_id')).toBe(clientId)
    expect(anew.searchParams.get('state')).toBe('xyz')
    scene.clock.turn(2 * HOUR)
    expect(await scene.server.interactions.find(uid)).toBeUndefined()
    expect(await scene.server.interactions.find('nothing')).toBeUndefined()
  })

  test('what a client begins in one browser lets it in nowhere as somebody who answered in another', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const [ada, mallory] = [await scene.addUser('ada'), await scene.addUser('mallory')]
    const { verifier, challenge } = createPkce()
    const who = { tenant: DEFAULT_TENANT, userId: ada.id, createdAt: scene.clock.now() }
    for (const signedIn of [undefined, { id: mallory.id }]) {
      const clientId = await registerClient(scene)
      await letIn(scene, ada, { clientId })
      const theirs = createBrowser(signedIn)
      const begun = await theirs.open(authorizeUrl(scene, { clientId, challenge }))
      const uid = begun.location?.pathname.split('/').at(-1) ?? ''
      const { interactions } = scene.server
      const back = await ((await interactions.find(uid))?.prompt === 'login'
        ? interactions.signedIn(uid, who)
        : interactions.consent(uid, who))
      const { location } = await theirs.open(new URL(back, scene.publicUrl))
      expect(location?.searchParams.get('code') ?? null).toBeNull()
      expect(location?.origin).toBe(scene.publicUrl)
      const { answer } = await authorize(scene, theirs, mallory, location ?? new URL(scene.publicUrl))
      const { body } = await redeem(scene, { clientId, code: answer.searchParams.get('code') ?? '', verifier })
      expect(await scene.server.verify(String(body['access_token']))).toMatchObject({ userId: mallory.id })
    }
  })

  test('an authorization goes on only in the browser that began it', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    const { location } = await createBrowser({ id: user.id }).open(authorizeUrl(scene, { clientId }))
    const uid = location?.pathname.split('/').at(-1) ?? ''
    const who = { tenant: DEFAULT_TENANT, userId: user.id, createdAt: scene.clock.now() }
    const back = new URL(await scene.server.interactions.consent(uid, who), scene.publicUrl)
    const elsewhere = await createBrowser({ id: user.id }).open(back)
    expect([elsewhere.status, elsewhere.location]).toEqual([400, undefined])
    await expect(scene.server.interactions.consent('nothing', who)).rejects.toMatchObject({ code: 'oauth.request' })
  })

  test('OpenID Connect Core §3.1.2.1: prompt=login and max_age ask for a sign-in that is new', async () => {
    await using database = await openFresh()
    const scene = await openScene(database)
    const user = await scene.addUser()
    const clientId = await registerClient(scene)
    await letIn(scene, user, { clientId })
    const old = { id: user.id, signedInAt: scene.clock.now() - 2 * HOUR }
    const askedWith = async (more: Record<string, string>) =>
      (await authorize(scene, createBrowser(old), user, authorizeUrl(scene, { clientId, more }))).asked
    expect(await askedWith({})).toEqual([])
    expect(await askedWith({ prompt: 'login' })).toEqual(['login'])
    expect(await askedWith({ prompt: 'select_account' })).toEqual(['login'])
    expect(await askedWith({ max_age: '3600' })).toEqual(['login'])
    expect(await askedWith({ max_age: '86400' })).toEqual([])
    expect(await askedWith({ max_age: '3600', scope: 'openid' })).toEqual(['login', 'consent'])
    expect(await askedWith({ max_age: '86400', scope: 'openid' })).toEqual([])

    const { location } = await createBrowser(old).open(authorizeUrl(scene, { clientId, more: { prompt: 'login' } }))
    const uid = location?.pathname.split('/').at(-1) ?? ''
    const { interactions } = scene.server
    expect((await interactions.find(uid))?.signInAfter).toBeGreaterThan(old.signedInAt)
    const who = { tenant: DEFAULT_TENANT, userId: user.id, createdAt: old.signedInAt }
    await expect(interactions.signedIn(uid, who)).rejects.toMatchObject({ code: 'login.required' })
  })
})

const all = 'http://gate/mcp'
const before: Consent = {
  clientId: 'c',
  clientName: 'C',
  redirectHost: 'localhost:1',
  scopes: ['mcp'],
  resources: [`${all}/a`],
  grantedAt: 0,
  usedAt: null,
}
const now: Asked = { scopes: ['mcp'], resources: [`${all}/a`], redirectHost: 'localhost:1', isAssured: true }

test.each<[boolean, Partial<Consent>, Partial<Asked>]>([
  [true, {}, {}],
  [true, {}, { redirectHost: 'localhost:2' }],
  [true, { resources: [all] }, { resources: [`${all}/b`] }],
  [false, {}, { resources: [`${all}/b`] }],
  [false, {}, { resources: [all] }],
  [false, {}, { scopes: ['openid', 'mcp'] }],
  [false, {}, { redirectHost: '127.0.0.1:1' }],
  [false, {}, { isAssured: false }],
  [false, { redirectHost: 'a.test:1' }, { redirectHost: 'a.test:2' }],
])('a permission covers what is asked: %s for %o and %o', (expected, consent, asked) => {
  expect(covers({ ...before, ...consent }, { ...now, ...asked }, all)).toBe(expected)
})
