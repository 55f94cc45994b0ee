import type { Clock } from '../base/clock.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Secret } from '../base/secret.ts'
import type { Vault, VaultRecord } from '../vault/vault.ts'
import { checkToken, type ServiceToken } from './service.ts'
import { isOfConnection } from './vault-names.ts'

export interface CredentialsNeeds {
  readonly vault: Pick<Vault, 'put' | 'open' | 'forget' | 'list'>
  readonly clock: Clock
  /** Where that user sets a token for a server, for people. */
  linkFor(holder: Holder, server: string): string
  /** How long an opened token is kept in memory, in milliseconds; a change made here counts at once. */
  readonly cacheMs?: number
}

/** Whose credential. */
export interface Holder {
  readonly tenant: TenantId
  readonly userId: UserId
}

/** Who does something, and how, as the audit log keeps it. */
export interface By {
  readonly userId: UserId | undefined
  /** The id of the API key. */
  readonly key?: string | undefined
  readonly requestId?: string | undefined
  /** Where from, where that is known. */
  readonly address?: string | undefined
}

type Found = Secret | undefined

/** What the vault said, and until when that is believed. */
interface Opened {
  readonly found: Found
  readonly until: number
}

const OPENED = 10_000
const OPENED_MS = 60_000
const NONE_MS = 5_000

/** The credentials users have for services: for now, tokens they pasted. */
export function createCredentials({ vault, clock, linkFor, cacheMs = OPENED_MS }: CredentialsNeeds) {
  const opened = createRecent<string, Opened>(OPENED)
  const opening = new Map<string, Promise<Found>>()

  function openOnce(key: string, holder: Holder, service: string): Promise<Found> {
    const under = opening.get(key)
    if (under !== undefined) return under
    const answer: Promise<Found> = vault
      .open({ tenant: holder.tenant, userId: holder.userId, provider: service })
      .then((found) => {
        if (opening.get(key) === answer) opened.set(key, { found, until: clock.now() + (found ? cacheMs : NONE_MS) })
        return found
      })
      .finally(() => {
        if (opening.get(key) === answer) opening.delete(key)
      })
    opening.set(key, answer)
    return answer
  }

  /** A vault being asked right now may answer with what was before: its answer goes to those who wait, and no further. */
  function drop(key: string): void {
    opening.delete(key)
    opened.delete(key)
  }

  function tokenFor(holder: Holder, { service }: Pick<ServiceToken, 'service'>): Found | Promise<Found> {
    const key = keyOf(holder, service)
    const known = opened.get(key)
    if (known !== undefined && clock.now() < known.until) return known.found
    return openOnce(key, holder, service)
  }

  return {
    /** Answers at once where it was opened lately; `undefined` where the user has none. */
    tokenFor,

    /** As {@link tokenFor}. @throws {Problem} `token.required`, with the way to get one */
    requireToken(holder: Holder, service: ServiceToken, server: string): Secret | Promise<Secret> {
      const missing = () => {
        const { name, instructions } = service
        throw problem('token.required', { server, service: name, instructions, url: linkFor(holder, server) })
      }
      const token = tokenFor(holder, service)
      return token instanceof Promise ? token.then((found) => found ?? missing()) : (token ?? missing())
    },

    /** Keeps a user's token, in place of the one before. @throws {Problem} `token.format` */
    async set(holder: Holder, service: ServiceToken, token: Secret): Promise<void> {
      checkToken(service, token.reveal())
      await vault.put({ tenant: holder.tenant, userId: holder.userId, provider: service.service }, token)
      drop(keyOf(holder, service.service))
    },

    /** Answers whether there was one. */
    async remove(holder: Holder, service: string): Promise<boolean> {
      if (isOfConnection(service)) return false
      const removed = await vault.forget({ tenant: holder.tenant, userId: holder.userId, provider: service })
      drop(keyOf(holder, service))
      return removed
    },

    /** What there is, of the tenant or of one user; never the tokens. Connections have a list of their own. */
    async list(tenant: TenantId, userId?: UserId): Promise<VaultRecord[]> {
      return (await vault.list(tenant, userId)).filter(({ provider }) => !isOfConnection(provider))
    },

    /** Forgets what is opened of a user who was removed. */
    dropUser(holder: Holder): void {
      const start = keyOf(holder, '')
      for (const key of [...opened.keys(), ...opening.keys()]) if (key.startsWith(start)) drop(key)
    },
  }
}
export type Credentials = ReturnType<typeof createCredentials>

/** Ids have no spaces, so no two holders and services share a key. */
function keyOf({ tenant, userId }: Holder, service: string): string {
  return `${tenant} ${userId} ${service}`
}
