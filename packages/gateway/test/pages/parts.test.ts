import { html } from 'hono/html'
import { expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { cleanText } from '../../src/pages/clean.ts'
import { parseNext } from '../../src/pages/next.ts'
import { renderPage } from '../../src/pages/page.ts'
import { errorSummary, field, table, time } from '../../src/pages/parts.ts'
import { showProblem } from '../../src/pages/problem.ts'
import { say, words } from '../../src/pages/words.ts'

test('a page has a language, a title, one way past its navigation, and escapes what it is given', () => {
  const page = renderPage({
    title: '<x>',
    body: html`<h1>${'<y>'}</h1>`,
    viewer: { name: '<z>', csrf: '"><script>' },
  })
  expect(page).toContain('<html lang="en">')
  expect(page).toContain('<title>&lt;x&gt; · Sekisho</title>')
  expect(page).toContain('href="#main"')
  expect(page).not.toMatch(/<[xyz]>|<script/)
})

test('a field’s hint and error are read out with it, and a summary leads to it', async () => {
  const input = String(await field({ name: 'token', label: 'Token', hint: 'Eight characters.', error: 'Too short.' }))
  expect(input).toMatch(/<label for="token">Token<\/label>/)
  expect(input).toMatch(/aria-describedby="token-hint token-error"/)
  expect(input).toMatch(/aria-invalid="true"/)
  expect(String(await errorSummary([{ field: 'token', text: 'Too short.' }]))).toContain('<a href="#token">')
})

test('a table names its columns and rows, and says so where it has none', async () => {
  const view = { caption: 'Keys', headings: ['Name', 'Since'], none: 'There are no keys.' }
  const full = String(await table({ ...view, rows: [['laptop', time(Date.UTC(2026, 0, 1, 12))]] }))
  expect(full).toMatch(/<th scope="row" data-label="Name">laptop<\/th>/)
  expect(full).toMatch(/<time datetime="2026-01-01T12:00:00.000Z">2026-01-01 12:00 UTC<\/time>/)
  expect(String(await table({ ...view, rows: [] }))).toContain('There are no keys.')
})

test('a failure is a page with what happened, what to do and under which name it is in the log', async () => {
  const page = showProblem(problem('limit.endpoint', { endpoint: '<b>', seconds: 7 }), { requestId: 'abc-1' })
  const text = await page.text()
  expect([page.status, page.headers.get('Retry-After')]).toEqual([429, '7'])
  expect(text).toContain('abc-1')
  expect(text).toContain('try again in 7 s')
  expect(text).not.toContain('<b>')
})

test.for([
  ['/account', '/account'],
  ['/connect/x?t=1.a&b=2', '/connect/x?t=1.a&b=2'],
  ['/a/../b', '/b'],
  ['//evil', undefined],
  ['/\\evil', undefined],
  ['/..//evil', undefined],
  ['https://evil', undefined],
  ['account', undefined],
  ['', undefined],
  [null, undefined],
  ['/\n/evil', undefined],
] as const)('where to go next: %j', ([text, path]) => {
  expect(parseNext(text)).toBe(path)
})

test.for([
  ['  a\tb \n c ', 'a b c'],
  ['\u202eabc\u2066', 'abc'],
  ['a\u0000b\u200bc', 'a b c'],
  ['Zoë 関所', 'Zoë 関所'],
  ['🦊'.repeat(100), `${'🦊'.repeat(79)}…`],
])('somebody else’s text is made fit to be read: %j', ([text, clean]) => {
  expect(cleanText(text ?? '')).toBe(clean)
})

test('every word is text without markup, and what is missing stays to be seen', () => {
  for (const [key, text] of Object.entries(words.en))
    expect([key, text]).toEqual([key, expect.not.stringMatching(/[<>]|^\s|\s$|^$/)])
  expect(say('welcome.title', { name: 'ada' })).toBe('Welcome, ada')
  expect(say('welcome.title')).toBe('Welcome, {name}')
})
