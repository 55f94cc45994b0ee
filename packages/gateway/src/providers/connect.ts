import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { askAccount } from './account.ts'
import type { ConnectionStore, Kept } from './connection-store.ts'
import { toProblem, type Failure } from './failure.ts'
import type { By } from './credential.ts'
import type { FetchFor } from './fetches.ts'
import type { ConnectSession, Flow, Flows, Pending } from './flows.ts'
import type { Parties } from './parties.ts'
import { boundTo, type Party } from './party.ts'
import { askForTokens } from './token-endpoint.ts'
import type { Tokens } from './tokens.ts'

export interface ConnectNeeds {
  readonly flows: Flows
  readonly store: Pick<ConnectionStore, 'replace' | 'connectedAt' | 'scopesOf'>
  readonly parties: Pick<Parties, 'require' | 'find' | 'forgetClient'>
  readonly clock: Clock
  readonly random: Random
  readonly fetchFor: FetchFor
  readonly publicUrl: string
  /** Told of a connection as soon as it is kept. */
  onMade(kept: Kept, by?: By): Promise<void>
}

export interface Begin extends ConnectSession {
  readonly provider: string
  /** The page of the gate that the user goes on to. */
  readonly next: `/account${string}` | `/connect/${string}`
  /** What a server wants beside what it has been granted. */
  readonly scopes?: readonly string[]
}

export interface Finish {
  readonly session: ConnectSession
  /** The address that the provider sent the browser to. */
  readonly address: URL
  /** For the record. */
  readonly by?: By | undefined
}

export interface Finished {
  readonly provider: string
  readonly next: string
}

/** 64 characters of RFC 7636 §4.1, which asks for 43 to 128. */
const VERIFIER_BYTES = 48

/** Connects accounts: leads the user to the provider, and takes its answer. */
export function createConnect(needs: ConnectNeeds) {
  const { flows, store, parties, clock, random, fetchFor, publicUrl } = needs
  const answering = new Map<string, Promise<Finished>>()

  /** The same answer twice, as from a page that is loaded again: what counts is whether the first made a connection. */
  async function answerAgain(
    { tenant, userId }: ConnectSession,
    { provider, createdAt, pending }: Flow,
  ): Promise<Finished> {
    const connectedAt = await store.connectedAt({ tenant, userId }, provider)
    if (connectedAt === undefined || connectedAt < createdAt) throw problem('connect.state', { provider })
    return { provider, next: pending.next }
  }

  async function answer({ session, address, by }: Finish, state: string): Promise<Finished> {
    const query = address.searchParams
    const { flow, first } = await flows.spend(session, state)
    if (!first) return answerAgain(session, flow)
    const { provider, pending } = flow
    const party = await parties.find(session.tenant, provider, pending)
    if (party === undefined) throw problem('connect.state', { provider, reason: 'the provider was set up otherwise' })
    checkAddress(pending, address)
    checkIssuer(party, query)
    const tokens = await exchange(session, party, { code: readCode(party, query), flow })
    await keep(session, { party, flow, tokens, by })
    return { provider, next: pending.next }
  }

  async function exchange(
    session: ConnectSession,
    party: Party,
    { code, flow }: { code: string; flow: Flow },
  ): Promise<Tokens> {
    const { codeVerifier, redirectUri: sentTo } = flow.pending
    const verifier = party.pkce === 'none' ? {} : { code_verifier: codeVerifier }
    const grant = { grant_type: 'authorization_code', code, redirect_uri: sentTo, ...verifier }
    const reply = await askForTokens({ fetch: fetchFor(party.id), clock }, party, grant)
    if (reply.ok) return reply.tokens
    if (reply.failure.kind === 'client') await parties.forgetClient(session.tenant, party)
    throw refusal(party, reply.failure)
  }

  async function keep({ tenant, userId }: ConnectSession, { party, flow, tokens, by }: Granted): Promise<void> {
    const asked = await askAccount(fetchFor(party.id), party, tokens.accessToken)
    const { boundTo, clientId, resource, scopes } = flow.pending
    const kept = await store.replace({ tenant, userId }, flow.provider, {
      credential: { ...tokens, boundTo, clientId, resource },
      account: asked.kind === 'known' ? asked.account : undefined,
      scopes: tokens.scopes ?? scopes,
      issuer: party.issuer,
    })
    await needs.onMade(kept, by)
  }

  /**
   * Who wants more asks for all of it: a token with the new alone would be less than the one it replaces.
   *
   * @see the MCP specification 2026-07-28, basic/authorization, "Step-Up Authorization Flow"
   */
  async function widened(party: Party, session: ConnectSession, more: readonly string[]): Promise<Party> {
    if (more.length === 0) return party
    const granted = await store.scopesOf(session, party.id)
    return { ...party, scopes: [...new Set([...party.scopes, ...granted, ...more])] }
  }

  return {
    /**
     * Answers where to send the browser.
     *
     * @throws {Problem} `provider.*`, `connection.unknown`, `outbound.refused`
     */
    async begin({ provider, next, scopes = [], ...session }: Begin): Promise<URL> {
      const party = await widened(await parties.require(session.tenant, provider), session, scopes)
      const redirectUri = `${publicUrl}${party.client.callback}`
      const codeVerifier = Buffer.from(random(VERIFIER_BYTES)).toString('base64url')
      const state = await flows.open(session, provider, {
        codeVerifier,
        redirectUri,
        next,
        boundTo: boundTo(party),
        clientId: party.client.clientId,
        resource: party.resource,
        scopes: [...party.scopes],
      })
      return authorizationUrl(party, { codeVerifier, redirectUri, state })
    },

    /**
     * Takes the provider's answer. The same answer a second time ends as the first did.
     *
     * @throws {Problem} `connect.state`, `connect.refused`, `provider.*`
     */
    finish(arrived: Finish): Promise<Finished> {
      const { session, address } = arrived
      const state = address.searchParams.get('state')
      if (state === null || state === '') return Promise.reject(problem('connect.state', {}))
      const key = `${session.sessionId} ${flows.nameOf(state)}`
      const joined = answering.get(key)
      if (joined !== undefined) return joined
      const begun = answer(arrived, state).finally(() => answering.delete(key))
      answering.set(key, begun)
      return begun
    },

    /** Waits for answers that are being taken. */
    async close(): Promise<void> {
      await Promise.allSettled(answering.values())
    },
  }
}

