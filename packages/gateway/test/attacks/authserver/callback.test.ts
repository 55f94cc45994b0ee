import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { connectMal } from '../../../../../scripts/lib/people.ts'
import { answerTo } from '../../providers/scene.ts'
import { startScripted, type Scripted } from '../../providers/scripted-server.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { publishAuthorization } from '../authorization.ts'
import { enter, malAccount, openBrowser, send, signIn, type Got } from '../ground.ts'

/** R1-15, R0-32: what can be done with the answer of a provider, and with an answer that only looks like one. */
let outside: Outside
let honest: Scripted
beforeAll(async () => {
  honest = await startScripted()
  const mcpServers = { mal: { builtin: 'mal' }, honest: { url: `${honest.origin}/mcp`, oauth: true } }
  outside = await openOutside({ config: { mcpServers } })
  publishAuthorization(honest, { server: { authorization_response_iss_parameter_supported: true } })
  honest.on('/token', () => ({ body: { access_token: 'at-of-honest', token_type: 'Bearer', expires_in: 3600 } }))
})
afterAll(async () => {
  await outside[Symbol.asyncDispose]()
  await honest[Symbol.asyncDispose]()
})

const isCallback = ({ pathname, origin }: URL): boolean => pathname === '/callback' && origin === outside.publicUrl

/** A user whose browser stops short of handing the provider's answer over. */
async function answerFor(name: string): Promise<{ browser: Browser; answer: string }> {
  const browser = await enter(outside, name, isCallback)
  const { url } = await connectMal(browser, `${outside.publicUrl}/connect/mal`, malAccount())
  return { browser, answer: url }
}

async function bring(browser: Browser, answer: string): Promise<Got> {
  return send(answer, { headers: { cookie: await browser.cookies(outside.publicUrl) } })
}

const isConnected = async (browser: Browser) => (await browser.open(`${outside.publicUrl}/account`)).has(/^Test/)

function exchanges(): number {
  return outside.mal.requests.filter(({ path }) => path === '/v1/oauth2/token').length
}

/** RFC 6749 §10.12, RFC 9700 §4.7: state belongs to the browser that began, so nobody is connected to Eve’s account. */
test('an answer that another user’s browser brings connects neither of them, and its own still does (RFC 9700 §4.7)', async () => {
  const { browser: ada, answer } = await answerFor('csrf-ada')
  const eve = await enter(outside, 'csrf-eve')
  const before = exchanges()
  const brought = await bring(eve, answer)
  expect([brought.status, brought.location]).toEqual([400, undefined])
  expect((await bring(openBrowser(), answer)).status).toBe(403)
  expect(exchanges()).toBe(before)
  expect(await isConnected(eve)).toBe(false)

  expect((await bring(ada, answer)).location?.pathname).toBe('/connect/mal/done')
  expect(await isConnected(ada)).toBe(true)
  expect(exchanges()).toBe(before + 1)
})

/** RFC 6819 §4.4.1.8: not the user only, the very browser. */
test('an answer is not taken in another browser of the same user, nor after its session ended', async () => {
  const { browser: ada, answer } = await answerFor('two-browsers')
  const second = openBrowser()
  await signIn(await second.open(`${outside.publicUrl}/sign-in`), 'two-browsers')
  expect((await bring(second, answer)).status).toBe(400)
  const page = await ada.open(`${outside.publicUrl}/account`)
  await signIn(await page.press(/^Sign out/), 'two-browsers')
  expect((await bring(ada, answer)).status).toBe(400)
  expect(await isConnected(ada)).toBe(false)
})

/** RFC 9700 §4.7.1: state is good for one answer; a second code under it is not the user’s. */
test('state that is replayed with another code sends that code nowhere', async () => {
  const { browser: ada, answer } = await answerFor('replay-ada')
  const { answer: eves } = await answerFor('replay-eve')
  const mixed = new URL(answer)
  mixed.searchParams.set('code', new URL(eves).searchParams.get('code') ?? '')
  await bring(ada, answer)
  const before = exchanges()
  await bring(ada, mixed.href)
  await bring(ada, answer)
  expect(exchanges()).toBe(before)
  expect(await isConnected(ada)).toBe(true)
})

/** RFC 6749 §10.12: what nobody began is nothing. */
test.for([
  '',
  'code=c',
  'code=c&state=',
  'code=c&state=guess',
  'state=guess&error=access_denied&error_description=<script>alert(1)</script>',
  `code=c&state=${'s'.repeat(4000)}`,
  'code=c&state=%00',
  'code=c&state=a&state=b',
])('an answer that nobody asked for is refused: %s', async (query) => {
  const browser = await enter(outside, `nobody-${query.length}`)
  const { status, text, location } = await bring(browser, `${outside.publicUrl}/callback?${query}`)
  expect([status, location]).toEqual([400, undefined])
  expect(text).not.toContain('<script>')
})

/** RFC 9700 §4.4 "Mix-Up Attacks": an answer that comes to the address of others is not from whoever was asked. */
test('an answer of the provider the operator chose does not come to the address of discovered ones (RFC 9207, RFC 9700 §4.4)', async () => {
  const { browser, answer } = await answerFor('mixed')
  const before = exchanges()
  expect((await bring(browser, answer.replace('/callback?', '/callback/server?'))).status).toBe(400)
  expect(exchanges()).toBe(before)
})

/** RFC 9207 §2.4: an authorization server that promised `iss` is believed with its own only; none gets another’s code. */
test.for<[string, (origin: string) => string[]]>([
  ['another’s', () => ['https://evil.example']],
  ['one with a slash more', (origin) => [`${origin}/`]],
  ['none, though it was promised', () => []],
  ['two', (origin) => [origin, 'https://evil.example']],
])('an answer with the wrong issuer is refused before its code goes anywhere: %s', async ([name, issuers]) => {
  const browser = await enter(outside, `iss-${name.replaceAll(/\W/g, '')}`)
  const page = await browser.open(`${outside.publicUrl}/connect/honest`)
  const sent = new URL((await page.press(/^Continue/)).url)
  expect(sent.origin).toBe(honest.origin)
  const back = answerTo(sent, { code: 'code-of-somebody' })
  for (const iss of issuers(honest.origin)) back.searchParams.append('iss', iss)
  const before = honest.seenAt('/token').length
  expect((await bring(browser, back.href)).status).toBe(400)
  expect(honest.seenAt('/token').length).toBe(before)
})

test('the same answer with the right issuer is taken', async () => {
  const browser = await enter(outside, 'iss-right')
  const page = await browser.open(`${outside.publicUrl}/connect/honest`)
  const sent = new URL((await page.press(/^Continue/)).url)
  const back = answerTo(sent, { code: 'c', iss: honest.origin })
  expect((await bring(browser, back.href)).location?.pathname).toBe('/connect/honest/done')
})
