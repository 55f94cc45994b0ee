import { expect, test } from 'vitest'
import { hidden, type Browser } from './browser.ts'
import { openEmbedded, openScene, PASSWORD } from './scene.ts'

const SECOND = 1_000

async function attempt(browser: Browser, name: string, password: string) {
  const page = await browser.get('/sign-in')
  return browser.post('/sign-in', { ...hidden(page), name, password })
}

test.for([
  ['http', undefined, 'sekisho', ''],
  ['https', 'https://gate.example', '__Host-sekisho', '; Secure'],
] as const)(
  'under %s the cookies are for this host only, and no script reads them',
  async ([, publicUrl, name, secure]) => {
    await using storage = await openEmbedded()
    await using scene = await openScene(storage, publicUrl === undefined ? {} : { publicUrl })
    await scene.person('ada')
    const browser = scene.browser()
    const page = await browser.get('/sign-in')
    expect(page.setCookies).toEqual([
      expect.stringMatching(new RegExp(`^${name}-form=[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax${secure}$`)),
    ])
    const answer = await browser.post('/sign-in', { ...hidden(page), name: 'ada', password: PASSWORD })
    expect(answer.setCookies[0]).toMatch(
      new RegExp(`^${name}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax${secure}; Max-Age=2592000$`),
    )
  },
)

test('who guesses at a name waits longer and longer, with the right password too, whether the name exists or not', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const waits: Record<string, number[]> = { ada: [], nobody: [] }
  for (const name of ['ada', 'nobody']) {
    for (let round = 0; round < 5; round++) expect((await attempt(scene.browser(), name, 'wrong')).status).toBe(400)
    for (let round = 0; round < 9; round++) {
      const refused = await attempt(scene.browser(), name, PASSWORD)
      expect(refused.status).toBe(429)
      const seconds = Number(refused.headers.get('Retry-After'))
      waits[name]?.push(seconds)
      scene.clock.turn(seconds * SECOND)
      expect((await attempt(scene.browser(), name, 'wrong')).status).toBe(400)
    }
  }
  expect(waits['ada']).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900])
  expect(waits['nobody']).toEqual(waits['ada'])
  scene.clock.turn(900 * SECOND)
  expect((await attempt(scene.browser(), 'ada', PASSWORD)).status).toBe(303)
  expect((await attempt(scene.browser(), 'ada', 'wrong')).status).toBe(400)
})

test('attempts from one address are counted, whichever names they are for', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage, { signIns: 3 })
  const statuses = []
  for (const name of ['a', 'b', 'c', 'd']) statuses.push((await attempt(scene.browser(), name, 'wrong')).status)
  expect(statuses).toEqual([400, 400, 400, 429])
})

test('many attempts at once are counted before they are looked at', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = scene.browser()
  const fields = hidden(await browser.get('/sign-in'))
  const guesses = Array.from({ length: 20 }, (_none, index) => `guess ${index}`)
  const answers = await Promise.all(
    guesses.map((password) => browser.post('/sign-in', { ...fields, name: 'ada', password })),
  )
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(5)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(15)
})

test('a form without its token, with another’s, from another site or from no page of ours is refused', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const form = { name: 'ada', password: PASSWORD }
  const [mine, others] = [scene.browser(), scene.browser()]
  const fields = hidden(await mine.get('/sign-in'))
  const foreign = hidden(await others.get('/sign-in'))
  const refused = [
    await mine.post('/sign-in', form),
    await mine.post('/sign-in', { ...foreign, ...form }),
    await mine.post('/sign-in', { ...fields, ...form }, { Origin: 'https://evil.example' }),
    await mine.post('/sign-in', { ...fields, ...form }, { Origin: 'null' }),
    await mine.post('/sign-in', { ...fields, ...form }, { 'Sec-Fetch-Site': 'cross-site' }),
    await scene.browser().post('/sign-in', { ...fields, ...form }),
  ]
  expect(refused.map(({ status }) => status)).toEqual(Array(6).fill(403))
  expect(refused.flatMap(({ setCookies }) => setCookies)).toEqual([])
  expect(scene.failures.map(({ code }) => code)).toEqual(Array(6).fill('request.csrf'))
  expect((await mine.post('/sign-in', { ...fields, ...form })).status).toBe(303)
})

