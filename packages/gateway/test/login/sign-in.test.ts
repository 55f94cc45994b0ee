import { expect, test } from 'vitest'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { hidden, type Browser, type Page } from './browser.ts'
import { openScene, PASSWORD } from './scene.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function signIn(browser: Browser, name: string, password = PASSWORD, next?: string): Promise<Page> {
  const page = await browser.get(next === undefined ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`)
  return browser.post('/sign-in', { ...hidden(page), name, password })
}

/** What a page says, without what differs from one browser to the next. */
function wordsOf({ text }: Page, name: string): string {
  return text.replace(/name="csrf" value="[^"]*"/, '').replaceAll(name, '?')
}

eachDatabase((_name, openFresh) => {
  test('whoever knows name and password is let in, and the root leads on to the account', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const browser = scene.browser()
    expect(await browser.get('/')).toMatchObject({ status: 303, location: '/sign-in' })
    expect(await signIn(browser, 'ada')).toMatchObject({ status: 303, location: '/account' })
    expect(await browser.get('/')).toMatchObject({ location: '/account' })
    expect(await browser.get('/sign-in')).toMatchObject({ status: 303, location: '/account' })
    expect(await scene.audited()).toContainEqual(
      expect.objectContaining({ kind: 'login.ok', user: ada.id, how: 'pwd', address: '127.0.0.1' }),
    )
  })

  test('a wrong password, an unknown name and a user without a password are answered alike', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    await scene.person('ada')
    await scene.users.add(DEFAULT_TENANT, { name: 'bob', role: 'member' })
    const said = []
    for (const name of ['ada', 'nobody', 'bob', 'a\u0000b', 'x'.repeat(5_000)]) {
      const page = await signIn(scene.browser(), name, 'not the password')
      expect(page.status).toBe(400)
      said.push(
        wordsOf(page, name)
          .replace(/ value="\?"/, '')
          .replaceAll('\u0000', ''),
      )
    }
    expect(new Set(said).size).toBe(1)
    expect(said[0]).toContain('The name or the password is not right.')
    expect((await scene.audited()).filter(({ kind }) => kind === 'login.failed')).toHaveLength(1)
  })

  test('the session is under a new value after each sign-in, and the one before opens nothing', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    await scene.person('ada')
    const browser = scene.browser()
    browser.cookies.set('sekisho', 'A'.repeat(43))
    await signIn(browser, 'ada')
    const first = browser.cookies.get('sekisho')
    expect(first).not.toBe('A'.repeat(43))
    const page = await browser.get('/sign-in?again=')
    await browser.post('/sign-in', { ...hidden(page, '/sign-in'), name: 'ada', password: PASSWORD })
    expect(browser.cookies.get('sekisho')).not.toBe(first)
    expect(await scene.sessions.find(`sekisho=${first}`)).toBeUndefined()
    expect(await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)).toMatchObject({ userName: 'ada' })
  })

  test('a browser that stays away is signed out, and one that stays too long as well', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const browser = scene.browser()
    await signIn(browser, 'ada')
    const cookie = `sekisho=${browser.cookies.get('sekisho')}`
    for (let hours = 0; hours < 710; hours += 71) {
      scene.clock.turn(71 * HOUR)
      expect(await scene.sessions.find(cookie)).toMatchObject({ userId: ada.id })
      await scene.sessions.close()
    }
    scene.clock.turn(11 * HOUR)
    expect(await scene.sessions.find(cookie)).toBeUndefined()
    const second = scene.browser()
    await signIn(second, 'ada')
    scene.clock.turn(73 * HOUR)
    expect(await scene.sessions.find(`sekisho=${second.cookies.get('sekisho')}`)).toBeUndefined()
    expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toEqual([])
  })

  test('a session has its user’s role of now, and ends with the user', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.person('ada')
    const browser = scene.browser()
    await signIn(browser, 'ada')
    const cookie = `sekisho=${browser.cookies.get('sekisho')}`
    await scene.users.setRole(DEFAULT_TENANT, ada.id, 'admin')
    expect(await scene.sessions.find(cookie)).toMatchObject({ role: 'admin' })
    await scene.users.remove(DEFAULT_TENANT, ada.id)
    expect(await scene.sessions.find(cookie)).toBeUndefined()
  })

  test('users see their own browsers only, and end one or all but one of them', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const [ada, bob] = [await scene.person('ada'), await scene.person('bob')]
    const [first, second, others] = [scene.browser(), scene.browser(), scene.browser()]
    for (const browser of [first, second]) await signIn(browser, 'ada')
    await signIn(others, 'bob')
    const all = await scene.sessions.list(DEFAULT_TENANT, ada.id)
    expect(all).toHaveLength(2)
    expect(await scene.sessions.end(DEFAULT_TENANT, bob.id, all[0]?.id ?? '')).toBe(false)
    const here = await scene.sessions.find(`sekisho=${second.cookies.get('sekisho')}`)
    expect(await scene.sessions.endAll(DEFAULT_TENANT, ada.id, here?.sessionId)).toBe(1)
    expect(await scene.sessions.find(`sekisho=${first.cookies.get('sekisho')}`)).toBeUndefined()
    expect(await scene.sessions.find(`sekisho=${others.cookies.get('sekisho')}`)).toBeDefined()
  })

  test('R1-11f: the browsers that are signed in are counted, whoever’s they are, but for those that stayed away', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    expect(await scene.sessions.count()).toBe(0)
    for (const name of ['ada', 'ben']) {
      await scene.person(name)
      await signIn(scene.browser(), name)
    }
    expect(await scene.sessions.count()).toBe(2)
    scene.clock.turn(71 * HOUR)
    await signIn(scene.browser(), 'ada')
    expect(await scene.sessions.count()).toBe(3)
    scene.clock.turn(2 * HOUR)
    expect(await scene.sessions.count()).toBe(1)
  })

  test('the cookie’s value is nowhere in the database', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    await scene.person('ada')
    const browser = scene.browser()
    await signIn(browser, 'ada')
    const rows = await scene.storage.system.selectFrom('sessions').selectAll().execute()
    const hashes = await scene.storage.system.selectFrom('passwords').select('hash').execute()
    expect(rows).toHaveLength(1)
    expect(JSON.stringify([rows, hashes])).not.toContain(browser.cookies.get('sekisho'))
    expect(hashes[0]?.hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
  })

  test('signing out ends the session and takes its cookie away', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    await scene.person('ada')
    const browser = scene.browser()
    await signIn(browser, 'ada')
    const cookie = `sekisho=${browser.cookies.get('sekisho')}`
    const session = await scene.sessions.find(cookie)
    expect((await browser.post('/sign-out', { csrf: 'wrong' })).status).toBe(403)
    expect(await scene.sessions.find(cookie)).toBeDefined()
    const answer = await browser.post('/sign-out', { csrf: session?.csrf ?? '' })
    expect(answer).toMatchObject({ status: 303, location: '/sign-in?done=signedOut' })
    expect(browser.cookies.has('sekisho')).toBe(false)
    expect(await scene.sessions.find(cookie)).toBeUndefined()
    expect((await browser.get('/sign-in?done=signedOut')).text).toContain('You are signed out')
    expect((await scene.audited()).at(-1)).toMatchObject({ kind: 'login.ended' })
  })
})
