import { createMalEmulator } from '../../src/mal/emulator.ts'
import type { MalOptions } from '../../src/mal/options.ts'

export const redirectUri = 'http://localhost:7354/callback?provider=mal'
export const verifier = 'v'.repeat(64)
export const web = { id: 'a'.repeat(32), secret: 's'.repeat(64), name: 'Web <app>', redirectUris: [redirectUri] }
export const desktop = { id: 'b'.repeat(32), name: 'Desktop', redirectUris: [redirectUri] }

/** Starts an emulator whose time stands still until a test turns it. */
export async function startMal(options: MalOptions = {}) {
  const time = { now: Date.UTC(2026, 10, 21) }
  const mal = createMalEmulator({ clients: [web, desktop], clock: { now: () => time.now }, ...options })
  const { url } = await mal.listen()

  return {
    ...mal,
    url,
    pass: (seconds: number) => {
      time.now += seconds * 1_000
    },
    /** Calls the API with the token of a user. */
    as(userName: string) {
      const { accessToken } = mal.issueTokens(userName)
      return (path: string, init: Omit<RequestInit, 'headers'> = {}) =>
        fetch(`${url}/v2${path}`, { ...init, headers: { authorization: `Bearer ${accessToken}` } })
    },
    post: (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(url + path, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' }),
    get: (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers, redirect: 'manual' }),
    [Symbol.asyncDispose]: mal.close,
  }
}

export type StartedMal = Awaited<ReturnType<typeof startMal>>

/** The path of an authorization request; `undefined` leaves a parameter out. */
export function authorizePath(changes: Record<string, string | undefined> = {}): string {
  const params: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: web.id,
    redirect_uri: redirectUri,
    state: 'the state',
    code_challenge: verifier,
    ...changes,
  }
  const given = Object.entries(params).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] satisfies [string, string]],
  )
  return `/v1/oauth2/authorize?${new URLSearchParams(given).toString()}`
}

/** Signs in by the form and answers the cookie. */
export async function signIn(mal: StartedMal, userName = 'mika'): Promise<{ cookie: string }> {
  const reply = await mal.post('/login', { user_name: userName, password: `${userName}-password` })
  return { cookie: reply.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

/** Allows an application in the pages and answers the code. */
export async function allow(mal: StartedMal, changes: Record<string, string | undefined> = {}): Promise<string> {
  const reply = await mal.post(authorizePath(changes), { decision: 'allow' }, await signIn(mal))
  return new URL(reply.headers.get('location') ?? '').searchParams.get('code') ?? ''
}

export function redeem(mal: StartedMal, code: string, changes: Record<string, string> = {}): Promise<Response> {
  return mal.post('/v1/oauth2/token', {
    grant_type: 'authorization_code',
    client_id: web.id,
    client_secret: web.secret,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  })
}

export function refresh(mal: StartedMal, token: string, changes: Record<string, string> = {}): Promise<Response> {
  return mal.post('/v1/oauth2/token', {
    grant_type: 'refresh_token',
    client_id: web.id,
    client_secret: web.secret,
    refresh_token: token,
    ...changes,
  })
}

export async function read(reply: Promise<Response>): Promise<{ status: number; body: unknown }> {
  const answer = await reply
  return { status: answer.status, body: await answer.json() }
}
