import Provider, { errors, type Adapter, type AdapterPayload, type Client } from 'oidc-provider'
import type { Clock } from '../base/clock.ts'
import { digest } from '../base/digest.ts'
import { secret } from '../base/secret.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'
import { findAgentClient } from './agents.ts'
import type { Newcomers } from './newcomers.ts'
import { claimOnce, keepDeviceCodes, useOnce } from './once.ts'
import { toPayload, type Records, type Row } from './records.ts'
import { toAccountId, type Visitor } from './visitor.ts'

export interface AdapterNeeds {
  readonly storage: Storage
  readonly records: Records
  readonly newcomers: Pick<Newcomers, 'expiresAt' | 'onRegistered'>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly graceMs: number
  /** The address under which an authorization goes on when its user has answered. */
  readonly returnTo: (uid: string) => string
  /** Who is signed in in the browser whose authorization is under way; nothing but that has visitors. */
  readonly visitorOf: (request: object) => { readonly visitor: Visitor | undefined } | undefined
  /** Told when access tokens were taken away, so that none is believed any longer. */
  readonly onTokensGone: (which: { grantId: string } | { hash: string }) => void
}

/** Puts what the library keeps into the records. */
export function createAdapters(needs: AdapterNeeds): (model: string) => Adapter {
  const special: Readonly<Record<string, (base: Adapter) => Adapter>> = {
    Session: (base) => mirrorSessions(base, needs),
    Client: (base) => keepClients(base, needs),
    Interaction: (base) => guardInteractions(base, needs),
    AuthorizationCode: (base) => useOnce('AuthorizationCode', base, needs),
    DeviceCode: (base) => keepDeviceCodes(base, needs),
    AccessToken: (base) => announce(base, needs),
    ClientCredentials: (base) => announce(ownByAgent(base, needs), needs),
    ReplayDetection: (base) => claimOnce(base, needs),
    RefreshToken: (base) => rotate(base, needs),
  }
  return (model) => {
    const base = keep(model, needs.records)
    return special[model]?.(base) ?? base
  }
}

function keep(model: string, records: Records): Adapter {
  return {
    upsert: (id, payload) => records.put(model, id, { payload }),
    async find(id) {
      const row = await records.find(model, id)
      return row && toPayload(row, id)
    },
    findByUserCode: none,
    findByUid: none,
    async consume(id) {
      await records.consume(model, id)
    },
    destroy: (id) => records.destroy(model, id),
    revokeByGrantId: (grantId) => records.destroyByGrant(model, grantId),
  }
}

const none = () => Promise.resolve(undefined)
const nothing = () => Promise.resolve()

/**
 * Ours is the only sign-in. The library's session is made anew for each request, out of who is signed in to the gate
 * at that moment, and is kept nowhere: whoever signs out, or signs in as somebody else, has done so here too.
 */
function mirrorSessions(base: Adapter, needs: AdapterNeeds): Adapter {
  return {
    ...base,
    find(id) {
      const visitor = currentVisitor(needs)?.visitor
      return Promise.resolve(visitor && toSession(id, visitor, needs.clock.now()))
    },
    upsert: nothing,
    destroy: nothing,
  }
}

const SESSION_SECONDS = 86_400

function toSession(id: string, visitor: Visitor, now: number): AdapterPayload {
  const iat = Math.floor(now / 1000)
  return {
    kind: 'Session',
    jti: id,
    uid: visitor.sessionId,
    accountId: toAccountId(visitor),
    loginTs: Math.floor(visitor.signedInAt / 1000),
    iat,
    exp: iat + SESSION_SECONDS,
  }
}

function currentVisitor({ visitorOf }: AdapterNeeds): { readonly visitor: Visitor | undefined } | undefined {
  const { ctx } = Provider
  return ctx === undefined ? undefined : visitorOf(ctx.req)
}

/**
 * What is put here are clients that registered themselves; agents are found beside them. The secrets of those that asked for one must be compared,
 * so they are kept, but sealed.
 */
function keepClients(base: Adapter, { storage, records, sealer, newcomers }: AdapterNeeds): Adapter {
  return {
    ...base,
    async upsert(id, { client_secret: value, ...payload }) {
      const sealed = value && (await sealer.seal(DEFAULT_TENANT, purposeOf(id), secret(value)))
      await records.put('Client', id, { payload, expiresAt: newcomers.expiresAt(), ...(sealed && { sealed }) })
      await newcomers.onRegistered()
    },
    async find(id) {
      const agent = await findAgentClient(storage, id)
      if (agent !== undefined) return agent.metadata
      const row = await records.find('Client', id)
      if (row === undefined) return undefined
      const { jti: _id, ...metadata } = toPayload(row, id)
      if (row.sealed === null) return metadata
      const opened = await sealer.open(DEFAULT_TENANT, purposeOf(id), row.sealed)
      return { ...metadata, client_secret: opened.reveal() }
    },
  }
}

function purposeOf(clientId: string): string {
  return `oauth-client:${clientId}`
}

