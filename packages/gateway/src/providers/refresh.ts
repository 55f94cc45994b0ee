import { setTimeout as pause } from 'node:timers/promises'
import type { AuditEvent } from '../audit/events.ts'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Secret } from '../base/secret.ts'
import { keyOf, type ConnectionStore, type Kept, type Lease } from './connection-store.ts'
import type { Holder } from './credential.ts'
import { toFaultOrFailure, type Failure } from './failure.ts'
import type { FetchFor } from './fetches.ts'
import { createGranted } from './granted.ts'
import type { Parties } from './parties.ts'
import type { Party } from './party.ts'
import { ASK_MS, askForTokens } from './token-endpoint.ts'
import { dueAt, type Credential, type Tokens } from './tokens.ts'

export interface RefreshNeeds {
  readonly store: Pick<ConnectionStore, 'find' | 'renew' | 'note' | 'lease' | 'giveBack'>
  readonly parties: Pick<Parties, 'find' | 'forgetClient'>
  readonly clock: Clock
  readonly fetchFor: FetchFor
  readonly log: Log
  readonly audit: { note(tenant: TenantId, event: AuditEvent): void }
  onOperation(operation: 'refresh', outcome: string): void
}

/** What became of an attempt to renew. */
export type Outcome =
  | { readonly kind: 'renewed'; readonly kept: Kept }
  /** Somebody else changed the connection meanwhile: what counts is what is kept now. */
  | { readonly kind: 'replaced' }
  | Failed

interface Failed {
  readonly kind: 'failed'
  readonly failure: Failure
}

interface Ready {
  readonly kind: 'ready'
  readonly party: Party
  readonly refreshToken: Secret
}

type Place = Pick<Kept, 'holder' | 'provider'>

interface Backoff {
  readonly version: number
  readonly failures: number
  readonly until: number
  readonly failure: Failure
}

const BACKOFFS = 10_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 300_000

/** Longer than a provider is asked and its answer written: who holds a lease beyond that is gone. */
const LEASE_MS = ASK_MS + 5_000
/** How often is looked whether another process is done. */
const LOOK_MS = 100

/**
 * Renews access tokens. A connection is renewed by one request of one process at a time, whoever waits for it: a provider
 * whose refresh tokens work once each may end the whole grant where one is shown to it twice (RFC 9700 §4.14.2). After a failure
 * it is left alone for a while, longer each time, and a grant that was refused is not presented again.
 */
