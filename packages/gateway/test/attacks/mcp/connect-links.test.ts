import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { startScripted, type Scripted } from '../../providers/scripted-server.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { childServer } from '../../e2e/place.ts'
import { enter, openBrowser, send } from '../ground.ts'

/** MCP 2026-07-28, client/elicitation, "Phishing" and "Safe URL handling": who follows a link must be whom it is for. */
let outside: Outside
let other: Scripted
let ada: Browser
let link: URL
beforeAll(async () => {
  other = await startScripted()
  const mcpServers = {
    mal: { builtin: 'mal' },
    other: { url: `${other.origin}/mcp`, oauth: true },
    own: childServer(),
  }
  outside = await openOutside({ config: { mcpServers } })
  ada = await enter(outside, 'ada')
  link = await linkOf('ada')
})
afterAll(async () => {
  await outside[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

/** What the user's client is told when a call needs an account that is not connected. */
async function linkOf(user: string): Promise<URL> {
  const made = await outside.gate.admin('POST', '/admin/api/keys', { user, scopes: ['mcp'] })
  const { key } = made.body as { key: string }
  const params = { name: 'mal__get_my_anime_list', arguments: {} }
  const { text } = await send(`${outside.publicUrl}/mcp`, {
    json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    headers: { authorization: `Bearer ${key}`, accept: 'application/json' },
  })
  const [found] = /http:[^\s"\\]+\/connect\/mal\?t=[\w.-]+/.exec(text) ?? []
  if (found === undefined) throw new Error(`no link in ${text}`)
  return new URL(found)
}

test('a link leads its own user to the provider', async () => {
  expect((await ada.open(link.href)).has(/^Continue to MyAnimeList/)).toBe(true)
})

test('a link that another user opens offers them nothing but to sign in as somebody else (MCP 2025-11-25 client/elicitation: phishing)', async () => {
  const eve = await enter(outside, 'eve')
  const page = await eve.open(link.href)
  expect(page.status).toBe(403)
  expect(page.has(/^Continue/)).toBe(false)
  expect(page.html).not.toMatch(/\bada\b/)
  expect(eve.visited.every((each) => each.startsWith(outside.publicUrl))).toBe(true)
})

test('a link opens nothing to whoever is not signed in', async () => {
  const page = await openBrowser().open(link.href)
  expect(new URL(page.url).pathname).toBe('/sign-in')
  expect(page.html).not.toMatch(/\bada\b|MyAnimeList/)
})

test.for<[string, (ticket: string) => string]>([
  ['with another expiry', (ticket) => ticket.replace(/^\d+/, (expiry) => String(Number(expiry) + 1))],
  ['with another signature', (ticket) => `${ticket.slice(0, -2)}AA`],
  ['with a signature cut short', (ticket) => ticket.slice(0, -1)],
  ['without a signature', (ticket) => ticket.replace(/\..*/, '.')],
  ['with more behind it', (ticket) => `${ticket}.more`],
  ['empty', () => ''],
  ['as something else', () => 'null'],
])('a ticket %s is no ticket', async ([, change]) => {
  const url = new URL(link)
  url.searchParams.set('t', change(link.searchParams.get('t') ?? ''))
  const page = await ada.open(url.href)
  expect([page.status, page.has(/^Continue/)]).toEqual([403, false])
})

test('a ticket is for one server (MCP security best practices: confused deputy)', async () => {
  const page = await ada.open(link.href.replace('/connect/mal', '/connect/other'))
  expect([page.status, page.has(/^Continue/)]).toEqual([403, false])
  const unknown = await ada.open(link.href.replace('/connect/mal', '/connect/nothing'))
  expect(unknown.status).toBe(404)
})

/** Whoever sends the form is whoever is connected: a link gives nothing to the form. */
test('the form connects its own sender only', async () => {
  const eve = await enter(outside, 'eve-sends')
  const page = await eve.open(`${outside.publicUrl}/connect/mal`)
  expect(page.text).toContain('eve-sends')
  await page.press(/^Continue/)
  const { searchParams } = new URL(eve.visited.find((each) => each.includes('/v1/oauth2/authorize?')) ?? '')
  expect(searchParams.get('redirect_uri')).toBe(`${outside.publicUrl}/callback`)
  expect(searchParams.get('state')).toMatch(/^[\w-]{43}$/)
})
