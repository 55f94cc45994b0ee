import { hash } from 'node:crypto'
import type { TenantId, UserId } from '../base/ids.ts'
import { isPersonal as differs } from '../base/template.ts'
import type { Storage } from '../storage/database.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'
import { kinds, type KindName } from './kinds.ts'
import { readPage, writePage, type Listing } from './listing.ts'
import type { Shelf } from './shelf.ts'

/** Whose lists they are. */
export interface Holder {
  readonly definition: UpstreamDefinition
  readonly tenant: TenantId
  readonly userId: UserId
}

/** Which list it is. */
export interface Memory extends Holder {
  readonly kind: KindName
  /** Tells the capabilities of the client it was asked for from those of others. */
  readonly client: string
}

/** A list as it was last seen. */
export interface Known {
  readonly listing: Listing
  /** Whether it was asked for such a client; else for another of the user's. */
  readonly isExact: boolean
}

/** The lists as they were last seen, kept over restarts, so that a dead upstream keeps its tools. */
export interface LastKnown {
  find(memory: Memory): Promise<Known | undefined>
  save(memory: Memory, shelf: Pick<Shelf, 'own' | 'rest'>): Promise<void>
  /** How many there were in the list seen last, whatever the client. */
  count(holder: Holder, kind: KindName): Promise<number | undefined>
}

/**
 * Whether an upstream may show each user something else: it is given something of theirs, or runs once for
 * each. Such a list is kept for its user alone.
 */
export function isPersonal(definition: UpstreamDefinition): boolean {
  switch (definition.kind) {
    case 'stdio':
      return !definition.shared
    case 'http':
      return differs(definition.url) || Object.values(definition.headers).some(differs)
    case 'builtin':
      return false
  }
}

/** Each kind of client a user has is one more list to keep; clients of which there are ever new kinds are not to fill the disk. */
const CLIENTS_MOST = 8

export function createLastKnown({ storage, clock }: { storage: Storage; clock: { now(): number } }): LastKnown {
  function rows({ definition, tenant, userId }: Holder, kind: KindName) {
    return storage
      .for(tenant)
      .selectFrom('catalogs')
      .where('upstream', '=', definition.id)
      .where('user_id', '=', ownerOf(definition, userId))
      .where('kind', '=', kind)
      .where('definition', '=', digest(definition))
      .orderBy('fetched_at', 'desc')
      .orderBy('client')
  }

  async function newest(holder: Holder, kind: KindName): Promise<Listing | undefined> {
    const row = await rows(holder, kind).select('body').limit(1).executeTakeFirst()
    return row && readPage(Buffer.from(row.body), kinds[kind].member)
  }

  /** Makes room where there are lists for more kinds of client than are kept. */
  async function forgetOldest(memory: Memory): Promise<void> {
    const { definition, tenant, userId, kind } = memory
    const found = await rows(memory, kind).select('client').limit(100).offset(CLIENTS_MOST).execute()
    if (found.length === 0) return
    const old = found.map(({ client }) => client)
    await storage
      .for(tenant)
      .deleteFrom('catalogs')
      .where('upstream', '=', definition.id)
      .where('user_id', '=', ownerOf(definition, userId))
      .where('kind', '=', kind)
      .where('client', 'in', old)
      .execute()
  }

  return {
    async find(memory) {
      const { kind, client } = memory
      const row = await rows(memory, kind).select('body').where('client', '=', client).executeTakeFirst()
      const listing = row ? readPage(Buffer.from(row.body), kinds[kind].member) : await newest(memory, kind)
      return listing && { listing, isExact: row !== undefined }
    },
    async save(memory, { own, rest }) {
      const { definition, tenant, userId, kind, client } = memory
      const body = writePage(kinds[kind].member, own, rest)
      const row = { definition: digest(definition), body, fetched_at: clock.now() }
      await storage
        .for(tenant)
        .insertInto('catalogs', {
          upstream: definition.id,
          user_id: ownerOf(definition, userId),
          kind,
          client,
          ...row,
        })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'user_id', 'upstream', 'kind', 'client']).doUpdateSet(row),
        )
        .execute()
      await forgetOldest(memory)
    },
    async count(holder, kind) {
      return (await newest(holder, kind))?.items.length
    },
  }
}

function ownerOf(definition: UpstreamDefinition, userId: UserId): UserId | '' {
  return isPersonal(definition) ? userId : ''
}

/** A list belongs to the server it came from: after a change of the configuration it is not shown again. */
function digest(definition: UpstreamDefinition): string {
  return hash('sha256', JSON.stringify(definition), 'base64url')
}