export function createRefresh(needs: RefreshNeeds) {
  const { store, parties, clock, fetchFor, log, audit, onOperation } = needs
  const granted = createGranted({ store, log })
  const underWay = new Map<string, Promise<Outcome>>()
  const backoffs = createRecent<string, Backoff>(BACKOFFS)
  /** Connections that are left alone until somebody is done with them. */
  const holds = new Map<string, Promise<void>>()
  let isClosing = false

  /** Who is asked, and with what. */
  async function prepare({ holder, provider, credential }: Kept): Promise<Ready | Failed> {
    const { refreshToken } = credential
    if (refreshToken === undefined) return hopeless('no_refresh_token')
    const party = await parties.find(holder.tenant, provider, credential)
    return party === undefined ? hopeless('client_changed') : { kind: 'ready', party, refreshToken }
  }

  /**
   * Asks the provider, then writes by one compare-and-set on the connection's version. Nothing but tokens
   * ever takes the place of tokens.
   */
  async function refreshOnce(kept: Kept, { party, refreshToken }: Ready): Promise<Outcome> {
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken.reveal() }
    const answer = await askForTokens({ fetch: fetchFor(kept.provider), clock }, party, grant)
    if (answer.ok) return keep(kept, successor(kept.credential, answer.tokens))
    return { kind: 'failed', failure: await judge(answer.failure, party, kept.holder) }
  }

  /** A refresh token belongs to the client it was given to: where the gate has to register anew, it is lost. */
  async function judge(failure: Failure, party: Party, { tenant }: Holder): Promise<Failure> {
    if (failure.kind !== 'client' || !party.client.registered) return failure
    await parties.forgetClient(tenant, party)
    return { ...failure, kind: 'grant' }
  }

  async function keep(from: Kept, credential: Omit<Credential, 'version'>): Promise<Outcome> {
    const written = await granted.write(from, credential)
    return written.kind === 'replaced' ? written : { kind: 'renewed', kept: written.kept }
  }

  /**
   * What was granted before is written first: the next tokens take the place of these, and could not where these are
   * not yet. While the database takes nothing, the provider is asked for nothing.
   */
  async function attempt(kept: Kept): Promise<Outcome> {
    const left = await granted.writeLeft(keyOf(kept.holder, kept.provider))
    if (left?.kind === 'replaced' || (left && left.kept.credential.version !== kept.credential.version))
      return { kind: 'replaced' }
    if (left?.kind === 'left') return { kind: 'failed', failure: toFaultOrFailure(left.cause) }
    return renew(kept)
  }

  /**
   * Whoever comes second waits, and is told to look at what the first was granted. The lease is taken last: to find out
   * who is asked takes longer than it lasts, where its metadata comes slowly.
   */
  async function renew(kept: Kept): Promise<Outcome> {
    const ready = await prepare(kept).catch(failedBy)
    if (ready.kind === 'failed') return settle(kept, ready.failure)
    const lease = await waitForLease(kept, kept.credential.version)
    if (lease.kind === 'replaced') return lease
    let outcome: Outcome | undefined
    try {
      outcome = await refreshOnce(kept, ready).catch(failedBy)
      return outcome.kind === 'failed' ? await settle(kept, outcome.failure) : done(kept, outcome)
    } finally {
      // Tokens that were granted take its place, or keep it where they could not be written.
      if (outcome?.kind !== 'renewed') await giveBack(kept, lease)
    }
  }

  function done(kept: Kept, outcome: Outcome): Outcome {
    backoffs.delete(keyOf(kept.holder, kept.provider))
    if (outcome.kind === 'renewed') {
      onOperation('refresh', 'ok')
      audit.note(kept.holder.tenant, { kind: 'connection.refreshed', ...subject(kept) })
    }
    return outcome
  }

  /**
   * A lease that nobody touches is over once it was looked at for as long as one lasts, by the clock of this process: one
   * that was killed while its clock was ahead left a time that is long to come.
   */
  async function waitForLease({ holder, provider }: Place, version?: number): Promise<Lease> {
    let seen: { readonly until: number; readonly since: number } | undefined
    for (;;) {
      const isOver = seen !== undefined && clock.now() - seen.since >= LEASE_MS
      const wanted = { ...(version !== undefined && { version }), ...(seen && isOver && { over: seen.until }) }
      const lease = await store.lease(holder, provider, { ...wanted, forMs: LEASE_MS })
      if (lease.kind !== 'held') return lease
      if (isClosing) throw problem('gate.stopping')
      if (seen?.until !== lease.until) seen = { until: lease.until, since: clock.now() }
      await pause(LOOK_MS)
    }
  }

  /** What cannot be given back ends by itself. */
  async function giveBack({ holder, provider }: Place, lease: Lease): Promise<void> {
    if (lease.kind === 'taken') await store.giveBack(holder, provider, lease.until).catch(() => undefined)
  }

  /** Another process may have renewed it meanwhile: then what was refused here was the token it replaced. */
  async function settle(kept: Kept, failure: Failure): Promise<Outcome> {
    const key = keyOf(kept.holder, kept.provider)
    const now = await store.find(kept.holder, kept.provider)
    if (now?.credential.version !== kept.credential.version) return { kind: 'replaced' }
    onOperation('refresh', failure.kind)
    const { holder, provider, credential } = kept
    const before = backoffs.get(key)
    const failures = before?.version === credential.version ? before.failures + 1 : 1
    const wait = failure.kind === 'grant' ? Infinity : Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    const until = clock.now() + wait
    backoffs.set(key, { version: credential.version, failures, until, failure })
    log.warn({ provider, tenant: holder.tenant, userId: holder.userId, ...shown(failure) }, 'connection.refresh_failed')
    await store.note(kept, failure.error, false)
    audit.note(holder.tenant, { kind: 'connection.refresh_failed', ...subject(kept), error: failure.error })
    return { kind: 'failed', failure }
  }

  return {
    /** Renews a connection, or joins whoever is renewing it. Never rejects. */
    refresh(kept: Kept): Promise<Outcome> {
      const key = keyOf(kept.holder, kept.provider)
      const joined = underWay.get(key) ?? holds.get(key)?.then((): Outcome => ({ kind: 'replaced' }))
      if (joined !== undefined) return joined
      const waiting = backoffs.get(key)
      if (waiting?.version === kept.credential.version && clock.now() < waiting.until) {
        return Promise.resolve({ kind: 'failed', failure: waiting.failure })
      }
      const begun = attempt(kept)
        .catch(failedBy)
        .finally(() => underWay.delete(key))
      underWay.set(key, begun)
      return begun
    },

    /** Notes that a connection is of no use any more. */
    async reject(kept: Kept, error: string): Promise<void> {
      if (!(await store.note(kept, error, true))) return
      onOperation('refresh', 'rejected')
      audit.note(kept.holder.tenant, { kind: 'connection.rejected', ...subject(kept), error })
    },

    /** Tokens that could not be written before: writes them now, or answers them as they are. */
    async findLeft(holder: Holder, provider: string): Promise<Kept | undefined> {
      const left = await granted.writeLeft(keyOf(holder, provider))
      return left === undefined || left.kind === 'replaced' ? undefined : left.kept
    },

    /**
     * Does the work that ends a connection once no renewal is under way in any process, and lets none begin before it is
     * done: what would be granted meanwhile, nobody would know of. The work is told of tokens that are not written yet, and answers
     * false where it did not end the connection after all.
     *
     * @throws {Problem} `gate.stopping` where another process has the connection and this one closes
     */
    async whileHeld<T>(
      holder: Holder,
      provider: string,
      work: (left: Kept | undefined) => Promise<T | false>,
    ): Promise<T | false> {
      const key = keyOf(holder, provider)
      for (let hold = holds.get(key); hold !== undefined; hold = holds.get(key)) await hold
      const { promise, resolve } = Promise.withResolvers<void>()
      holds.set(key, promise)
      try {
        await underWay.get(key)
        const left = granted.findLeft(key)
        // Who has tokens that are not written yet has had the lease since they were granted.
        const lease = left === undefined ? await waitForLease({ holder, provider }) : undefined
        try {
          const ended = await work(left)
          if (ended !== false) granted.forget(key)
          return ended
        } finally {
          if (lease !== undefined) await giveBack({ holder, provider }, lease)
        }
      } finally {
        holds.delete(key)
        resolve()
      }
    },

    /**
     * Waits for what is under way, whose tokens would be lost, and writes what could not be written before. Who waits for
     * another process has asked for nothing yet, and is told that the gate stops.
     */
    async close(): Promise<void> {
      isClosing = true
      await Promise.allSettled(underWay.values())
      await granted.close()
    },
  }
}
export type Refresh = ReturnType<typeof createRefresh>

