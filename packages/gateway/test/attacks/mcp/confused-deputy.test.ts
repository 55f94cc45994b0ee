import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectMal } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import {
  allow,
  authorization,
  enter,
  EVIL,
  knock,
  letIn,
  malAccount,
  openBrowser,
  redeem,
  register,
  send,
  tokensOf,
  toldTo,
} from '../ground.ts'

/** R1-15: MCP 2026-07-28, basic/security_best_practices, "Confused Deputy Problem"; RFC 8252 §8.6. */
let outside: Outside
beforeAll(async () => {
  const known = { clientId: 'known', name: 'Known program', redirectUris: ['http://127.0.0.1/callback'] }
  outside = await openOutside({ config: { oauth: { clients: [known] } } })
})
afterAll(() => outside[Symbol.asyncDispose]())

/** MCP security best practices, "Confused Deputy Problem": the provider knows one static client, and asks nothing twice. */
test('a client that its user never allowed gets no code, though they are signed in here and at the provider (MCP security best practices: confused deputy)', async () => {
  const { publicUrl } = outside
  const browser = await enter(outside, 'deputy')
  const connected = await connectMal(browser, `${publicUrl}/connect/mal`, malAccount())
  expect(connected.text).toMatch(/Connected/)

  const clientId = await register(outside, { client_name: 'Nice program', redirect_uris: [EVIL] })
  const url = authorization(outside, clientId, { redirect_uri: EVIL })
  const page = await browser.open(url.href)
  expect(new URL(page.url).pathname).toMatch(/^\/interaction\//)
  expect(page.text).toContain('Nice program')
  expect(page.text).toContain('evil.example')
  expect(browser.visited.filter((each) => each.startsWith(EVIL))).toEqual([])

  const allowed = new URL((await page.press(/^Allow/)).url)
  expect(allowed.searchParams.get('code')).toMatch(/.+/)
  expect(allowed.searchParams.get('iss')).toBe(publicUrl)
})

/** OpenID Connect Core §3.1.2.1 `prompt`: to ask for silence is no way around the question. */
test('prompt=none is answered with an error where nothing was allowed, and refusing gives no code', async () => {
  const browser = await enter(outside, 'silent')
  const clientId = await register(outside, { redirect_uris: [EVIL] })
  const silent = authorization(outside, clientId, { redirect_uri: EVIL, prompt: 'none' })
  for (const visitor of [browser, openBrowser()]) {
    const searchParams = toldTo(await visitor.open(silent.href))
    expect(searchParams.get('error')).toMatch(/^(?:login|consent|interaction)_required$/)
    expect(searchParams.get('iss')).toBe(outside.publicUrl)
    expect(searchParams.has('code')).toBe(false)
  }
  const asked = await browser.open(authorization(outside, clientId, { redirect_uri: EVIL }).href)
  const { searchParams } = new URL((await asked.press(/^(?:Refuse|Do not)/)).url)
  expect(searchParams.get('error')).toBe('access_denied')
  expect(searchParams.get('iss')).toBe(outside.publicUrl)
  expect(searchParams.has('code')).toBe(false)
})

/** MCP security best practices, "Consent is per client"; RFC 7591 §5: a name is only what a client says of itself. */
test('what one client was allowed opens nothing to another of the same name, nor to the same one for another user (MCP security best practices: confused deputy)', async () => {
  const browser = await enter(outside, 'twice')
  const known = await register(outside, { client_name: 'Famous program' })
  await allow(browser, authorization(outside, known))
  const again = new URL((await browser.open(authorization(outside, known).href)).url)
  expect(again.searchParams.has('code')).toBe(true)

  const twin = await register(outside, { client_name: 'Famous program' })
  expect((await browser.open(authorization(outside, twin).href)).has(/^Allow/)).toBe(true)
  const other = await enter(outside, 'twice-other')
  expect((await other.open(authorization(outside, known).href)).has(/^Allow/)).toBe(true)

  const page = await browser.open(`${outside.publicUrl}/account/clients`)
  await page.press(/^Revoke/)
  expect((await browser.open(authorization(outside, known).href)).has(/^Allow/)).toBe(true)
})

/** MCP security best practices, "Confused Deputy Problem", step 4: the provider's cookie lets its own consent be skipped. */
test('an answer of the provider that nobody here asked for connects nothing, though the provider did not ask either (RFC 9700 §4.7)', async () => {
  const { publicUrl } = outside
  const browser = await enter(outside, 'unasked')
  await connectMal(browser, `${publicUrl}/connect/mal`, malAccount())
  const asked = browser.visited.find((each) => each.includes('/v1/oauth2/authorize?'))
  const accounts = await browser.open(`${publicUrl}/account/servers/mal/disconnect`)
  await accounts.press(/^Disconnect/)

  const forged = new URL(asked ?? '')
  forged.searchParams.set('state', 'chosen-by-the-attacker')
  let page = await browser.open(forged.href)
  if (page.has(/^Allow/)) page = await page.press(/^Allow/)
  expect(new URL(page.url).pathname).toBe('/callback')
  expect(page.status).toBe(400)
  expect((await browser.open(`${publicUrl}/account`)).has(/^Test/)).toBe(false)
})

/** RFC 9700 §4.4.2, OpenID Connect Core §16.15: an authorization that Eve began must not end as Ada's in Eve's hands. */
test('who begins an authorization and has another answer it is not let in as that other (RFC 9700 §4.7)', async () => {
  const { publicUrl } = outside
  const ada = await enter(outside, 'answers-ada')
  const eve = await enter(outside, 'answers-eve')
  const clientId = await register(outside)
  const evePage = await eve.open(authorization(outside, clientId).href)
  const lure = evePage.url

  let answered = await ada.open(lure)
  const wasEves = answered.url === lure
  if (answered.has(/^Allow/)) answered = await answered.press(/^Allow/)
  // An answer to Eve's question is none; what Ada may be asked then is a question of her own, in her own browser.
  expect(wasEves && new URL(answered.url).searchParams.has('code')).toBe(false)

  const uid = new URL(lure).pathname.split('/').at(-1)
  let back = await eve.open(`${publicUrl}/authorize/${uid}`)
  if (back.has(/^Allow/)) back = await back.press(/^Allow/)
  const code = new URL(back.url).searchParams.get('code') ?? ''
  const { accessToken } = tokensOf(await redeem(outside, { client_id: clientId, code }))
  expect(await whoIs(accessToken)).toBe('answers-eve')
})

test('who begins an authorization signed in as nobody, and has another answer it, is still nobody', async () => {
  const { publicUrl } = outside
  const ada = await enter(outside, 'nobody-ada')
  const clientId = await register(outside)
  await allow(ada, authorization(outside, clientId))
  const eve = openBrowser()
  const page = await eve.open(authorization(outside, clientId).href)
  const lure = new URL(page.url).searchParams.get('next') ?? ''
  expect(lure).toMatch(/^\/interaction\/[\w-]+$/)

  const answered = await ada.open(publicUrl + lure)
  expect(new URL(answered.url).searchParams.has('code')).toBe(false)
  const back = await eve.open(`${publicUrl}/authorize/${lure.split('/').at(-1)}`)
  expect(new URL(back.url).pathname).toBe('/sign-in')
  expect(eve.visited.some((each) => each.includes('code='))).toBe(false)
})

/** The gate tells nobody who they are; whose clients are listed is. A removed user's token is dead. */
async function whoIs(accessToken: string): Promise<string> {
  const url = `${outside.publicUrl}/mcp`
  expect(await knock(url, accessToken)).toBe(200)
  await outside.gate.admin('DELETE', '/admin/api/users/answers-ada')
  return (await knock(url, accessToken)) === 200 ? 'answers-eve' : 'answers-ada'
}

/** RFC 8252 §8.6: a consent is for the address that was shown. */
test('a client that was allowed is not answered anywhere but where it registered', async () => {
  const browser = await enter(outside, 'elsewhere')
  const { clientId } = await letIn(outside, browser)
  const url = authorization(outside, clientId, { redirect_uri: EVIL })
  const cookie = await browser.cookies(outside.publicUrl)
  const answer = await send(url, { headers: { cookie } })
  expect(answer.status).toBe(400)
  expect(answer.location).toBeUndefined()
  expect(answer.text).not.toContain('evil.example')
})

/** RFC 8252 §8.6: any program on a machine can use the client id of another, and wait at the port of another. */
test('a program that uses the client id of another gets nothing that its user is not asked about (RFC 9700 §4.1)', async () => {
  const { publicUrl } = outside
  const browser = await enter(outside, 'ports')
  const at = (port: number, path: string) =>
    authorization(outside, 'known', {
      resource: `${publicUrl}${path}`,
      redirect_uri: `http://127.0.0.1:${port}/callback`,
    })
  await allow(browser, at(7001, '/mcp'))
  await allow(browser, at(7002, '/mcp/mal'))
  for (const again of [at(7001, '/mcp'), at(7002, '/mcp/mal'), at(7002, '/mcp')]) {
    expect((await browser.open(again.href)).has(/^Allow/)).toBe(true)
  }
})