test('what is not a form, or too large to be one of ours, is refused', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const json = await fetch(`${scene.base}/sign-in`, {
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'text/plain' },
  })
  expect(json.status).toBe(400)
  expect((await scene.browser().post('/sign-in', { name: 'x'.repeat(70_000) })).status).toBe(413)
})

test.for([
  '//evil.example',
  '/\\evil.example',
  'https://evil.example/',
  '/%0d%0aSet-Cookie:x=y',
  '/\t/evil.example',
  '/.//evil.example',
  'javascript:alert(1)',
  '\\\\evil.example',
  '/x\r\nSet-Cookie: a=b',
  '/\u202e/evil.example',
])('after signing in nobody is sent to somewhere else: %j', async (next) => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = scene.browser()
  const page = await browser.get(`/sign-in?next=${encodeURIComponent(next)}`)
  const answer = await browser.post('/sign-in', { ...hidden(page), next, name: 'ada', password: PASSWORD })
  expect(answer.status).toBe(303)
  const target = new URL(answer.location ?? '', scene.base)
  expect(target.origin).toBe(scene.base)
  expect(answer.setCookies.join()).not.toMatch(/x=y|a=b/)
  const again = await browser.get(`/sign-in?next=${encodeURIComponent(next)}`)
  expect(new URL(again.location ?? '', scene.base).origin).toBe(scene.base)
})

test('after signing in one is where one wanted to go', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  await scene.person('ada')
  const browser = scene.browser()
  const page = await browser.get(`/sign-in?next=${encodeURIComponent('/connect/github?t=1.a&b=%2F')}`)
  const answer = await browser.post('/sign-in', { ...hidden(page), name: 'ada', password: PASSWORD })
  expect(answer.location).toBe('/connect/github?t=1.a&b=%2F')
})

test('a name is shown as text, never as markup', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const page = await attempt(scene.browser(), '"><script>alert(1)</script>', 'wrong')
  expect(page.text).not.toContain('<script')
  expect(page.text).toContain('&quot;&gt;&lt;script&gt;')
})

test('pages have a policy that lets nothing run, cannot be framed, and are kept nowhere', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  for (const path of ['/sign-in', '/nowhere', '/welcome/none', '/interaction/none', '/sign-in?next=/account']) {
    const { headers, text } = await scene.browser().get(path)
    const policy = headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain(`default-src 'none'; style-src 'self'`)
    expect(policy).toContain(`frame-ancestors 'none'`)
    expect(policy).not.toContain('unsafe')
    expect(headers.get('X-Frame-Options')).toBe('DENY')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('Referrer-Policy')).toBe('same-origin')
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=/)
    expect(text.match(/<h1/g)).toHaveLength(1)
  }
  expect((await scene.browser().get('/nowhere')).status).toBe(404)
})

test('the stylesheet and the mark are served, to be kept for ever', async () => {
  await using storage = await openEmbedded()
  await using scene = await openScene(storage)
  const browser = scene.browser()
  const { text } = await browser.get('/sign-in')
  const paths = Array.from(text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g), ([, path = '']) => path)
  expect(new Set(paths).size).toBe(2)
  for (const path of new Set(paths)) {
    const file = await browser.get(path)
    expect(file.status).toBe(200)
    expect(file.headers.get('Content-Type')).toMatch(path.endsWith('.css') ? /^text\/css/ : /^image\/svg/)
    expect(file.headers.get('Cache-Control')).toContain('immutable')
  }
  expect((await browser.get('/assets/other.css')).status).toBe(404)
})
