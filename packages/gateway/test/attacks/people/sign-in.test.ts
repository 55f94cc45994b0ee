import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { GENEROUS, openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { csrfOf, enter, openBrowser, send, type Got } from '../ground.ts'

/** R1-24: OWASP Authentication Cheat Sheet, NIST SP 800-63B-4 §3.2.2, CWE-204, CWE-208, CWE-307. */
let outside: Outside
let publicUrl: string
beforeAll(async () => {
  outside = await openOutside()
  publicUrl = outside.publicUrl
  await enter(outside, 'ada')
  await outside.gate.inviteUser('invited')
})
afterAll(() => outside[Symbol.asyncDispose]())

interface Attempt {
  readonly url?: string
  readonly name: string
  readonly password?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One attempt from a browser that has just opened the page. */
async function attempt({ url = publicUrl, name, password = 'not the password', headers }: Attempt): Promise<Got> {
  const page = await send(`${url}/sign-in`)
  const cookie = page.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const form = { csrf: csrfOf(page.text), way: 'password', name, password }
  return send(`${url}/sign-in`, { form, headers: { cookie, ...headers } })
}

/** The page but for what differs from page to page, and the name, which stands in its field again. */
function plain({ text }: Got, name: string): string {
  return text
    .replaceAll(/value="[\w-]{43}"/g, '')
    .replace(/&quot;challenge&quot;:&quot;[\w-]{72}&quot;/, '')
    .replaceAll(name, 'NAME')
    .replaceAll(/Request [\w-]+/g, '')
}

describe('whether there is a user of a name', () => {
  const names = ['ada', 'nobody', 'invited']

  test('shows neither in status, nor headers, nor words (CWE-204)', async () => {
    const answers = await Promise.all(names.map((name) => attempt({ name })))
    const seen = answers.map((answer, index) => ({
      status: answer.status,
      headers: [...answer.headers.keys()].sort(),
      text: plain(answer, names[index] ?? ''),
    }))
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
    expect(seen[0]?.status).toBe(400)
  })

  /** CWE-208: the hash is worked for nobody, too. The least of several says what the machine can do. */
  test('shows not in time (CWE-208)', async () => {
    await Promise.all(['time-a', 'time-b', 'time-c'].map((name) => enter(outside, name)))
    const least = async (tried: readonly string[]) => {
      const times: number[] = []
      for (const name of tried) {
        const begun = performance.now()
        await attempt({ name })
        times.push(performance.now() - begun)
      }
      return Math.min(...times)
    }
    const known = await least(['time-a', 'time-b', 'time-c'])
    const unknown = await least(['x-a', 'x-b', 'x-c'])
    expect(unknown).toBeGreaterThan(known / 3)
    expect(known).toBeGreaterThan(unknown / 3)
  })

  test('shows not in whose attempts are held back', async () => {
    for (const name of ['held-nobody', 'held-somebody']) {
      if (name === 'held-somebody') await outside.gate.inviteUser(name)
      for (let count = 0; count < 5; count++) expect((await attempt({ name })).status).toBe(400)
      const held = await attempt({ name })
      expect(held.status).toBe(429)
      expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(held.text).toContain('Too many attempts')
    }
  })
})

/** CWE-307: guessing at one name is slowed down from wherever, and however the name is written. */
test('nobody goes on guessing under other forwarded addresses or spellings, nor is let in meanwhile by the right one (CWE-307)', async () => {
  await enter(outside, 'guessed')
  const spellings = ['guessed', ' guessed', 'guessed ', 'guessed\t', 'guessed']
  for (const [index, name] of spellings.entries()) {
    const headers = { 'x-forwarded-for': `198.51.100.${index}`, forwarded: `for=198.51.100.${index}` }
    await attempt({ name, headers })
  }
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', 'user-agent': 'another' }
  const held = await attempt({ name: 'guessed', password: PASSWORD, headers })
  expect([held.status, held.headers.getSetCookie().join()]).toEqual([
    429,
    expect.not.stringMatching(/sekisho=[\w-]{43}/),
  ])
  // Others are not held back by it.
  expect((await attempt({ name: 'ada', password: PASSWORD })).status).toBe(303)
})

/** OWASP, "Credential Stuffing Prevention": many at once are not all looked at. */
test('of many guesses at once, no more are looked at than one after the other (CWE-307)', async () => {
  await enter(outside, 'stormed')
  const guesses = Array.from({ length: 30 }, (_, index) =>
    attempt({ name: 'stormed', password: `guess ${index} of many` }),
  )
  const statuses = (await Promise.all(guesses)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(5)
  expect(statuses.every((status) => status === 400 || status === 429)).toBe(true)
})

test.for<[string, string]>([
  ["ada' --", PASSWORD],
  ['ada\u0000', PASSWORD],
  ['ADA', PASSWORD],
  ['*', PASSWORD],
  ['ada', ''],
  ['ada', ` ${PASSWORD}`],
  ['ada', PASSWORD.toUpperCase()],
  ['ada', 'x'.repeat(60_000)],
  ['x'.repeat(60_000), PASSWORD],
  ['', ''],
])('nobody is let in as %j with another word than their own', async ([name, password]) => {
  const { status, headers } = await attempt({ name, password })
  expect([400, 429]).toContain(status)
  expect(headers.getSetCookie().join()).not.toMatch(/sekisho=[\w-]{43}/)
})

/** OWASP Forgot Password Cheat Sheet: a link is good for once, is not guessed, and says nothing once it is over. */
describe('a link that lets its user in', () => {
  test('is over when it was used, and looks then like one that never was', async () => {
    const link = await outside.gate.inviteUser('once')
    const first = openBrowser()
    const page = await first.open(link)
    await page.press(/^Set the password/, { password: PASSWORD, again: PASSWORD })
    const used = await send(link)
    const guessed = await send(link.replace(/[\w-]+$/, 'g'.repeat(43)))
    expect([used.status, guessed.status]).toEqual([404, 404])
    expect(plain(used, 'once')).toBe(plain(guessed, 'once'))
    // The page that stood open has a form still; it sets nothing.
    const again = await page.press(/^Set the password/, {
      password: 'another good password',
      again: 'another good password',
    })
    expect([403, 404]).toContain(again.status)
    expect((await attempt({ name: 'once', password: PASSWORD })).status).toBe(303)
  })

  test('is used by one of many who use it at once (CWE-362)', async () => {
    const link = await outside.gate.inviteUser('raced')
    const passwords = Array.from({ length: 4 }, (_, index) => `a long password number ${index}`)
    const pages = await Promise.all(passwords.map(() => openBrowser().open(link)))
    const ends = await Promise.all(
      pages.map((page, index) => {
        const password = passwords[index] ?? ''
        return page.press(/^Set the password/, { password, again: password })
      }),
    )
    expect(ends.filter(({ status, url }) => status === 200 && new URL(url).pathname === '/account').length).toBe(1)
  })

  test('is void when another was made, and does nothing by being looked at', async () => {
    const old = await outside.gate.inviteUser('renewed')
    const { body } = await outside.gate.admin('POST', '/admin/api/users/renewed/invitation', {})
    const { url } = body as { url: string }
    expect((await send(old)).status).toBe(404)
    for (const method of ['GET', 'HEAD', 'GET']) expect((await send(url, { method })).status).toBe(200)
    expect((await send(url)).headers.getSetCookie().join()).not.toMatch(/sekisho=/)
  })

  /** CWE-613 and RFC 9110 §9.3.5: the secret is in the address, so the page leads nobody else to it. */
  test('does not leak its address (RFC 9700 §4.2)', async () => {
    const { headers, text } = await send(await outside.gate.inviteUser('quiet'))
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toContain('no-store')
    expect(text).not.toMatch(/(?:href|src)="https?:/)
  })
})

/** CWE-307, R1-08: from one address, by the connection and not by what it says of itself. */
describe('with few attempts for an address', () => {
  let gate: Gate
  beforeAll(async () => {
    gate = await startGate({ config: { mcpServers: {}, limits: { perMinute: { ...GENEROUS, signIn: 3 } } } })
  })
  afterAll(() => gate[Symbol.asyncDispose]())

  test('neither other names nor forwarded addresses give more, nor do links that are tried out (OWASP credential stuffing)', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 5; count++) {
      const headers = { 'x-forwarded-for': `198.51.100.${count}`, forwarded: `for="[2001:db8::${count}]"` }
      statuses.push((await attempt({ url: gate.url, name: `name-${count}`, headers })).status)
    }
    expect(statuses).toEqual([400, 400, 400, 429, 429])
    const guess = await send(`${gate.url}/welcome/${'g'.repeat(43)}`, { headers: { 'x-forwarded-for': '203.0.113.1' } })
    expect(guess.status).toBe(429)
    expect(Number(guess.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})
