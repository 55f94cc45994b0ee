import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import { eachDatabase } from '../stores/databases.ts'
import { hidden, type Browser, type Page } from './browser.ts'
import { openEmbedded, openScene, PASSWORD } from './scene.ts'

const HOUR = 3_600_000

async function setPassword(browser: Browser, path: string, password: string, again = password): Promise<Page> {
  const page = await browser.get(path)
  return page.status === 200 ? browser.post(path, { ...hidden(page), password, again }) : page
}

eachDatabase((_name, openFresh) => {
  test('a link lets its user set a password and in, once', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.users.add(DEFAULT_TENANT, { name: 'ada', role: 'member' })
    const path = await scene.link(ada.id)
    const browser = scene.browser()
    expect((await browser.get(path)).text).toContain('Welcome, ada')
    expect(await setPassword(browser, path, PASSWORD)).toMatchObject({ status: 303, location: '/account' })
    const found = await scene.sessions.find(`sekisho=${browser.cookies.get('sekisho')}`)
    expect(found).toMatchObject({ userId: ada.id, amr: ['pwd'] })
    expect((await scene.browser().get(path)).status).toBe(404)
    expect(await scene.audited()).toContainEqual(
      expect.objectContaining({ kind: 'password.set', user: ada.id, how: 'invitation' }),
    )
    const link = path.split('/').at(-1) ?? '-'
    const rows = await scene.storage.system.selectFrom('invitations').selectAll().execute()
    expect(JSON.stringify([rows, await scene.audited()])).not.toContain(link)
  })

  test('of several who use a link at once, one sets the password', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.users.add(DEFAULT_TENANT, { name: 'ada', role: 'member' })
    const link = (await scene.link(ada.id)).split('/').at(-1) ?? ''
    const wanted = [1, 2, 3].map((index) => `${PASSWORD} ${index}`)
    const outcomes = await Promise.allSettled(wanted.map((text) => scene.invitations.use(link, secret(text))))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const good = await Promise.all(wanted.map((text) => scene.passwords.verify(DEFAULT_TENANT, ada.id, secret(text))))
    expect(good.map((setAt) => setAt !== undefined)).toEqual(outcomes.map(({ status }) => status === 'fulfilled'))
  })

  test('a link is good until it expires, or the next one is made, or its user is gone', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const ada = await scene.users.add(DEFAULT_TENANT, { name: 'ada', role: 'member' })
    const first = await scene.link(ada.id)
    const second = await scene.link(ada.id)
    expect((await scene.browser().get(first)).status).toBe(404)
    scene.clock.turn(71 * HOUR)
    expect((await scene.browser().get(second)).status).toBe(200)
    scene.clock.turn(2 * HOUR)
    expect((await scene.browser().get(second)).status).toBe(404)
    const third = await scene.link(ada.id)
    await scene.users.remove(DEFAULT_TENANT, ada.id)
    expect((await scene.browser().get(third)).status).toBe(404)
  })

  test('a new password signs the user’s browsers out and leaves those of others', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const [ada, bob] = [await scene.person('ada'), await scene.person('bob')]
    const from = { browser: 'x', address: 'y', amr: ['pwd'] }
    await scene.sessions.start(DEFAULT_TENANT, ada.id, from)
    await scene.sessions.start(DEFAULT_TENANT, bob.id, from)
    expect((await setPassword(scene.browser(), await scene.link(ada.id), 'another lantern, another pass')).status).toBe(
      303,
    )
    expect(await scene.sessions.list(DEFAULT_TENANT, ada.id)).toHaveLength(1)
    expect(await scene.sessions.list(DEFAULT_TENANT, bob.id)).toHaveLength(1)
  })

  test('the first administrator and their link are made together', async () => {
    await using fresh = await openFresh()
    await using scene = await openScene(fresh.storage)
    const made = await scene.users.addFirst(DEFAULT_TENANT, 'admin', (db, { id }) => scene.invitations.createIn(db, id))
    const path = new URL(made?.url.reveal() ?? '').pathname
    expect((await setPassword(scene.browser(), path, PASSWORD)).status).toBe(303)
  })
})

test.for([
  ['short', '1w%k9Qz', 'fewer than 8'],
  ['known from leaks', 'Password123', 'first that attackers try'],
  ['known, with spaces', 'correct horse battery staple', 'first that attackers try'],
  ['the user’s name', 'ada lovelace 1815', 'your name'],
  ['the gate’s name', 'Sekisho2026!', 'your name'],
  ['a repetition', 'xyxyxyxyxy', 'repetition'],
  ['a sequence', 'abcdefghijkl', 'repetition'],
  ['a row of keys', 'poiuytrewqpoiuy', 'repetition'],
  ['far too long', 'long '.repeat(60), 'more than 256'],
] as const)('a password that is %s is refused, with why beside its field', async ([, password, why]) => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const ada = await scene.users.add(DEFAULT_TENANT, { name: 'Ada Lovelace', role: 'member' })
  const path = await scene.link(ada.id)
  const browser = scene.browser()
  const page = await setPassword(browser, path, password)
  expect(page.status).toBe(400)
  expect(page.text).toContain(why)
  expect(page.text).toMatch(/aria-describedby="[^"]*password-error"/)
  expect(page.text).not.toContain(password)
  expect((await setPassword(browser, path, PASSWORD, 'something else')).text).toContain('The two passwords differ.')
  expect((await setPassword(browser, path, PASSWORD)).status).toBe(303)
})
