import { createIdentityEmulator } from '@sekisho/playground/identity'
import { expect, test } from 'vitest'
import { createBrowser, type Browser, type Page } from '../../../../../scripts/lib/browser.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { csrfOf, send } from '../../attacks/ground.ts'
import { freshDataDir } from '../stopped.ts'

/** R3-31: a gate that has no way in of its own, at which identity providers alone vouch for people. */
const SECRET = 'secret-of-the-gate-at-the-provider'

async function openPlace() {
  await using open = new AsyncDisposableStack()
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const { dataDir } = open.use(freshDataDir())
  const client = { id: 'gate', secret: SECRET, name: 'Gate', redirectUris: [`${publicUrl}/sign-in/from/corp`] }
  const identity = open.use(await createIdentityEmulator({ clients: [client] }))
  const { url: issuer } = await identity.listen()
  const corp = { label: 'Corp', issuer, clientId: 'gate', clientSecret: SECRET }
  const start = (signIn: object) =>
    startGate({ port, dataDir, config: { publicUrl, signIn: { with: { corp }, ...signIn } } })
  const opened = open.move()
  return { publicUrl, start, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** The link that a start prints; nothing where it prints none. */
const linkIn = (log: string): string | undefined => /^ {2}(\S+\/welcome\/[\w-]+)$/m.exec(log)?.[1]

/** Chooses somebody on the provider's page, where it asks. */
async function beAt(page: Page, username: string): Promise<Page> {
  const button = new RegExp(`^Sign in as ${username}`, 'i')
  return page.has(button) ? page.press(button) : page
}

/** Comes in by a link, in a browser of its own. */
async function enterBy(link: string): Promise<[Browser, Page]> {
  const browser = createBrowser()
  return [browser, await (await browser.open(link)).press(/^Come in/)]
}

async function linkTo(browser: Browser, page: Page, username: string): Promise<Page> {
  expect(page.url).toMatch(/\/account\/linked$/)
  return beAt(await (await browser.open(page.url)).press(/^Link Corp/), username)
}

test('the first owner, and whoever is invited or locked out, come in by a link once and then by the provider', async () => {
  await using place = await openPlace()
  const gate = await place.start({ methods: [] })
  await gate.stop()
  // Whoever missed the link is shown another, for as long as nobody can come in.
  await using again = await place.start({ methods: [] })
  expect(again.log()).toMatch(/You are admin\. Come in, and link the account/)
  const link = linkIn(again.log()) ?? ''
  expect(link).not.toBe(linkIn(gate.log()))

  const browser = createBrowser()
  const page = await browser.open(link)
  expect(page.text).toMatch(/lets you in once/)
  expect(page.html).not.toMatch(/type="password"/)
  const linked = await linkTo(browser, await page.press(/^Come in/), 'ada')
  expect(linked.url).toMatch(/done=identityLinked$/)
  expect((await createBrowser().open(link)).status).toBe(404)

  const signIn = await createBrowser().open(`${place.publicUrl}/sign-in`)
  expect(signIn.html).not.toMatch(/type="password"|data-asks/)
  expect((await beAt(await signIn.press(/^Continue with Corp/), 'ada')).url).toBe(`${place.publicUrl}/account`)

  // Somebody else, and then the same one, who lost the account elsewhere.
  const invited = await again.inviteUser('grace')
  await linkTo(...(await enterBy(invited)), 'ben')
  const { body } = await again.admin('POST', '/admin/api/users/grace/password-reset', {})
  const linkedAnew = await linkTo(...(await enterBy((body as { url: string }).url)), 'cleo')
  expect(linkedAnew.url).toMatch(/done=identityLinked$/)
  const sessions = await browser.open(`${place.publicUrl}/account/sessions`)
  expect(sessions.html).not.toMatch(/type="password"/)
})

test('once an owner has linked an account no start prints a link, and no form signs anybody in', async () => {
  await using place = await openPlace()
  const first = await place.start({ methods: [] })
  const browser = createBrowser()
  await linkTo(browser, await (await browser.open(linkIn(first.log()) ?? '')).press(/^Come in/), 'ada')
  await first.stop()
  await using gate = await place.start({ methods: [] })
  expect(linkIn(gate.log())).toBeUndefined()

  const other = createBrowser()
  const page = await other.open(`${place.publicUrl}/sign-in`)
  const headers = { cookie: await other.cookies(page.url), origin: place.publicUrl }
  for (const way of ['password', 'passkey', '']) {
    const form = { csrf: csrfOf(page.html), way, name: 'admin', password: 'x', answer: '{}' }
    expect([way, (await send(`${place.publicUrl}/sign-in`, { form, headers })).status]).toEqual([way, 404])
  }
})

test('an identity that is the only way in is not unlinked, though there is a password of before', async () => {
  await using place = await openPlace()
  const before = await place.start({})
  const browser = createBrowser()
  const welcome = await browser.open(linkIn(before.log()) ?? '')
  const password = 'a gate upon the old highway'
  await welcome.press(/^Set the password/, { password, again: password })
  await linkTo(browser, await browser.open(`${place.publicUrl}/account/linked`), 'ada')
  await before.stop()
  await using _gate = await place.start({ methods: [] })
  const page = await (await browser.open(`${place.publicUrl}/account/linked`)).press(/^Unlink/)
  expect([page.status, page.text]).toEqual([409, expect.stringMatching(/only way/i)])
})
