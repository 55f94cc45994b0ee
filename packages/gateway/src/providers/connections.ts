import type { AuditEvent } from '../audit/events.ts'
import type { Clock } from '../base/clock.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import type { Storage } from '../storage/database.ts'
import type { GateSecrets } from '../vault/gate-secrets.ts'
import type { Sealer } from '../vault/sealer.ts'
import type { Vault } from '../vault/vault.ts'
import { createAccess, type Wanted } from './access.ts'
import { askAccount } from './account.ts'
import { createConnectLinks } from './connect-links.ts'
import { createConnect } from './connect.ts'
import { createConnectionStore, type ConnectionRecord, type Kept } from './connection-store.ts'
import type { By, Holder } from './credential.ts'
import type { FetchFor } from './fetches.ts'
import { createFlows } from './flows.ts'
import { createImport } from './import.ts'
import type { ProviderLink } from './link.ts'
import { createOpened } from './opened.ts'
import { createParties } from './parties.ts'
import { createRefresh, subject } from './refresh.ts'
import { createRegistration } from './registration.ts'
import { revokeTokens, type Revoked } from './revoke.ts'

export interface ConnectionsNeeds {
  readonly storage: Storage
  readonly vault: Vault
  readonly sealer: Sealer
  readonly gateSecrets: GateSecrets
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly audit: {
    note(tenant: TenantId, event: AuditEvent): void
    record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined
    requireRoom(tenant: TenantId): void
  }
  readonly fetchFor: FetchFor
  readonly settings: Pick<Config, 'publicUrl' | 'providers' | 'servers' | 'outbound'>
  /** Told of each step of OAuth toward a provider, for the metrics. */
  onOperation(operation: Operation, outcome: string): void
}

export type Operation = 'connect' | 'refresh' | 'revoke' | 'discover' | 'register'

