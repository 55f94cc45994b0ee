import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { textAt } from '../../../../../scripts/lib/admin.ts'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { acceptInvitation, allowClient } from '../../../../../scripts/lib/people.ts'
import type { Gate } from '../../../../../scripts/lib/gate.ts'
import { doorOf } from '../place.ts'
import { send } from '../wire.ts'

/** An MCP client's side of OAuth, one request at a time, where a test has to see each. */

/** Nobody listens there: the browsers of these tests stop before it. */
export const REDIRECT = 'http://127.0.0.1:6791/callback'

/** What a client was given when its user let it in. */
export interface Held {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** A request for authorization, and what proves later who made it. */
export interface Asking {
  readonly clientId: string
  readonly url: URL
  readonly state: string
  readonly codeVerifier: string
}

/** Lets somebody in by invitation; their browser stops where it would be sent to the client. */
export async function openBrowserOf(gate: Gate, name: string): Promise<Browser> {
  return acceptInvitation(await gate.inviteUser(name), { stopAt: isRedirect })
}

export function isRedirect(url: URL): boolean {
  return url.href.startsWith(REDIRECT)
}

/** Registers a client, public where nothing else is said. */
export async function register(publicUrl: string, metadata: object = {}): Promise<Answer> {
  const body = { client_name: 'Test', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', ...metadata }
  return answerOf(
    await fetch(`${publicUrl}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ grant_types: ['authorization_code', 'refresh_token'], ...body }),
    }),
  )
}

export async function registerClient(publicUrl: string, metadata?: object): Promise<string> {
  return textAt((await register(publicUrl, metadata)).body, 'client_id')
}

export function ask(publicUrl: string, clientId: string): Asking {
  const codeVerifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const url = new URL(`${publicUrl}/authorize`)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource: `${publicUrl}/mcp`,
    scope: 'mcp',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return { clientId, url, state, codeVerifier }
}

/** Posts a form to the token or the revocation endpoint. */
export async function post(publicUrl: string, path: '/token' | '/revoke', form: Record<string, string>, headers = {}) {
  return answerOf(await fetch(`${publicUrl}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) }))
}

export function exchange(publicUrl: string, { clientId, codeVerifier }: Asking, callback: URL): Promise<Answer> {
  const code = callback.searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, client_id: clientId, redirect_uri: REDIRECT }
  return post(publicUrl, '/token', { ...form, code_verifier: codeVerifier })
}

export function refresh(publicUrl: string, held: Pick<Held, 'clientId' | 'refreshToken'>): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: held.refreshToken, client_id: held.clientId }
  return post(publicUrl, '/token', form)
}

export function revoke(publicUrl: string, clientId: string, token: string): Promise<Answer> {
  return post(publicUrl, '/revoke', { client_id: clientId, token })
}

/** The tokens of an answer; one that has none is a failure of the test. */
export function heldBy(clientId: string, { body }: Answer): Held {
  return { clientId, accessToken: textAt(body, 'access_token'), refreshToken: textAt(body, 'refresh_token') }
}

/** Has a client let in by whoever is signed in at that browser: authorization, consent, tokens. */
export async function letIn(publicUrl: string, browser: Browser, clientId?: string): Promise<Held> {
  const asking = ask(publicUrl, clientId ?? (await registerClient(publicUrl)))
  const callback = await allowClient(browser, asking.url, '')
  expect(callback.searchParams.get('state')).toBe(asking.state)
  return heldBy(asking.clientId, await exchange(publicUrl, asking, callback))
}

/** How MCP answers who comes with that: 200, or 401 where it opens nothing. */
export async function knock(gate: Pick<Gate, 'url'>, token: string): Promise<number> {
  return (await send(doorOf(gate, { key: token }), 'tools/list')).status
}

async function answerOf(answer: Response): Promise<Answer> {
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}
