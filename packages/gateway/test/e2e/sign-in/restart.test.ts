import { users } from '@sekisho/playground/mal/users'
import { expect, test } from 'vitest'
import { textAt } from '../../../../../scripts/lib/admin.ts'
import type { Browser, Page } from '../../../../../scripts/lib/browser.ts'
import { acceptInvitation, connectMal } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../journey/outside.ts'
import { doorOf } from '../place.ts'
import { call, said, textFrom } from '../wire.ts'
import {
  ask,
  exchange,
  heldBy,
  isRedirect,
  knock,
  letIn,
  openBrowserOf,
  refresh,
  registerClient,
  type Asking,
  type Held,
} from './client.ts'
import { withoutPostgres } from '../../stores/databases.ts'
import { openSchema } from './postgres.ts'

/** A gate that ends, in order or not, costs nobody anything: R3-08, R4-02, R1-06. */
const LIST = 'mal__get_my_anime_list'
const ENDINGS = ['SIGTERM', 'SIGKILL'] as const

test.for(ENDINGS)('whoever was let in before %s is let in after it, and what was begun is ended', async (signal) => {
  await using outside = await openOutside()
  const { pid } = outside.gate
  await outlive(outside, signal)
  expect(outside.gate.pid).not.toBe(pid)
})

test.skipIf(withoutPostgres).for(ENDINGS)('so it is on PostgreSQL, with %s', async (signal) => {
  await using schema = await openSchema()
  await using outside = await openOutside({ env: { DATABASE_URL: schema.databaseUrl } })
  await outlive(outside, signal)
  expect(await schema.count('connections')).toBe(2)
})

async function outlive(outside: Outside, signal: NodeJS.Signals): Promise<void> {
  const before = await letEverybodyIn(outside)
  const begun = await begin(outside, before.browser)
  await outside.restart(signal)
  await expectAllHolds(outside, before)
  await expectBegunEnds(outside, begun)
  await expectLinksOpen(outside, before)
}

interface Before {
  readonly browser: Browser
  readonly held: Held
  /** What the refresh token was before the last refresh, of which the client is taken not to have heard. */
  readonly unheard: Held
  readonly key: string
  readonly connectLink: string
  readonly invitation: string
}

async function letEverybodyIn({ gate, publicUrl }: Outside): Promise<Before> {
  const browser = await openBrowserOf(gate, 'ada')
  const unheard = await letIn(publicUrl, browser)
  const held = heldBy(unheard.clientId, await refresh(publicUrl, unheard))
  await connectMal(browser, await linkFrom({ gate }, held.accessToken), account('mika'))
  expect(await list({ gate }, held.accessToken)).toMatch(/12/)

  const { key } = await gate.addUser('ben')
  const invited = await gate.admin('POST', '/admin/api/users/ben/invitation', {})
  const invitation = textAt(invited.body, 'url')
  return { browser, held, unheard, key, connectLink: await linkFrom({ gate }, key), invitation }
}

interface Begun {
  readonly asking: Asking
  readonly consent: Page
  readonly atProvider: Page
}

/** A client whose user has not answered yet, and a user who is away at the provider. */
async function begin({ publicUrl }: Outside, browser: Browser): Promise<Begun> {
  const asking = ask(publicUrl, await registerClient(publicUrl))
  const consent = await browser.open(asking.url.href)
  expect(consent.has(/^Allow/)).toBe(true)
  const page = await browser.open(`${publicUrl}/connect/mal`)
  return { asking, consent, atProvider: await page.press(/^Continue to MyAnimeList/) }
}

async function expectAllHolds({ gate, publicUrl, mal }: Outside, before: Before): Promise<void> {
  const { browser, held, unheard, key } = before
  // 1. The browser is signed in, the token and the key are good, and the account is connected: also when it is due.
  expect(new URL((await browser.open(`${publicUrl}/account`)).url).pathname).toBe('/account')
  expect([await knock(gate, held.accessToken), await knock(gate, key)]).toEqual([200, 200])
  mal.expireTokens('mika')
  expect(await list({ gate }, held.accessToken)).toMatch(/12/)

  // 2. The client asks again with the token whose successor it never heard of, and goes on from there.
  const renewed = heldBy(held.clientId, await refresh(publicUrl, unheard))
  const next = heldBy(held.clientId, await refresh(publicUrl, renewed))
  expect(await knock(gate, next.accessToken)).toBe(200)

  // 3. It is still registered and allowed: its user is not asked a second time.
  const again = ask(publicUrl, held.clientId)
  const callback = await browser.open(again.url.href)
  expect(isRedirect(new URL(callback.url))).toBe(true)
  expect((await exchange(publicUrl, again, new URL(callback.url))).status).toBe(200)
}

async function expectBegunEnds({ gate, publicUrl }: Outside, { asking, consent, atProvider }: Begun): Promise<void> {
  const callback = new URL((await consent.press(/^Allow/)).url)
  const held = heldBy(asking.clientId, await exchange(publicUrl, asking, callback))
  expect(await knock(gate, held.accessToken)).toBe(200)
  expect((await atProvider.press(/^Allow/)).text).toMatch(/Connected/)
}

/** The links of before: of an invitation, and to connect an account. */
async function expectLinksOpen({ gate }: Outside, { key, connectLink, invitation }: Before): Promise<void> {
  const browser = await acceptInvitation(invitation, { stopAt: isRedirect })
  const page = await connectMal(browser, connectLink, account('haru'))
  expect(page.text).toMatch(/Connected/)
  expect(await list({ gate }, key)).not.toBe('')
}

/** The link that a client is given where an account is missing. */
async function linkFrom({ gate }: Pick<Outside, 'gate'>, key: string): Promise<string> {
  const text = said(await call(doorOf(gate, { key }), LIST))
  return /http\S+\/connect\/mal\?t=[\w.-]+/.exec(text)?.[0] ?? `no link in ${text}`
}

function list({ gate }: Pick<Outside, 'gate'>, key: string): Promise<string> {
  return textFrom(doorOf(gate, { key }), LIST)
}

function account(name: string): { name: string; password: string } {
  const found = users.find((user) => user.name === name)
  if (!found) throw new Error(`the playground has no user ${name}`)
  return found
}
