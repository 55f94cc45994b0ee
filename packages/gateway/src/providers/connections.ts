import { LRUCache } from 'lru-cache'
import type { AuditEvent } from '../audit/events.ts'
import type { Clock } from '../base/clock.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import type { Storage } from '../storage/database.ts'
import type { GateSecrets } from '../vault/gate-secrets.ts'
import type { Sealer } from '../vault/sealer.ts'
import type { Vault } from '../vault/vault.ts'
import { askAccount } from './account.ts'
import { createConnectLinks } from './connect-links.ts'
import { createConnect } from './connect.ts'
import { createConnectionStore, type ConnectionRecord, type Kept } from './connection-store.ts'
import type { Holder } from './credential.ts'
import { covers } from './discover.ts'
import { toProblem, type Failure } from './failure.ts'
import { createFlows } from './flows.ts'
import type { ProviderLink } from './link.ts'
import { createParties } from './parties.ts'
import { createRefresh, isDue, keyOf, subject } from './refresh.ts'
import { createRegistration } from './registration.ts'
import { revokeTokens } from './revoke.ts'

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
  /** Guarded; the hosts of the configuration ({@link hostsOf} in `link.ts`) are allowed. */
  readonly fetch: Fetch
  readonly settings: Pick<Config, 'publicUrl' | 'providers' | 'servers'>
  /** Told of each step of OAuth toward a provider, for the metrics. */
  onOperation(operation: Operation, outcome: string): void
}

export type Operation = 'connect' | 'refresh' | 'revoke' | 'discover' | 'register'

const OPENED = 10_000
const OPENED_MS = 60_000

/** A server that refuses the token of a renewal it brought about itself so lately does not refuse it for its age. */
const FRESH_MS = 60_000

