import { createHash } from 'node:crypto'
import { users } from '@sekisho/playground/mal/users'
import { createBrowser, type Browser, type Page } from '../../../../scripts/lib/browser.ts'
import { acceptInvitation, PASSWORD } from '../../../../scripts/lib/people.ts'
import type { Outside } from '../e2e/journey/outside.ts'

/** Where an honest client on the user's machine takes its answers. */
export const REDIRECT = 'http://127.0.0.1:6789/callback'
/** Where a thief would like to have them. */
export const EVIL = 'https://evil.example/cb'

type Gates = Pick<Outside, 'gate' | 'publicUrl'>
type Address = Pick<Outside, 'publicUrl'>

/** A browser that goes nowhere beyond this machine, and not to the client's own address. */
export function openBrowser(stopAt: (url: URL) => boolean = () => false): Browser {
  return createBrowser({ stopAt: (url) => leaves(url) || stopAt(url) })
}

function leaves({ hostname, pathname }: URL): boolean {
  const toClient = hostname === '127.0.0.1' && pathname === '/callback'
  return toClient || !['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

/** A new user of the gate, at a browser in which they are signed in. */
export async function enter({ gate }: Pick<Gates, 'gate'>, name: string, stopAt?: (url: URL) => boolean) {
  const stop = stopAt ?? (() => false)
  return acceptInvitation(await gate.inviteUser(name), { stopAt: (url) => leaves(url) || stop(url) })
}

/** Signs in on the page that asks for it. */
export function signIn(page: Page, name: string, password = PASSWORD): Promise<Page> {
  return page.press(/^Sign in/, { name, password })
}

/** Somebody with an account at the emulated MyAnimeList. */
export function malAccount(name = 'mika'): { name: string; password: string } {
  const found = users.find((user) => user.name === name)
  if (!found) throw new Error(`the playground has no user ${name}`)
  return found
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>> | URLSearchParams
  readonly json?: unknown
  readonly body?: string
}

/** An answer as it came; nothing is followed and no cookie is kept. */
export interface Got {
  readonly status: number
  readonly location: URL | undefined
  readonly headers: Headers
  readonly text: string
  /** The JSON of the answer, where it is an object. */
  readonly body: Readonly<Record<string, unknown>>
}

export async function send(url: string | URL, { method, headers = {}, form, json, body }: Sent = {}): Promise<Got> {
  const written = body ?? (json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json))
  const type = json === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(url, {
    method: method ?? (written === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: { ...type, ...headers },
    ...(written === undefined ? {} : { body: written }),
  })
  const text = await answer.text()
  const location = answer.headers.get('location')
  return {
    status: answer.status,
    location: location === null ? undefined : new URL(location, url),
    headers: answer.headers,
    text,
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}

/** Registers a client, as anybody may. */
export async function register({ publicUrl }: Address, metadata: object = {}): Promise<string> {
  const json = { client_name: 'A program', redirect_uris: [REDIRECT], ...metadata }
  const { body, text } = await send(`${publicUrl}/register`, { json })
  const { client_id: clientId } = body
  if (typeof clientId !== 'string') throw new Error(`not registered: ${text}`)
  return clientId
}

export const VERIFIER = 'v'.repeat(64)

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

type Params = Readonly<Record<string, string | readonly string[] | undefined>>

/** The address of an authorization request; a parameter that is `undefined` is left out. */
export function authorization({ publicUrl }: Address, clientId: string, params: Params = {}): URL {
  const url = new URL('/authorize', publicUrl)
  const all: Params = {
    client_id: clientId,
    redirect_uri: REDIRECT,
    response_type: 'code',
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    state: 'the-state',
    ...params,
  }
  for (const [name, value] of Object.entries(all))
    for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, each)
  return url
}

/** What a user does who agrees: the client's answer comes back. */
export async function allow(browser: Browser, url: URL): Promise<URL> {
  let page = await browser.open(url.href)
  if (page.has(/^Allow/)) page = await page.press(/^Allow/)
  return new URL(page.url)
}

/** The same, and the code that the answer holds. */
export async function codeFor(browser: Browser, url: URL): Promise<string> {
  const answer = await allow(browser, url)
  const code = answer.searchParams.get('code')
  if (code === null) throw new Error(`no code in ${answer.href}`)
  return code
}

export function redeem({ publicUrl }: Address, form: Readonly<Record<string, string | undefined>>): Promise<Got> {
  const all = { grant_type: 'authorization_code', redirect_uri: REDIRECT, code_verifier: VERIFIER, ...form }
  const given = Object.entries(all).flatMap(([name, value]): [string, string][] => (value ? [[name, value]] : []))
  return send(`${publicUrl}/token`, { form: Object.fromEntries(given) })
}

export function refresh({ publicUrl }: Address, clientId: string, refreshToken: string): Promise<Got> {
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken }
  return send(`${publicUrl}/token`, { form })
}

export interface LetIn {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** A client that its user let in, with its tokens. */
export async function letIn(address: Address, browser: Browser, params: Params = {}): Promise<LetIn> {
  const clientId = await register(address)
  const code = await codeFor(browser, authorization(address, clientId, params))
  return { clientId, ...tokensOf(await redeem(address, { client_id: clientId, code })) }
}

export function tokensOf({ status, body, text }: Got): { accessToken: string; refreshToken: string } {
  const { access_token: accessToken, refresh_token: refreshToken } = body
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') throw new Error(`${status} ${text}`)
  return { accessToken, refreshToken }
}

/** The status that a token is answered with at an MCP endpoint. */
export async function knock(url: string, token: string): Promise<number> {
  return (await ping(url, { authorization: `Bearer ${token}` })).status
}

export function ping(url: string, headers: Readonly<Record<string, string>>): Promise<Got> {
  const json = { jsonrpc: '2.0', id: 1, method: 'ping', params: {} }
  return send(url, { json, headers: { accept: 'application/json', 'mcp-protocol-version': '2025-11-25', ...headers } })
}

/** The hidden token of a page's form. */
export function csrfOf(html: string): string {
  return /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
}

/** Waits for what has to come true within a second. */
export async function withinASecond(holds: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + 1_000
  while (Date.now() < end) {
    if (await holds()) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}

/**
 * What a client is told: in the address it was sent to or, where its user has never let it in, in the link of the page
 * that asks whether to go there.
 */
export function toldTo({ url, html }: Page): URLSearchParams {
  const [, href] = /<a[^>]*href="([^"]+)"[^>]*>Go back to/.exec(html) ?? []
  return new URL(href?.replaceAll('&amp;', '&') ?? url).searchParams
}