function hopeless(error: string): Failed {
  return { kind: 'failed', failure: { kind: 'grant', error } }
}

function failedBy(cause: unknown): Failed {
  return { kind: 'failed', failure: toFaultOrFailure(cause) }
}

/** What is not said again stays: a reply without a refresh token leaves the one there is. */
function successor(before: Credential, { refreshToken, scopes, ...tokens }: Tokens): Omit<Credential, 'version'> {
  const { boundTo, clientId, resource } = before
  const kept = { refreshToken: refreshToken ?? before.refreshToken, scopes: scopes ?? before.scopes }
  return { ...tokens, ...kept, boundTo, clientId, resource }
}

/** Whose it is and where, as the audit log has it. */
export function subject({ holder, provider, issuer }: Pick<Kept, 'holder' | 'provider' | 'issuer'>) {
  return { userId: holder.userId, owner: holder.userId, provider, issuer }
}

function shown({ kind, error, cause }: Failure) {
  return { outcome: kind, code: error, error: cause }
}

/** Whether the access token should be renewed before it is used again. */
export function isDue({ credential }: Kept, now: number): boolean {
  const { refreshToken, expiresAt } = credential
  const due = refreshToken === undefined ? expiresAt : dueAt(credential)
  return due !== undefined && now >= due
}
