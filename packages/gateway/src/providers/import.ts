import type { AuditEvent } from '../audit/events.ts'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { Problem, problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import type { ConnectionStore } from './connection-store.ts'
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
  readonly store: Pick<ConnectionStore, 'find' | 'replace' | 'nameAccount'>
  readonly parties: Pick<Parties, 'require'>
  readonly clock: Clock
  readonly settings: Pick<Config, 'providers'>
  readonly audit: {
    record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined
    requireRoom(tenant: TenantId): void
  }
  /** As of any connection: renews what is due, and asks whose it is. */
  test(holder: Holder, link: ProviderLink, server: string): Promise<{ account: string | undefined }>
  forget(holder: Holder, provider: string): Promise<unknown>
  onChanged(holder: Holder, provider: string): void
}

/**
 * Makes a connection of tokens that another program was given. They are kept first and tried then, on the way of every
 * other connection, so that what a renewal grants is never lost; what the provider does not accept is forgotten again.
 */
export function createImport({ store, parties, clock, settings, audit, ...needs }: ImportNeeds) {
  async function keep({ holder, link: { provider }, tokens: { scopes, ...tokens } }: Import) {
    const party = await parties.require(holder.tenant, provider)
    const now = clock.now()
    const bound = { boundTo: boundTo(party), clientId: party.client.clientId, resource: undefined }
    const kept = await store.replace(holder, provider, {
      credential: { ...tokens, ...bound, scopes, tokenType: 'Bearer', obtainedAt: now },
      account: undefined,
      scopes: scopes ?? party.scopes,
      issuer: party.issuer,
    })
    needs.onChanged(holder, provider)
    return kept
  }

  /** A provider that cannot answer just now refuses nothing: what is kept is tried with the next call. */
  async function prove({ holder, link, server }: Import): Promise<string | undefined> {
    try {
      return (await needs.test(holder, link, server)).account
    } catch (error) {
      const code = error instanceof Problem ? error.code : undefined
      if (code === 'provider.unreachable' || code === 'provider.bad_answer') return undefined
      await needs.forget(holder, link.provider)
      needs.onChanged(holder, link.provider)
      const isRefused = code === 'connection.rejected'
      throw isRefused ? problem('connection.import_refused', { provider: link.name, cause: error }) : error
    }
  }

  /**
   * Answers whose account it is, where the provider was asked and said so.
   *
   * @throws {Problem} `connection.not_importable`, `connection.exists`, `connection.import_refused`, `provider.not_set_up`,
   *   `provider.misconfigured`: then nothing is kept of them
   */
  return async function importTokens(wanted: Import): Promise<{ account: string | undefined }> {
    const { holder, link, by } = wanted
    const { provider, name } = link
    audit.requireRoom(holder.tenant)
    // A server that names its own authorization server registers this gate there: it is nobody's client of before.
    if (!Object.hasOwn(settings.providers, provider))
      throw problem('connection.not_importable', { server: wanted.server })
    const before = await store.find(holder, provider)
    if (before?.status === 'connected') throw problem('connection.exists', { id: provider, provider: name })
    const kept = await keep(wanted)
    const account = await prove(wanted)
    if (account !== undefined) await store.nameAccount(holder, provider, account)
    await audit.record(holder.tenant, { kind: 'connection.imported', ...subject(kept), ...by })
    return { account }
  }
}
