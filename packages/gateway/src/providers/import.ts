import type { AuditEvent } from '../audit/events.ts'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import type { ConnectionStore, Kept } from './connection-store.ts'
import type { By, Holder } from './credential.ts'
import type { ProviderLink } from './link.ts'
import type { Parties } from './parties.ts'
import { boundTo } from './party.ts'
import { subject } from './refresh.ts'

/** Tokens that another program was given for an account, as it kept them. */
export interface ForeignTokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  /** In milliseconds since 1970; `undefined` where nobody knows. */
  readonly expiresAt: number | undefined
  /** `undefined` where it was not kept: then they have what this gate would ask for. */
  readonly scopes: readonly string[] | undefined
}

/** Whose they become, for which server, and who brings them. */
export interface Import {
  readonly holder: Holder
  readonly link: ProviderLink
  readonly server: string
  readonly tokens: ForeignTokens
  readonly by: By
}

export interface ImportNeeds {
  readonly store: Pick<ConnectionStore, 'find' | 'add' | 'nameAccount'>
  readonly parties: Pick<Parties, 'require'>
  readonly clock: Clock
  readonly settings: Pick<Config, 'providers'>
  readonly audit: {
    record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined
    requireRoom(tenant: TenantId): void
  }
  /** As of any connection: renews what is due, and asks whose it is. */
  test(holder: Holder, link: ProviderLink, server: string): Promise<{ account: string | undefined }>
  /** Forgets a connection that is still as it was read; answers whether it was. */
  withdraw(kept: Kept): Promise<boolean>
  onChanged(holder: Holder, provider: string): void
}

/**
 * Makes a connection of tokens that another program was given. They are kept first and tried then, on the way of every
 * other connection, so that what a renewal grants is never lost; what the provider does not accept is forgotten again.
 */
export function createImport({ store, parties, clock, settings, audit, ...needs }: ImportNeeds) {
  async function keep({ holder, link: { provider, name }, tokens: { scopes, ...tokens }, by }: Import): Promise<Kept> {
    const party = await parties.require(holder.tenant, provider)
    const now = clock.now()
    const bound = { boundTo: boundTo(party), clientId: party.client.clientId, resource: undefined }
    const kept = await store.add(holder, provider, {
      credential: { ...tokens, ...bound, scopes, tokenType: 'Bearer', obtainedAt: now },
      account: undefined,
      scopes: scopes ?? party.scopes,
      issuer: party.issuer,
    })
    if (kept === undefined) throw problem('connection.exists', { id: provider, provider: name })
    needs.onChanged(holder, provider)
    // Before they are tried: whatever becomes of that, there is no connection without its event.
    await audit.record(holder.tenant, { kind: 'connection.imported', ...subject(kept), ...by })
    return kept
  }

  async function prove(wanted: Import, kept: Kept): Promise<string | undefined> {
    try {
      return (await needs.test(wanted.holder, wanted.link, wanted.server)).account
    } catch (error) {
      if (isSilent(error) || !(await isForgotten(wanted, kept))) return undefined
      const isRefused = error instanceof Problem && error.code === 'connection.rejected'
      throw isRefused ? problem('connection.import_refused', { provider: wanted.link.name, cause: error }) : error
    }
  }

  /**
   * Forgets what did not work, unless it was renewed meanwhile and the provider still takes that: then what the file has
   * is spent, and what is kept is all there is. A connection that somebody else has made since is left alone as well.
   */
  async function isForgotten({ holder, link: { provider }, by }: Import, kept: Kept): Promise<boolean> {
    const now = await store.find(holder, provider)
    if (now === undefined) return true
    const isNewer = now.credential.version !== kept.credential.version
    if ((isNewer && now.status === 'connected') || !(await needs.withdraw(now))) return false
    await audit.record(holder.tenant, { kind: 'connection.removed', ...subject(kept), ...by, revoked: false })
    return true
  }

  /**
   * Answers whose account it is, where the provider was asked and said so.
   *
   * @throws {Problem} `connection.not_importable`, `connection.exists`, `connection.import_refused`, `provider.not_set_up`,
   *   `provider.misconfigured`: then nothing is kept of them
   */
  return async function importTokens(wanted: Import): Promise<{ account: string | undefined }> {
    const { holder, link, server } = wanted
    audit.requireRoom(holder.tenant)
    // A server that names its own authorization server registers this gate there: it is nobody's client of before.
    if (!Object.hasOwn(settings.providers, link.provider)) throw problem('connection.not_importable', { server })
    const account = await prove(wanted, await keep(wanted))
    if (account !== undefined) await store.nameAccount(holder, link.provider, account)
    return { account }
  }
}

/** A provider that cannot answer just now refuses nothing: what is kept is tried with the next call. */
function isSilent(error: unknown): boolean {
  return error instanceof Problem && ['provider.unreachable', 'provider.bad_answer'].includes(error.code)
}