/** The accounts users have connected, kept alive for as long as their providers let them. */
export async function createConnections(needs: ConnectionsNeeds) {
  const { storage, vault, sealer, clock, random, log, audit, fetchFor, settings, onOperation } = needs
  const { publicUrl } = settings
  const { clientMetadataUrl } = settings.outbound
  const store = createConnectionStore({ storage, vault, clock })
  const registration = createRegistration({
    storage,
    sealer,
    clock,
    fetchFor,
    publicUrl,
    clientMetadataUrl,
    onOperation,
  })
  const parties = createParties({ clock, fetchFor, registration, settings, onOperation })
  const refresh = createRefresh({ store, parties, clock, fetchFor, log, audit, onOperation })
  const links = createConnectLinks({ key: await needs.gateSecrets.require('connect-link'), publicUrl, clock })
  const flows = createFlows({ storage, sealer, clock, random })
  const connect = createConnect({ flows, store, parties, clock, random, fetchFor, publicUrl, onMade })
  const opened = createOpened({ store, refresh, clock })
  const access = createAccess({ opened, refresh, store, clock, linkFor: links.linkFor, onRejected: changed })
  const listeners: ConnectionListener[] = []

  function changed({ tenant, userId }: Holder, provider: string): void {
    opened.drop({ tenant, userId }, provider)
    for (const listener of listeners) listener(tenant, userId, provider)
  }

  async function onMade(kept: Kept, by?: By): Promise<void> {
    changed(kept.holder, kept.provider)
    await audit.record(kept.holder.tenant, { kind: 'connection.made', ...subject(kept), ...by })
  }

  /** Answers what was there; that it cannot be read keeps nobody from forgetting it. */
  async function forget(holder: Holder, provider: string): Promise<Kept | undefined> {
    const kept = await refresh.whileHeld(holder, provider, async (left) => {
      const found = left ?? (await store.find(holder, provider).catch(() => undefined))
      return (await store.remove(holder, provider)) && { found }
    })
    if (kept === false) throw problem('connection.unknown', { provider: nameOf(provider) })
    return kept.found
  }

  /** Forgets a connection that is still as it was read, and answers whether it was: what is newer is somebody's. */
  async function withdraw({ holder, provider, credential: { version } }: Kept): Promise<boolean> {
    const isGone = await refresh.whileHeld(holder, provider, async (left) => {
      return left === undefined && store.remove(holder, provider, version)
    })
    if (isGone) changed(holder, provider)
    return isGone
  }

  async function revoke({ holder, provider, credential }: Kept): Promise<Revoked> {
    const party = await parties.find(holder.tenant, provider, credential).catch(() => undefined)
    return party === undefined ? 'failed' : revokeTokens(fetchFor(provider), party, credential)
  }

  function nameOf(provider: string): string {
    const known = parties.links.find((link) => link.provider === provider)
    return known?.name ?? settings.providers[provider]?.name ?? provider
  }

  async function test(holder: Holder, link: ProviderLink, server: string): Promise<{ account: string | undefined }> {
    const wanted = { holder, link, server }
    const token = await access.require(wanted)
    const kept = await access.requireKept(wanted)
    const party = await parties.find(holder.tenant, link.provider, kept.credential)
    if (party === undefined) throw access.refusal('connection.rejected', wanted)
    const ask = (shown: Secret) => askAccount(fetchFor(link.provider), party, shown)
    const answer = await ask(token)
    const last = answer.kind === 'refused' ? await ask(await access.renew(wanted, token)) : answer
    if (last.kind === 'refused') throw access.refusal('connection.rejected', wanted)
    return { account: last.kind === 'known' ? last.account : undefined }
  }

  return {
    /**
     * The access token for a server: at once where it was opened lately and has time left.
     *
     * @throws {Problem} `connection.required`, `connection.rejected` with the page to connect at; `provider.*`
     */
    require: (holder: Holder, link: ProviderLink, server: string): Secret | Promise<Secret> =>
      access.require({ holder, link, server }),

    /**
     * Another access token, since the server answered 401 to this one: the newer one that is there already, or one
     * that is asked for now.
     *
     * @throws {Problem} `connection.rejected` where that is hopeless, `connection.required`, `provider.*`
     */
    renew: (holder: Holder, link: ProviderLink, server: string, refused: Secret): Promise<Secret> =>
      access.renew({ holder, link, server }, refused),

    /**
     * Another access token, since the server answered 403 to this one and wants these scopes: the newer one that is
     * there already.
     *
     * @throws {Problem} `connection.scope_required` with the page to allow them at, `connection.scope_refused` where
     *   that was done, `connection.*`
     */
    widen: (wanted: Wanted, refused: Secret, scopes: readonly string[]): Promise<Secret> =>
      access.widen(wanted, refused, scopes),

    /** What there is; never the tokens. */
    list: (tenant: TenantId, userId: UserId): Promise<ConnectionRecord[]> => store.list({ tenant, userId }),

    begin: connect.begin,

    async finish(arrived: Parameters<typeof connect.finish>[0]): ReturnType<typeof connect.finish> {
      audit.requireRoom(arrived.session.tenant)
      try {
        const finished = await connect.finish(arrived)
        onOperation('connect', 'ok')
        return finished
      } catch (error) {
        onOperation('connect', 'failed')
        throw error
      }
    },

    /**
     * Forgets a connection, then tells the provider, where it can be told.
     *
     * @throws {Problem} `connection.unknown`
     */
    async disconnect(
      holder: Holder,
      provider: string,
      by: By = { userId: holder.userId },
    ): Promise<{ revoked: boolean }> {
      const { tenant } = holder
      audit.requireRoom(tenant)
      const kept = await forget(holder, provider)
      changed(holder, provider)
      const outcome = kept === undefined ? 'failed' : await revoke(kept)
      onOperation('revoke', outcome)
      const revoked = outcome === 'ok'
      const gone = subject({ holder, provider, issuer: kept?.issuer })
      await audit.record(tenant, { kind: 'connection.removed', ...gone, ...by, revoked })
      return { revoked }
    },

    /**
     * Proves that the connection a server uses works: renews it where it is due and asks whose it is; `account` is
     * missing where the provider was not asked, or did not say.
     *
     * @throws {Problem} as `require`
     */
    test,

    /** Makes a connection of tokens that another program was given. */
    import: createImport({ store, parties, clock, settings, audit, test, withdraw, onChanged: changed }),

    linkFor: links.linkFor,
    checkLink: links.checkLink,

    /** Told when a connection was made, removed, or rejected. */
    onChanged: (listener: ConnectionListener): void => void listeners.push(listener),

    /** Forgets what is opened of a user who was removed. */
    dropUser: opened.dropUser,

    /** Waits for what is being renewed or connected, whose tokens would be lost. */
    async close(): Promise<void> {
      await connect.close()
      await refresh.close()
    },
  }
}
export type Connections = Awaited<ReturnType<typeof createConnections>>

/** Hears whose connection to what has changed. */
export type ConnectionListener = (tenant: TenantId, userId: UserId, provider: string) => void
