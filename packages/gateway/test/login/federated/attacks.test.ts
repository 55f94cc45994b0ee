import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createBrowser, type Browser, type Page } from '../../../../../scripts/lib/browser.ts'
import { DEFAULT_TENANT } from '../../../src/identity/tenants.ts'
import { beAt, openHouse, signInAs, type House } from './house.ts'

/** Attacks on signing in with an identity provider, each with its source: R3-31d, R3-32a. */

/** What a hostile or broken provider answers, and what a person is then told. */
const ODDITIES = [
  ['wrong-iss', 'an ID token of another issuer (OpenID Connect Core §3.1.3.7, 2)'],
  ['wrong-aud', 'an ID token for another client (§3.1.3.7, 3)'],
  ['wrong-azp', 'an ID token for another client beside us (§3.1.3.7, 4)'],
  ['wrong-nonce', 'an ID token of another sign-in (§3.1.3.7, 11; RFC 9700 §4.5)'],
  ['no-nonce', 'an ID token that belongs to no sign-in (§3.1.3.7, 11)'],
  ['expired', 'an ID token that has expired (§3.1.3.7, 9)'],
  ['from-the-future', 'an ID token that is not good yet (RFC 7519 §4.1.5)'],
  ['alg-none', 'an ID token without a signature (RFC 8725 §2.1)'],
  ['alg-hs256', 'an ID token signed with what is public (RFC 8725 §2.1)'],
  ['unknown-key', 'an ID token signed with another key (§3.1.3.7, 6)'],
  ['no-id-token', 'no ID token at all'],
  ['other-userinfo', 'UserInfo about somebody else (§5.3.2)'],
  ['no-iss-parameter', 'mix-up: an answer that lacks the issuer it promised (RFC 9207 §2.4)'],
  ['wrong-iss-parameter', 'mix-up: an answer of another issuer (RFC 9207 §2.4)'],
  ['wrong-discovery', 'metadata of another issuer (OpenID Connect Discovery §4.3)'],
] as const

describe('what a provider must not say', () => {
  test.for(ODDITIES)('%s: %s signs nobody in', async ([oddity]) => {
    await using house = await openHouse({ corp: { createUsers: true } })
    house.idp.settings.oddity = oddity
    const { browser, page } = await signInAs(house, 'ben')
    expect([400, 502]).toContain(page.status)
    expect(page.text).toMatch(/cannot be believed|did not sign you in/)
    await expectNobody(house, browser)
    house.idp.settings.oddity = undefined
    expect((await signInAs(house, 'ben', { browser })).page.url).toBe(`${house.url}/account`)
  })

  test('code injection: a code of somebody else’s sign-in (RFC 9700 §4.5) signs nobody in', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    await signInAs(house, 'ada')
    house.idp.settings.oddity = 'foreign-code'
    const { browser, page } = await signInAs(house, 'ben')
    expect(page.text).toMatch(/used already, has expired, or was made for somebody else/)
    expect(await house.whoIs(browser)).toBeUndefined()
  })

  test('a sign-in of yesterday is none where one is asked to sign in once more (§3.1.2.1, max_age)', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const { browser } = await signInAs(house, 'ben')
    house.idp.settings.oddity = 'old-auth-time'
    const again = await browser.open(`${house.url}/sign-in?again=&next=%2Faccount%2Flinked`)
    const page = await beAt(await again.press(/Continue with Corp/), 'ben')
    expect(page.status).toBe(502)
    expect(page.text).toMatch(/a time in it is not right/)
  })
})

describe('an answer that belongs to another browser', () => {
  test('login CSRF: an attacker’s answer in the browser of a victim (RFC 9700 §4.7) signs nobody in', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const answer = await answerOf(house, createBrowser(), 'ada')
    const victim = createBrowser()
    expect((await victim.open(answer)).text).toMatch(/belongs to no sign-in/)
    await expectNobody(house, victim)
  })

  test('so it is where the victim has begun a sign-in of their own, which goes on to work', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const answer = await answerOf(house, createBrowser(), 'ada')
    const victim = createBrowser()
    const asked = await (await victim.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
    expect((await victim.open(answer)).status).toBe(400)
    await expectNobody(house, victim)
    expect((await beAt(asked, 'ben')).url).toBe(`${house.url}/account`)
    expect(await house.whoIs(victim)).toBe('ben')
  })

  test('a state that was made up, or none', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const queries = ['', '?code=x', '?code=x&state=', '?code=x&state=made-up', '?state=a&state=b&code=x']
    const pages = await Promise.all(queries.map((query) => createBrowser().open(`${house.callback}${query}`)))
    expect(pages.map(({ status }) => status)).toEqual(queries.map(() => 400))
  })

  test('a cookie that the gate did not seal is as good as none', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    for (const value of ['', 'x', Buffer.from('{"provider":"corp","state":"s"}').toString('base64url')]) {
      const { status } = await ask(`${house.callback}?code=x&state=s`, { Cookie: `sekisho-with=${value}` })
      expect({ value, status }).toEqual({ value, status: 400 })
    }
  })

  test('replay: the same answer once more, with the cookie of before (RFC 9700 §4.2.4)', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const browser = createBrowser({ stopAt: (url) => url.pathname.startsWith('/sign-in/from/') })
    const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
    const answer = (await beAt(asked, 'ben')).url
    const Cookie = await browser.cookies(house.url)
    const first = await ask(answer, { Cookie })
    expect(first.status).toBe(303)
    expect(String(first.setCookies)).toMatch(/sekisho=[\w-]{43}/)
    const second = await ask(answer, { Cookie })
    expect(second.status).toBe(400)
    expect(String(second.setCookies)).not.toMatch(/sekisho=[\w-]{43}/)
    // By the gate itself, before the provider was asked.
    expect(await house.metrics.text()).toContain('sekisho_errors_total{code="federated.state"} 1')
  })

  test('too late: eleven minutes after it was begun', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const browser = createBrowser()
    const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
    house.clock.turn(11 * 60_000)
    expect((await beAt(asked, 'ben')).text).toMatch(/belongs to no sign-in/)
    await expectNobody(house, browser)
  })

  test('session fixation: the session has a new value, whatever the browser had before (OWASP)', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const planted = await signInAs(house, 'ada')
    const before = await planted.browser.cookies(house.url)
    await house.idp.signOut('ada')
    const fresh = await signInAs(house, 'ben', { browser: planted.browser })
    const after = await fresh.browser.cookies(house.url)
    expect(/sekisho=([\w-]{43})/.exec(after)?.[1]).not.toBe(/sekisho=([\w-]{43})/.exec(before)?.[1])
    expect((await ask(`${house.url}/account`, { Cookie: before })).status).toBe(303)
  })
})

