import type { ApiClient } from '#kit/api'
import type { Spent } from '#kit/budget'
import type { Count } from '#kit/counters'
import { asList, asNumber, asObject, asText } from '#kit/read'
import type { Secret } from '#kit/secret'
import { MalProblem } from '../api/problem.ts'
import type { Mal } from '../settings.ts'
import type { Caller, Renewals, Source } from './credentials.ts'
import type { Failure } from './failures.ts'

/** What may be told of a token. The token itself is never among it, nor any part of it. */
export interface TokenFacts {
  /** Where it came from; `none` where the call brought none. */
  readonly source: Source | 'none'
  /** Whether it can be read: MyAnimeList's tokens are JSON Web Tokens, and what they say is not proven here. */
  readonly isReadable: boolean
  /** In milliseconds. */
  readonly issuedAt: number | undefined
  readonly expiresAt: number | undefined
  readonly scopes: readonly string[] | undefined
  /** The id of the application it was issued to. */
  readonly clientId: string | undefined
  /** Whether this server renews it by itself. */
  readonly isRenewedHere: boolean
}

/** One account, as far as its tools ask: its credential, its budget, and what went wrong last. */
export interface Account {
  readonly host: string
  /** The name by which whoever runs this server knows the user; '' where there is only one. */
  readonly owner: string
  readonly isReadOnly: boolean
  readonly hasStorage: boolean
  token(): TokenFacts
  renewals(): Renewals | undefined
  spent(): readonly Spent[]
  counts(): readonly Count[]
  lastFailure(): Failure | undefined
  /** Whether anything answers at MyAnimeList's address. @throws {MalProblem} `unavailable`, `timeout` */
  ping(): Promise<{ status: number; ms: number }>
  /** Asks for something whose answer is not kept. @throws {MalProblem} as any request */
  probe(probe: Probe): Promise<void>
  /**
   * Gets another token now.
   * @throws {MalProblem} `not_renewable` where nobody here can; `token_rejected` where whoever is in front is to do it
   */
  renew(): Promise<TokenFacts>
}

export type Probe = 'profile' | 'anime_list' | 'manga_list' | 'write'

export interface AccountNeeds {
  readonly mal: Mal
  readonly caller: Caller
  /** Absent where the call brought none. */
  readonly signedIn: { readonly token: Secret; readonly client: ApiClient } | undefined
  readonly isReadOnly: boolean
  readonly signal: AbortSignal
}

export function createAccount({ mal, caller, signedIn, isReadOnly, signal }: AccountNeeds): Account {
  const { credentials, owner } = caller

  return {
    host: mal.api.host,
    owner,
    isReadOnly,
    hasStorage: mal.storage !== undefined,
    token: () => factsOf(signedIn?.token),
    renewals: () => credentials.renewals?.(),
    spent: () => (signedIn ? mal.queue.spent(signedIn.client.account) : []),
    counts: () => (signedIn ? mal.counters.read(signedIn.client.account) : []),
    lastFailure: () => mal.failures.find({ who: keyOf(caller, signedIn?.client), account: signedIn?.client.account }),
    ping: () => mal.api.ping('/users/@me', signal),
    async probe(probe) {
      if (!signedIn) throw new MalProblem('token_missing')
      await signedIn.client.request(probes[probe])
    },
    renew,
  }

  async function renew(): Promise<TokenFacts> {
    if (!signedIn) throw new MalProblem('token_missing')
    if (credentials.renew) return factsOf(await credentials.renew(signedIn.token))
    if (owner === '') throw new MalProblem('not_renewable')
    const step = mal.rotations.step({ owner, account: signedIn.client.account, now: mal.now() })
    if (step === 'begun') throw new MalProblem('token_rejected')
    if (step === 'in_vain') throw new MalProblem('not_renewable')
    return factsOf(signedIn.token)
  }

  function factsOf(token: Secret | undefined): TokenFacts {
    const claims = token && readClaims(token)
    const expiresAt = credentials.renewals?.().expiresAt ?? inMs(claims?.['exp'])
    return {
      source: token ? credentials.source : 'none',
      isReadable: claims !== undefined,
      issuedAt: inMs(claims?.['iat']),
      expiresAt,
      scopes:
        claims && 'scopes' in claims ? asList(claims['scopes']).flatMap((scope) => asText(scope) ?? []) : undefined,
      clientId: asText(claims?.['aud']),
      isRenewedHere: credentials.renew !== undefined,
    }
  }
}

/** Whose failures are whose: a token changes, who holds it does not. */
export function keyOf({ owner, credentials }: Caller, client: ApiClient | undefined): string {
  if (owner !== '') return `owner ${owner}`
  return credentials.source === 'request' ? `token ${client?.account ?? ''}` : 'environment'
}

const probes = {
  profile: { method: 'GET', path: '/users/@me', query: { fields: 'id' } },
  anime_list: { method: 'GET', path: '/users/@me/animelist', query: { limit: 1 } },
  manga_list: { method: 'GET', path: '/users/@me/mangalist', query: { limit: 1 } },
  // No anime has this id: with the right to write there is nothing to remove, without it the answer is a refusal.
  write: { method: 'DELETE', path: '/anime/2147483647/my_list_status' },
} as const satisfies Record<Probe, Parameters<ApiClient['request']>[0]>

/** @see {@link https://www.rfc-editor.org/rfc/rfc7519#section-3 RFC 7519 §3} */
function readClaims(token: Secret): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(Buffer.from(token.reveal().split('.')[1] ?? '', 'base64url').toString('utf8')))
  } catch {
    return undefined
  }
}

function inMs(seconds: unknown): number | undefined {
  const value = asNumber(seconds)
  return value === undefined ? undefined : Math.round(value * 1000)
}