interface Granted {
  readonly party: Party
  readonly flow: Flow
  readonly tokens: Tokens
  readonly by: By | undefined
}

interface Asked {
  readonly codeVerifier: string
  readonly redirectUri: string
  readonly state: string
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 RFC 6749 §4.1.1} */
function authorizationUrl(party: Party, { codeVerifier, redirectUri, state }: Asked): URL {
  const url = new URL(party.authorizationUrl)
  const parameters: Record<string, string> = {
    ...party.authorizationParameters,
    response_type: 'code',
    client_id: party.client.clientId,
    redirect_uri: redirectUri,
    state,
    ...(party.scopes.length === 0 ? {} : { scope: party.scopes.join(party.scopeSeparator) }),
    ...challengeOf(party.pkce, codeVerifier),
    ...(party.resource === undefined ? {} : { resource: party.resource }),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.2 RFC 7636 §4.2} */
function challengeOf(pkce: Party['pkce'], codeVerifier: string): Record<string, string> {
  if (pkce === 'none') return {}
  const hash = () => createHash('sha256').update(codeVerifier).digest('base64url')
  return { code_challenge: pkce === 'S256' ? hash() : codeVerifier, code_challenge_method: pkce }
}

/** Refuses an answer that came to another address than was asked for: it is not from whoever was asked. */
function checkAddress({ redirectUri }: Pending, { pathname }: URL): void {
  if (new URL(redirectUri).pathname !== pathname) throw problem('connect.state', { reason: 'address' })
}

/**
 * Refuses an answer of another authorization server: compared letter by letter, and missed where it was promised.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9207#section-2.4 RFC 9207 §2.4}
 */
function checkIssuer({ id, issuer, sendsIssuer }: Party, query: URLSearchParams): void {
  const iss = query.get('iss')
  const isWrong = iss === null ? sendsIssuer : issuer !== undefined && iss !== issuer
  if (isWrong || query.getAll('iss').length > 1) throw problem('connect.state', { provider: id, reason: 'iss' })
}

/** Why no code came, in words of our own: what the provider says is never shown. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['access_denied', 'access was declined'],
  ['consent_required', 'access was declined'],
  ['login_required', 'nobody was signed in there'],
  ['interaction_required', 'nobody was signed in there'],
  ['invalid_scope', 'it does not know what was asked for'],
  ['temporarily_unavailable', 'it is not available just now'],
  ['server_error', 'it had a fault of its own'],
])
const CLIENT_ERRORS: readonly string[] = [
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'unsupported_response_type',
  'invalid_target',
]

function readCode(party: Party, query: URLSearchParams): string {
  const { id, name: provider, tokenReply } = party
  const [error, code] = [query.get('error'), query.get('code')]
  if (error !== null && [...CLIENT_ERRORS, ...tokenReply.clientErrors].includes(error))
    throw problem('provider.misconfigured', { id, provider, reason: error })
  if (error !== null) throw problem('connect.refused', { provider, reason: REASONS.get(error) ?? 'it did not say why' })
  if (code === null || code === '') throw problem('connect.refused', { provider, reason: 'it sent no code' })
  return code
}

/** A code that is not taken is an attempt that failed, whatever the provider's word for it. */
function refusal(party: Party, failure: Failure) {
  if (failure.kind !== 'grant') return toProblem(failure, party)
  return problem('connect.refused', { provider: party.name, reason: 'it did not take its own code any more' })
}