describe('mix-up (RFC 9700 §4.4)', () => {
  test('an answer at the address of another provider than was asked signs nobody in', async () => {
    await using other = await openHouse()
    const evil = { label: 'Evil', issuer: other.issuer, clientId: 'gate', clientSecret: 's', createUsers: true }
    await using house = await openHouse({ corp: { createUsers: true }, others: { evil } })
    const browser = createBrowser({ stopAt: (url) => url.pathname.startsWith('/sign-in/from/') })
    const asked = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
    const answer = (await beAt(asked, 'ben')).url
    const seen = other.idp.requests.length
    const { status } = await ask(answer.replace('/from/corp', '/from/evil'), {
      Cookie: await browser.cookies(house.url),
    })
    expect(status).toBe(400)
    // The code never reached the other provider.
    expect(other.idp.requests.slice(seen)).toEqual([])
  })
})

describe('what stands open to everybody', () => {
  test('beginning a sign-in takes a form of ours in this browser (CSRF)', async () => {
    await using house = await openHouse()
    const post = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    expect((await fetch(`${house.url}/sign-in/with/corp`, { ...post, body: 'csrf=x' })).status).toBe(403)
    const foreign = { ...post.headers, Origin: 'https://evil.example' }
    expect((await fetch(`${house.url}/sign-in/with/corp`, { ...post, headers: foreign })).status).toBe(403)
    expect((await fetch(`${house.url}/sign-in/with/corp`)).status).toBe(404)
  })

  test('a provider that nobody set up is none', async () => {
    await using house = await openHouse()
    for (const id of ['google', 'constructor', '__proto__', '..', '%2e%2e']) {
      const { status } = await fetch(`${house.url}/sign-in/from/${id}?state=x`)
      expect({ id, status }).toEqual({ id, status: 404 })
    }
    expect((await createBrowser().open(`${house.url}/sign-in/from/google?state=x`)).status).toBe(404)
  })

  test('guessing is throttled by address', async () => {
    await using house = await openHouse({ config: { limits: { perMinute: { callback: 3 } } } })
    const statuses = []
    for (let count = 0; count < 5; count++) statuses.push((await fetch(`${house.callback}?state=${count}`)).status)
    expect(statuses).toEqual([400, 400, 400, 429, 429])
  })

  test('neither code, state nor token is in an audit entry or in the metrics', async () => {
    await using house = await openHouse({ corp: { createUsers: true } })
    const browser = createBrowser()
    await signInAs(house, 'ben', { browser })
    const codes = browser.visited.flatMap((url) =>
      Array.from(url.matchAll(/[?&](?:code|state|nonce)=([^&]+)/g), ([, it]) => it),
    )
    expect(codes.length).toBeGreaterThan(2)
    const kept = JSON.stringify(await house.audited()) + (await house.metrics.text())
    expect(codes.filter((code) => kept.includes(code ?? ''))).toEqual([])
    expect(await house.metrics.text()).toContain('oauth_operations_total{operation="sign_in_with",outcome="ok"} 1')
  })
})

/** Begins in a browser, and answers the address that the provider sends it back to, which it does not open. */
async function answerOf(house: House, { cookies }: Browser, username: string): Promise<string> {
  expect(await cookies(house.url)).toBe('')
  const browser = createBrowser({ stopAt: (url) => url.pathname.startsWith('/sign-in/from/') })
  const asked: Page = await (await browser.open(`${house.url}/sign-in`)).press(/Continue with Corp/)
  return (await beAt(asked, username)).url
}

async function expectNobody(house: House, browser: Browser): Promise<void> {
  expect(await house.whoIs(browser)).toBeUndefined()
  expect(await house.users.list(DEFAULT_TENANT)).toEqual([])
}

/** One request, with the headers that a browser would not let one choose. */
function ask(address: string, headers: Readonly<Record<string, string>>) {
  return new Promise<{ status: number; setCookies: readonly string[] }>((resolve, reject) => {
    const sent = request(address, { headers }, (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, setCookies: response.headers['set-cookie'] ?? [] })
    })
    sent.on('error', reject).end()
  })
}