/** The accounts users have connected, kept alive for as long as their providers let them. */
export async function createConnections(needs: ConnectionsNeeds) {
  const { storage, vault, sealer, clock, random, log, audit, fetch, settings, onOperation } = needs
  const { publicUrl } = settings
  const store = createConnectionStore({ storage, vault, clock })
  const registration = createRegistration({ storage, sealer, clock, fetch, publicUrl, onOperation })
  const parties = createParties({ clock, fetch, registration, settings, onOperation })
  const refresh = createRefresh({ store, parties, clock, fetch, log, audit, onOperation })
  const links = createConnectLinks({ key: await needs.gateSecrets.require('connect-link'), publicUrl, clock })
  const flows = createFlows({ storage, sealer, clock, random })
  const connect = createConnect({ flows, store, parties, clock, random, fetch, publicUrl, onMade })
  const opened = new LRUCache<string, { readonly kept: Kept; readonly until: number }>({ max: OPENED })
  const opening = new Map<string, Promise<Kept | undefined>>()
  /** When a server's refusal last brought about a renewal. */
  const forced = new LRUCache<string, number>({ max: OPENED })
  const listeners: ConnectionListener[] = []

  function drop(key: string): void {
    opening.delete(key)
    opened.delete(key)
  }

  function changed({ tenant, userId }: Holder, provider: string): void {
    drop(keyOf({ tenant, userId }, provider))
    for (const listener of listeners) listener(tenant, userId, provider)
  }

  async function onMade(kept: Kept): Promise<void> {
    changed(kept.holder, kept.provider)
    await audit.record(kept.holder.tenant, { kind: 'connection.made', ...subject(kept) })
  }

  function remember(kept: Kept): void {
    opened.set(keyOf(kept.holder, kept.provider), { kept, until: clock.now() + OPENED_MS })
  }

  /** A read that was under way when the connection changed answers those who wait, and is not kept. */
  function read(holder: Holder, provider: string): Promise<Kept | undefined> {
    const key = keyOf(holder, provider)
    const joined = opening.get(key)
    if (joined !== undefined) return joined
    const begun: Promise<Kept | undefined> = (async () =>
      (await refresh.findUnwritten(holder, provider)) ?? (await store.find(holder, provider)))()
      .then((kept) => {
        if (kept?.status === 'connected' && opening.get(key) === begun) remember(kept)
        return kept
      })
      .finally(() => {
        if (opening.get(key) === begun) opening.delete(key)
      })
    opening.set(key, begun)
    return begun
  }

  function findOpened(holder: Holder, provider: string): Kept | undefined {
    const known = opened.get(keyOf(holder, provider))
    return known !== undefined && clock.now() < known.until ? known.kept : undefined
  }

  /** What may be used at once: connected, made for this server, and with time left. */
  function isReady(kept: Kept, link: ProviderLink): boolean {
    return kept.status === 'connected' && isFor(kept, link) && !isDue(kept, clock.now())
  }

  async function requireKept({ holder, link, server }: Wanted): Promise<Kept> {
    const kept = findOpened(holder, link.provider) ?? (await read(holder, link.provider))
    if (kept === undefined || !isFor(kept, link)) throw refusal('connection.required', { holder, link, server })
    if (kept.status === 'rejected') throw refusal('connection.rejected', { holder, link, server })
    return kept
  }

  /** Renews what is due; while the old access token is good, that this fails is nobody's problem. */
  async function requireFresh(wanted: Wanted, tries = 2): Promise<Secret> {
    const kept = await requireKept(wanted)
    if (!isDue(kept, clock.now())) return kept.credential.accessToken
    const outcome = await refresh.refresh(kept)
    const { provider } = wanted.link
    if (outcome.kind === 'renewed') return renewed(outcome.kept)
    if (outcome.kind === 'replaced') drop(keyOf(wanted.holder, provider))
    if (outcome.kind === 'replaced' && tries > 0) return requireFresh(wanted, tries - 1)
    if (outcome.kind === 'replaced') throw refusal('connection.required', wanted)
    const { expiresAt, accessToken } = kept.credential
    if (expiresAt !== undefined && clock.now() < expiresAt) return accessToken
    throw await ended(wanted, kept, outcome.failure)
  }

  function renewed(kept: Kept): Secret {
    remember(kept)
    return kept.credential.accessToken
  }

  /** What the caller is told once there is no access token that works. */
  async function ended(wanted: Wanted, kept: Kept, failure: Failure) {
    const { provider, name } = wanted.link
    if (failure.kind !== 'grant') return toProblem(failure, { id: provider, name })
    await refresh.reject(kept, failure.error)
    changed(wanted.holder, provider)
    return refusal('connection.rejected', wanted)
  }

  function refusal(code: 'connection.required' | 'connection.rejected', { holder, link, server }: Wanted) {
    return problem(code, { server, provider: link.name, url: links.linkFor(holder, server) })
  }

  async function renew(wanted: Wanted, refused: Secret, tries = 2): Promise<Secret> {
    drop(keyOf(wanted.holder, wanted.link.provider))
    const kept = await requireKept(wanted)
    const { accessToken, refreshToken } = kept.credential
    if (accessToken.reveal() !== refused.reveal()) return accessToken
    if (refreshToken === undefined) throw await ended(wanted, kept, { kind: 'grant', error: 'unauthorized' })
    const key = keyOf(wanted.holder, wanted.link.provider)
    if (clock.now() - (forced.get(key) ?? -Infinity) < FRESH_MS) throw await refusedFresh(wanted, kept)
    const outcome = await refresh.refresh(kept)
    forced.set(key, clock.now())
    if (outcome.kind === 'renewed') return renewed(outcome.kept)
    if (outcome.kind === 'replaced' && tries > 0) return renew(wanted, refused, tries - 1)
    throw outcome.kind === 'failed'
      ? await ended(wanted, kept, outcome.failure)
      : refusal('connection.required', wanted)
  }

  /** Another would be refused as well; since other servers may take this one, the connection stays. */
  async function refusedFresh(wanted: Wanted, kept: Kept) {
    await store.note(kept, 'unauthorized', false)
    return refusal('connection.rejected', wanted)
  }

  function nameOf(provider: string): string {
    const known = parties.links.find((link) => link.provider === provider)
    return known?.name ?? settings.providers[provider]?.name ?? provider
  }

  return {
    /**
     * The access token for a server: at once where it was opened lately and has time left.
     *
     * @throws {Problem} `connection.required`, `connection.rejected` with the page to connect at; `provider.*`
     */
    require(holder: Holder, link: ProviderLink, server: string): Secret | Promise<Secret> {
      const kept = findOpened(holder, link.provider)
      if (kept !== undefined && isReady(kept, link)) return kept.credential.accessToken
      return requireFresh({ holder, link, server })
    },

    /**
     * Another access token, since the server answered 401 to this one: the newer one that is there already, or one
     * that is asked for now.
     *
     * @throws {Problem} `connection.rejected` where that is hopeless, `connection.required`, `provider.*`
     */
    renew: (holder: Holder, link: ProviderLink, server: string, refused: Secret) =>
      renew({ holder, link, server }, refused),

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
    async disconnect(holder: Holder, provider: string): Promise<{ revoked: boolean }> {
      audit.requireRoom(holder.tenant)
      await refresh.landed(holder, provider)
      const kept = await store.find(holder, provider).catch(() => undefined)
      const removed = await store.remove(holder, provider)
      if (!removed) throw problem('connection.unknown', { provider: nameOf(provider) })
      changed(holder, provider)
      const party = kept && (await parties.find(holder.tenant, provider, kept.credential).catch(() => undefined))
      const revoked = kept && party ? await revokeTokens(fetch, party, kept.credential) : false
      onOperation('revoke', revoked ? 'ok' : 'failed')
      const gone = subject({ holder, provider, issuer: kept?.issuer })
      await audit.record(holder.tenant, { kind: 'connection.removed', ...gone, revoked })
      return { revoked }
    },

    /**
     * Proves that the connection a server uses works: renews it where it is due and asks whose it is; `account` is
     * missing where the provider was not asked, or did not say.
     *
     * @throws {Problem} as `require`
     */
    async test(holder: Holder, link: ProviderLink, server: string): Promise<{ account: string | undefined }> {
      const wanted = { holder, link, server }
      const token = await requireFresh(wanted)
      const kept = await requireKept(wanted)
      const party = await parties.find(holder.tenant, link.provider, kept.credential)
      if (party === undefined) throw refusal('connection.rejected', wanted)
      const answer = await askAccount(fetch, party, token)
      const last = answer.kind === 'refused' ? await askAccount(fetch, party, await renew(wanted, token)) : answer
      if (last.kind === 'refused') throw refusal('connection.rejected', wanted)
      return { account: last.kind === 'known' ? last.account : undefined }
    },

    linkFor: links.linkFor,
    checkLink: links.checkLink,

    /** Told when a connection was made, removed, or rejected. */
    onChanged: (listener: ConnectionListener): void => void listeners.push(listener),

    /** Forgets what is opened of a user who was removed. */
    dropUser(holder: Holder): void {
      const start = keyOf(holder, '')
      for (const key of [...opened.keys(), ...opening.keys()]) if (key.startsWith(start)) drop(key)
    },

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

interface Wanted {
  readonly holder: Holder
  readonly link: ProviderLink
  readonly server: string
}

/** An access token goes to the server it was made for, whatever the configuration says later. */
function isFor({ credential }: Kept, { resource }: ProviderLink): boolean {
  if (resource === undefined) return true
  return credential.resource !== undefined && covers(credential.resource, resource)
}
