import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished, vi } from 'vitest'
import type { AuditEvent } from '../../src/audit/events.ts'
import { createRecent } from '../../src/audit/recent.ts'
import { createWatch } from '../../src/audit/watch.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createIds, createRequestIds, type TenantId, type UpstreamId, type UserId } from '../../src/base/ids.ts'
import type { Problem } from '../../src/base/problem.ts'
import { createAuthserver, type Authserver, type AuthserverNeeds } from '../../src/authserver/authserver.ts'
import type { OAuthSettings } from '../../src/authserver/settings.ts'
import { createTenants, DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import type { User } from '../../src/identity/users.ts'
import { createEndpointLimits } from '../../src/limits/endpoints.ts'
import { createRouter } from '../../src/http/router.ts'
import { openStorage } from '../../src/storage/database.ts'
import { createMemoryCounters } from '../../src/storage/shared/memory.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createPeople } from '../identity/people.ts'
import { newDirectory, quiet, type FreshDatabase } from '../stores/databases.ts'
import { createBrowser, WHO, type Browser } from './browser.ts'
import { placeSigningKeys } from './ready-keys.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const oauth: OAuthSettings = {
  accessTokenMinutes: 60,
  refreshTokenDays: 90,
  refreshGraceHours: 24,
  dynamicRegistration: true,
  clientIdMetadata: true,
  deviceAuthorization: true,
  trustedIssuers: [],
  clients: [
    {
      clientId: 'known',
      name: 'A known client',
      redirectUris: ['http://127.0.0.1/cb', 'com.example.known:/cb', 'https://known.test/cb'],
    },
  ],
}

export interface SceneOptions {
  readonly oauth?: Partial<OAuthSettings>
  readonly fetch?: AuthserverNeeds['fetch']
  readonly fetchFromIssuers?: AuthserverNeeds['fetchFromIssuers']
  readonly userOf?: AuthserverNeeds['userOf']
  readonly perMinute?: number
  readonly servers?: readonly string[]
  /** It makes its first keys itself, which takes longer. */
  readonly makesKeys?: boolean
}

/** The clock stands still until it is turned, for the library too, which looks at the system's. */
function stopTime() {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  onTestFinished(() => void vi.useRealTimers())
  return { now: () => Date.now(), turn: (milliseconds: number) => void vi.setSystemTime(Date.now() + milliseconds) }
}

