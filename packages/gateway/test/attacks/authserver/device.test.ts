import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBrowser, type Browser } from '../../../../../scripts/lib/browser.ts'
import { csrfOf, enter, send } from '../ground.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { begin, poll, registerTerminal } from '../../e2e/sign-in/terminal.ts'

let outside: Outside
let publicUrl: string
let ada: Browser
let eve: Browser
let clientId: string

beforeAll(async () => {
  const known = { clientId: 'everybody-knows', name: 'A known client', redirectUris: ['https://app.example/cb'] }
  outside = await openOutside({ config: { oauth: { clients: [known] } } })
  publicUrl = outside.publicUrl
  ada = await enter(outside, 'ada')
  eve = await enter(outside, 'eve')
  clientId = await registerTerminal(outside)
})
afterAll(() => outside[Symbol.asyncDispose]())

const CONTINUE = /^Continue/

/** The page on which somebody compares the code; nothing is answered yet. */
async function confirm(browser: Browser, userCode: string) {
  return (await browser.open(`${publicUrl}/device`)).press(CONTINUE, { code: userCode })
}

async function answer(browser: Browser, form: Record<string, string>, headers: Record<string, string> = {}) {
  const cookie = await browser.cookies(publicUrl)
  return send(`${publicUrl}/device/answer`, { form, headers: { cookie, origin: publicUrl, ...headers } })
}

async function isPending(deviceCode: string): Promise<boolean> {
  return (await poll(outside, clientId, deviceCode)).body['error'] === 'authorization_pending'
}

test('cross-site request forgery: no other site answers for a user (RFC 9700 §4.7, RFC 8628 §5.4)', async () => {
  const { userCode, deviceCode } = await begin(outside, clientId)
  const form = { code: userCode, decision: 'allow', csrf: csrfOf((await confirm(ada, userCode)).html) }
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
    expect((await answer(ada, form, headers)).status, `with ${JSON.stringify(headers)}`).toBe(403)
  }
  expect(await isPending(deviceCode)).toBe(true)
})

test('cross-site request forgery: a token is of one browser and one code (RFC 9700 §4.7)', async () => {
  const [mine, other] = [await begin(outside, clientId), await begin(outside, clientId)]
  const ofEve = csrfOf((await confirm(eve, mine.userCode)).html)
  const ofOther = csrfOf((await confirm(ada, other.userCode)).html)
  const ofEntering = csrfOf((await ada.open(`${publicUrl}/device`)).html)
  for (const csrf of [ofEve, ofOther, ofEntering, '']) {
    const { status } = await answer(ada, { code: mine.userCode, decision: 'allow', csrf })
    expect(status).toBe(403)
  }
  expect(await isPending(mine.deviceCode)).toBe(true)
})

test('remote phishing: a link that brings the code allows nothing, and every page warns (RFC 8628 §5.4)', async () => {
  const { link, userCode, deviceCode } = await begin(outside, clientId)
  const entered = await ada.open(link)
  expect(entered.text).toContain('Go on only if you have just started this yourself')
  const shown = await entered.press(CONTINUE)
  expect(shown.text).toContain('Go on only if you have just started this yourself')
  expect(shown.text).toContain(userCode)
  expect(shown.text).toContain('127.0.0.1')
  expect(await isPending(deviceCode)).toBe(true)
})

test('remote phishing: who let a client in before is asked again for each code (RFC 8628 §5.4)', async () => {
  const first = await begin(outside, clientId)
  await (await confirm(ada, first.userCode)).press(/^The code is the same/)
  const second = await begin(outside, clientId)
  await ada.open(second.link)
  expect(await isPending(second.deviceCode)).toBe(true)
})

test('clickjacking and referrer leakage: no page of these is framed, or told of (RFC 9700 §4.16, §4.2)', async () => {
  const { userCode } = await begin(outside, clientId)
  const pages = [await ada.open(`${publicUrl}/device`), await confirm(ada, userCode)]
  for (const { headers } of pages) {
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).toContain("form-action 'self'")
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
  }
})

test('guessing: without being signed in nobody learns whether a code is open (RFC 8628 §5.1)', async () => {
  const { userCode } = await begin(outside, clientId)
  const stranger = createBrowser()
  const answers = await Promise.all(
    [userCode, 'BBBB-BBBB'].map(async (code) => {
      const got = await send(`${publicUrl}/device`, { form: { code }, headers: { origin: publicUrl } })
      return [got.status, got.location?.pathname, got.text]
    }),
  )
  expect(answers[0]).toEqual(answers[1])
  expect(answers[0]).toEqual([303, '/sign-in', ''])
  expect((await stranger.open(`${publicUrl}/device?user_code=${userCode}`)).url).toContain('/sign-in')
})

test('guessing: after five wrong codes a user waits, whatever codes they try (RFC 8628 §5.1)', async () => {
  const guesser = await enter(outside, 'guesser')
  const page = await guesser.open(`${publicUrl}/device`)
  const guesses = ['BBBB-BBBB', 'BBBB-BBBC', 'BBBB-BBBD', 'BBBB-BBBF', 'BBBB-BBBG']
  for (const code of guesses) expect((await page.press(CONTINUE, { code })).status).toBe(404)
  const { userCode } = await begin(outside, clientId)
  const late = await page.press(CONTINUE, { code: userCode })
  expect(late.status).toBe(429)
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await confirm(ada, userCode)).status, 'others are not held up').toBe(200)
})

test('client impersonation: a terminal’s name is text, cut short, and in our words unverified (RFC 7591 §5)', async () => {
  const name = `<script>alert(1)</script>\u202egate eht ${'x'.repeat(300)}`
  const evil = await registerTerminal(outside, name)
  const { userCode } = await begin(outside, evil)
  const { html, text } = await confirm(ada, userCode)
  expect(html).not.toContain('<script>')
  expect(html).not.toContain('\u202e')
  expect(text).not.toContain('x'.repeat(100))
  expect(text).toContain('is not verified')
})

test('client impersonation: of a client whose id everybody knows the page says that any program can use it (RFC 8252 §8.6)', async () => {
  const { userCode } = await begin(outside, 'everybody-knows')
  const { text } = await confirm(ada, userCode)
  expect(text).toContain('The operator of this gate has set this client up')
  expect(text).toContain('Any program can use this name')
})

test('token theft: what one terminal was allowed, no other client redeems (RFC 8628 §5.2, RFC 9700 §4.5)', async () => {
  const { userCode, deviceCode } = await begin(outside, clientId)
  await (await confirm(ada, userCode)).press(/^The code is the same/)
  const thief = await registerTerminal(outside)
  expect(await poll(outside, thief, deviceCode)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})
