import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAudit } from '../../src/audit/append.ts'
import { createRecent } from '../../src/audit/recent.ts'
import { createWatch } from '../../src/audit/watch.ts'
import type { Interaction } from '../../src/authserver/interactions.ts'
import { createRequestIds, systemRandom, type UserId } from '../../src/base/ids.ts'
import { problem, type Problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { serveWeb } from '../../src/http/web.ts'
import { createTenants, DEFAULT_TENANT, nameTenants } from '../../src/identity/tenants.ts'
import { createEndpointLimits } from '../../src/limits/endpoints.ts'
import { createLoginApp } from '../../src/login/app.ts'
import { createAttempts } from '../../src/login/attempts.ts'
import { createInvitations } from '../../src/login/invitations.ts'
import { createFederated } from '../../src/login/federated/federated.ts'
import { createPasswords } from '../../src/login/passwords.ts'
import type { SignInPolicy } from '../../src/login/policy.ts'
import { createSessions } from '../../src/login/sessions.ts'
import type { ShownServer } from '../../src/login/views/consent.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { createMemoryCounters } from '../../src/storage/shared/memory.ts'
import { createPeople } from '../identity/people.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'
import { openBrowser } from './browser.ts'
import { openTestFactors } from './factors.ts'

/** Costs next to nothing: what the tests need is the order of things, not the work of a guess. */
const CHEAP = { memoryKib: 64, passes: 1, parallelism: 1 }

export const PASSWORD = 'a lantern for the mountain pass'

const servers: readonly ShownServer[] = [
  { id: 'github', description: 'Issues.' },
  { id: 'notes', description: '<b>Notes</b>' },
]

interface Options {
  /** What the gate is called from outside; without it, by the address it listens at. */
  readonly publicUrl?: string
  readonly signIns?: number
  readonly policy?: Partial<SignInPolicy>
  /** The name it is called by, where it is called by none: passkeys need one. */
  readonly host?: string
}

/** A database of the test's own, closed with it. */
export async function openEmbedded(): Promise<Storage & AsyncDisposable> {
  const storage = await openStorage({ ...newDirectory(), clock: createTestClock(), log: quiet })
  return { ...storage, [Symbol.asyncDispose]: () => storage.close() }
}

/** The pages by which people come in, on a port, with real stores behind them. */
export async function openScene(
  storage: Storage,
  { publicUrl, signIns = 1_000, policy, host = '127.0.0.1' }: Options = {},
) {
  const clock = createTestClock()
  await createTenants({ storage, clock }).ensure('default')
  const { users } = createPeople(storage, clock)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ownUrl = publicUrl ?? base.replace('127.0.0.1', host)

  const held = await openTestFactors({ storage, clock, publicUrl: ownUrl, policy })
  const secure = ownUrl.startsWith('https:')
  const { policyOf } = held
  const sessions = createSessions({ storage, clock, random: systemRandom, log: quiet, policyOf, secure })
  const passwords = createPasswords({
    storage,
    clock,
    random: systemRandom,
    settings: { passwordLength: 8, argon2: CHEAP },
  })
  const invitations = createInvitations({
    storage,
    clock,
    random: systemRandom,
    passwords,
    sessions,
    settings: { publicUrl: ownUrl, invitationHours: 72 },
  })
  const audit = createAudit({ storage, clock, log: quiet })
  const proofs: string[] = []
  const odd: string[] = []
  const failures: Problem[] = []
  const asked = createQuestions()
  const federated = createFederated({
    storage,
    users,
    clock,
    random: systemRandom,
    sealer: held.sealer,
    providers: [],
    publicUrl: ownUrl,
    allowedHosts: [],
    onOperation: () => {},
  })
  const app = createLoginApp({
    ...held,
    tenants: nameTenants([]),
    federated,
    users,
    codeAttempts: createAttempts({ clock }),
    deviceAttempts: createAttempts({ clock, refusal: 'device.throttled' }),
    onProof: (kind, outcome) => void proofs.push(`${kind} ${outcome}`),
    sessions,
    passwords,
    invitations,
    attempts: createAttempts({ clock }),
    interactions: asked.interactions,
    devices: { find: () => Promise.resolve(undefined), allow: nobody, refuse: nobody },
    isKnownClient: (clientId) => clientId === 'known',
    servers: () => servers,
    limits: createEndpointLimits({
      counters: createMemoryCounters(clock),
      perMinute: { signIn: signIns, callback: signIns, logout: signIns, device: signIns },
    }),
    audit,
    watch: createWatch({ audit, recent: createRecent({ storage }), clock, onOdd: (what) => void odd.push(what) }),
    clock,
    random: systemRandom,
    publicUrl: ownUrl,
    onFailure: (failure) => void failures.push(failure),
  })
  const newRequestId = createRequestIds()
  server.on('request', (request, response) => {
    const from = { address: request.socket.remoteAddress ?? 'unknown', requestId: newRequestId() }
    serveWeb(request, response, { bodyLimit: 128 * 1024, fetch: (web) => app.fetch(web, from) }).catch(() => {
      response.destroy()
    })
  })

  return {
    base,
    /** Where pages believe to be. */
    origin: ownUrl,
    clock,
    storage,
    users,
    sessions,
    passwords,
    invitations,
    failures,
    asked,
    factors: held,
    /** The kind and outcome of every proof that somebody gave. */
    proofs,
    /** What was odd about somebody. */
    odd,
    browser: (always?: Readonly<Record<string, string>>) => openBrowser(base, ownUrl, always),
    /** Adds a user who has a password. */
    async person(name: string, password = PASSWORD) {
      const user = await users.add(DEFAULT_TENANT, { name, role: 'member' })
      const { url } = await invitations.create(DEFAULT_TENANT, user.id)
      await invitations.use(url.reveal().split('/').at(-1) ?? '', secret(password))
      return user
    },
    /** The path of a new link for a user. */
    async link(userId: UserId): Promise<string> {
      const { url } = await invitations.create(DEFAULT_TENANT, userId)
      return new URL(url.reveal()).pathname
    },
    async audited(): Promise<Record<string, unknown>[]> {
      await audit.flush()
      const rows = await storage.for(DEFAULT_TENANT).selectFrom('audit').select('entry').orderBy('seq').execute()
      return rows.map(({ entry }) => JSON.parse(entry))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await sessions.close()
      await audit.close()
    },
  }
}
export type Scene = Awaited<ReturnType<typeof openScene>>

/** No terminal asks anything here. */
const nobody = () => Promise.reject(problem('device.unknown'))

/** The authorization server as these pages know it: questions that are put, and what came of them. */
function createQuestions() {
  const open = new Map<string, Interaction>()
  const answers: string[] = []
  const answer = (uid: string, said: string): Promise<string> => {
    answers.push(said)
    return Promise.resolve(`/authorize/${uid}`)
  }
  return {
    answers,
    /** Puts a question; what is not said of it is as most clients have it. */
    put(question: Partial<Interaction> = {}): Interaction {
      const whole: Interaction = {
        uid: `uid${open.size}`,
        prompt: 'consent',
        clientId: 'client-1',
        clientName: 'Inspector',
        redirectUri: 'https://app.example/callback',
        redirectHost: 'app.example',
        isLocalRedirect: false,
        isMetadataClient: false,
        resources: [],
        scopes: ['mcp'],
        ...question,
      }
      open.set(whole.uid, whole)
      return whole
    },
    interactions: {
      find: (uid: string) => Promise.resolve(open.get(uid)),
      signedIn: (uid: string, user: { userId: string }) => answer(uid, `${user.userId} signed in`),
      consent: (uid: string, user: { userId: string }) => answer(uid, `${user.userId} allowed`),
      refuse: (uid: string) => answer(uid, 'refused'),
      beginAnew: (uid: string) => Promise.resolve(`/authorize?of=${uid}`),
    },
  }
}