/** An authorization server behind a real socket, with a sign-in that believes what the test's browser says. */
export async function openScene(database: Pick<FreshDatabase, 'storage'>, options: SceneOptions = {}) {
  const clock = stopTime()
  const { storage } = database
  const tenant = await createTenants({ storage, clock }).ensure('default')
  const events: AuditEvent[] = []
  const failures: Problem[] = []
  const operations: string[] = []
  /** What the log was told that nobody should see happen. */
  const faults: unknown[] = []
  const { dataDir } = newDirectory()
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const { users } = createPeople(storage, clock)
  const sealer = createSealer({ keyring })
  if (!options.makesKeys) await placeSigningKeys({ storage, sealer, clock })

  let current: Authserver | undefined
  let answer: ReturnType<typeof createRouter> | undefined
  const web = createServer((request, response) => answer?.(request, response))
  await new Promise<void>((resolve) => void web.listen(0, resolve))
  const { port } = web.address() as AddressInfo
  const publicUrl = `http://localhost:${port}`

  const perMinute = options.perMinute ?? 10_000
  const limits = { authorize: perMinute, token: perMinute, register: perMinute, revoke: perMinute, device: perMinute }
  const audit = {
    requireRoom: () => {},
    note: (_tenant: TenantId, event: AuditEvent) => void events.push(event),
    record: (_tenant: TenantId, event: AuditEvent) => void events.push(event),
    flush: () => Promise.resolve(),
  }
  let address = '192.0.2.1'
  const needs: AuthserverNeeds = {
    storage,
    sealer,
    clock,
    log: {
      ...quiet,
      error: (facts: object, event: string) => void faults.push('error' in facts ? facts.error : event),
    },
    audit,
    watch: createWatch({ audit, recent: createRecent({ storage }), clock, onOdd: () => {} }),
    limits: createEndpointLimits({ counters: createMemoryCounters(clock), perMinute: limits }),
    addressOf: () => address,
    newRequestId: createRequestIds(),
    onFailure: (failure) => void failures.push(failure),
    settings: {
      publicUrl,
      oauth: { ...oauth, ...options.oauth },
      servers: () => (options.servers ?? ['github', 'notes']) as UpstreamId[],
    },
    fetch: options.fetch ?? (() => Promise.reject(new Error('nothing is out there'))),
    whoIsSignedIn: ({ headers }) => {
      const [id, at] = String(headers[WHO] ?? '').split(' ')
      if (!id) return Promise.resolve(undefined)
      const signedInAt = Number(at) || clock.now()
      return Promise.resolve({ tenant, userId: id as UserId, sessionId: `session of ${id}`, signedInAt })
    },
    findUser: (ten, id) => users.find(ten, id),
    users,
    newId: createIds(clock),
    fetchFromIssuers: options.fetchFromIssuers ?? (() => Promise.reject(new Error('nothing is out there'))),
    userOf: options.userOf ?? (() => Promise.resolve(undefined)),
    onOperation: (operation, outcome) => void operations.push(`${operation} ${outcome}`),
  }
  function open(changed: Partial<AuthserverNeeds> = {}): void {
    current = createAuthserver({ ...needs, ...changed })
    answer = createRouter({ ...needs, routes: current.routes, checkEdge: () => {}, isStopping: () => false })
  }
  open()
  onTestFinished(async () => {
    await current?.close()
    web.closeAllConnections()
    await new Promise((resolve) => void web.close(resolve))
  })

  const scene = {
    storage,
    clock,
    users,
    events,
    failures,
    faults,
    operations,
    publicUrl,
    port,
    settings: needs.settings,
    get server(): Authserver {
      if (current === undefined) throw new Error('not open')
      return current
    },
    /** Where requests come from, from now on. */
    moveTo: (to: string) => void (address = to),
    addUser: (name = 'ada'): Promise<User> => users.add(DEFAULT_TENANT, { name, role: 'member' }),
    /** Closes the server and opens another on the same records, as a restart does. */
    async restart(changed: Partial<AuthserverNeeds> = {}): Promise<void> {
      await current?.close()
      open(changed)
    },
    post: (path: string, body: Record<string, string> | [string, string][], headers: Record<string, string> = {}) =>
      send(`${publicUrl}${path}`, new URLSearchParams(body), headers),
    async register(metadata: object): Promise<{ status: number; body: Record<string, unknown> }> {
      return send(`${publicUrl}/register`, JSON.stringify(metadata), { 'content-type': 'application/json' })
    },
    get: async (path: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${publicUrl}${path}`, { headers })
      return {
        status: answer.status,
        headers: answer.headers,
        body: JSON.parse(await answer.text()) as Record<string, unknown>,
      }
    },
  }
  return scene
}

/** The same on a database of its own, for what does not depend on which. */
export async function openAlone(options: SceneOptions = {}): Promise<Scene> {
  const storage = await openStorage({ ...newDirectory(), clock: systemClock, log: quiet })
  onTestFinished(() => storage.close())
  return openScene({ storage }, options)
}

export type Scene = Awaited<ReturnType<typeof openScene>>

async function send(url: string, body: URLSearchParams | string, headers: Record<string, string>) {
  const answer = await fetch(url, { method: 'POST', body, headers })
  const text = await answer.text()
  const json = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown>
  return { status: answer.status, headers: answer.headers, body: json }
}

export const REDIRECT = 'http://127.0.0.1:5555/cb'

/** Registers a program on the user's machine, as most clients do. */
export async function registerClient(scene: Scene, metadata: object = {}): Promise<string> {
  const { status, body } = await scene.register({ client_name: 'A program', redirect_uris: [REDIRECT], ...metadata })
  if (status !== 201) throw new Error(`not registered: ${JSON.stringify(body)}`, { cause: scene.faults })
  return String(body['client_id'])
}

export function createPkce() {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export interface Ask {
  readonly clientId: string
  readonly redirectUri?: string
  readonly challenge?: string
  readonly more?: Record<string, string | readonly string[] | undefined>
}

export function authorizeUrl(
  { publicUrl }: Scene,
  { clientId, redirectUri = REDIRECT, challenge, more = {} }: Ask,
): URL {
  const url = new URL('/authorize', publicUrl)
  const params = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: challenge ?? createPkce().challenge,
    code_challenge_method: 'S256',
    state: 'xyz',
    ...more,
  }
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, each)
  }
  return url
}

export interface Answered {
  /** Where the browser was sent in the end. */
  readonly answer: URL
  /** What the user was asked on the way. */
  readonly asked: readonly string[]
}

/** Goes through an authorization as a user who agrees to all of it. */
export function authorize(scene: Scene, browser: Browser, user: User, url: URL): Promise<Answered> {
  return goThrough(scene, browser, { user, agrees: true }, url)
}

/** The same as a user who does not. */
export function refuse(scene: Scene, browser: Browser, user: User, url: URL): Promise<Answered> {
  return goThrough(scene, browser, { user, agrees: false }, url)
}

interface Mind {
  readonly user: User
  readonly agrees: boolean
}

async function goThrough(scene: Scene, browser: Browser, { user, agrees }: Mind, url: URL): Promise<Answered> {
  const { interactions } = scene.server
  const who = { tenant: DEFAULT_TENANT, userId: user.id, createdAt: scene.clock.now() }
  const asked: string[] = []
  let next = url
  for (let hops = 0; hops < 10; hops++) {
    const uid = /^\/interaction\/(.+)$/.exec(next.pathname)?.[1]
    if (uid === undefined) {
      const { location, status, text } = await browser.open(next)
      if (location === undefined) throw new Error(`stopped at ${status}: ${text}`)
      if (location.origin !== scene.publicUrl) return { answer: location, asked }
      next = location
    } else {
      const prompt = (await interactions.find(uid))?.prompt ?? 'none'
      asked.push(prompt)
      if (prompt === 'login') browser.signIn({ id: user.id, signedInAt: who.createdAt })
      const agree = prompt === 'login' ? interactions.signedIn : interactions.consent
      next = new URL(await (agrees ? agree(uid, who) : interactions.refuse(uid)), scene.publicUrl)
    }
  }
  throw new Error('too many hops')
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly body: Record<string, unknown>
}

/** All of it: the user agrees, and the client is given its tokens. */
export async function letIn(scene: Scene, user: User, ask: Omit<Ask, 'challenge'>): Promise<Tokens> {
  const { verifier, challenge } = createPkce()
  const { answer } = await authorize(
    scene,
    createBrowser({ id: user.id }),
    user,
    authorizeUrl(scene, { ...ask, challenge }),
  )
  const { status, body } = await redeem(scene, { ...ask, code: answer.searchParams.get('code') ?? '', verifier })
  if (status !== 200) throw new Error(`no token: ${JSON.stringify(body)} after ${answer.href}`)
  return asTokens(body)
}

export function redeem(scene: Scene, ask: Omit<Ask, 'challenge'> & { code: string; verifier: string }) {
  return scene.post('/token', {
    grant_type: 'authorization_code',
    client_id: ask.clientId,
    redirect_uri: ask.redirectUri ?? REDIRECT,
    code: ask.code,
    code_verifier: ask.verifier,
  })
}

export function refresh(scene: Scene, clientId: string, refreshToken: string) {
  return scene.post('/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken })
}

export function asTokens(body: Record<string, unknown>): Tokens {
  return { accessToken: String(body['access_token']), refreshToken: String(body['refresh_token']), body }
}