/**
 * An interaction that was answered by somebody else than is signed in in the browser that comes back with it counts
 * as not answered. Otherwise somebody could begin one, have another answer it, and be let in as that other. The
 * client's `state` is between it and its user, and is kept sealed.
 */
function guardInteractions(base: Adapter, needs: AdapterNeeds): Adapter {
  const { records, sealer } = needs
  return {
    ...base,
    async upsert(uid, { returnTo: _address, session, params: { state, ...params } = {}, ...payload }) {
      const kept = { ...payload, params, ...(session === undefined ? {} : { session: { ...session, cookie: '' } }) }
      if (typeof state !== 'string') return records.put('Interaction', uid, { payload: kept })
      const sealed = await sealer.seal(DEFAULT_TENANT, stateOf(uid), secret(state))
      return records.put('Interaction', uid, { payload: kept, sealed })
    },
    async find(uid) {
      const row = await records.find('Interaction', uid)
      if (row === undefined) return undefined
      const { params, ...found } = toPayload(row, uid)
      const opened = row.sealed && (await sealer.open(DEFAULT_TENANT, stateOf(uid), row.sealed))
      const asked = opened === null ? params : { ...params, state: opened.reveal() }
      const interaction = { ...found, ...(asked && { params: asked }), returnTo: needs.returnTo(uid) }
      const current = currentVisitor(needs)
      if (current === undefined) return interaction
      const account = current.visitor && toAccountId(current.visitor)
      if (account === answererOf(interaction)) return interaction
      const { result: _result, session: _session, lastSubmission: _last, ...unanswered } = interaction
      return unanswered
    },
  }
}

function stateOf(uid: string): string {
  return `oauth-state:${uid}`
}

function answererOf({ result, session }: AdapterPayload): string | undefined {
  return result?.login?.accountId ?? session?.accountId
}

/**
 * A token that an agent is given in its own name is its user's, and ends with it. Whoever replaces what the agent proves
 * itself by takes away the tokens there are, among which one that is written at that moment may not be yet: it is looked
 * at once more when it is there.
 */
function ownByAgent(base: Adapter, { storage, records }: AdapterNeeds): Adapter {
  return {
    ...base,
    async upsert(id, payload) {
      const agent = await findAgentClient(storage, payload.clientId ?? '')
      if (agent === undefined) throw new errors.InvalidClient('the agent is gone')
      await records.put('ClientCredentials', id, { payload: { ...payload, accountId: toAccountId(agent.account) } })
      if (await isProvenBy(storage, Provider.ctx?.oidc.client)) return
      await base.destroy(id)
      throw new errors.InvalidClient('what the agent proved itself by was replaced')
    },
  }
}

/** Whether an agent still proves itself by what it has just proven itself by. */
async function isProvenBy(storage: Storage, client: Client | undefined): Promise<boolean> {
  const now = await findAgentClient(storage, client?.clientId ?? '')
  const { client_secret: secretNow, client_id_issued_at: since } = now?.metadata ?? {}
  return now !== undefined && client?.clientSecret === secretNow && client?.clientIdIssuedAt === since
}

function announce(base: Adapter, { onTokensGone }: AdapterNeeds): Adapter {
  return {
    ...base,
    async destroy(id) {
      await base.destroy(id)
      onTokensGone({ hash: digest(id) })
    },
    async revokeByGrantId(grantId) {
      await base.revokeByGrantId(grantId)
      onTokensGone({ grantId })
    },
  }
}

/**
 * Refresh tokens rotate, and a client may lose the answer that held the new one. So the one before stays good until
 * its successor is first used, for as long as the grace allows; from then on it was stolen, and so was one of two
 * successors of which the other was used. The library then revokes the whole family.
 *
 * @see RFC 9700 §4.14.2, OAuth 2.1 §4.3.1
 */
function rotate(base: Adapter, { records, clock, graceMs }: AdapterNeeds): Adapter {
  return {
    ...base,
    upsert(id, payload) {
      const predecessor = Provider.ctx?.oidc.entities.RotatedRefreshToken
      return records.put('RefreshToken', id, { payload, parent: predecessor && digest(predecessor.jti) })
    },
    async find(id) {
      const row = await records.find('RefreshToken', id)
      if (row === undefined) return undefined
      const { consumed: _used, ...payload } = toPayload(row, id)
      const parent = row.parent === null ? undefined : await records.findHashed('RefreshToken', row.parent)
      const now = clock.now()
      return isSpent(row, parent, { graceMs, now }) ? { ...payload, consumed: Math.floor(now / 1000) } : payload
    },
    async consume(id) {
      const outcome = await records.consume('RefreshToken', id)
      if (outcome === 'overtaken') throw new errors.InvalidGrant('another successor was used first')
    },
  }
}

type Use = Pick<Row, 'consumed_at' | 'successor_used_at'>

/** Whether a refresh token must not be used any more. */
function isSpent(token: Use, parent: Use | undefined, { graceMs, now }: { graceMs: number; now: number }): boolean {
  if (token.consumed_at === null) return parent !== undefined && parent.successor_used_at !== null
  return token.successor_used_at !== null || now - token.consumed_at >= graceMs
}
