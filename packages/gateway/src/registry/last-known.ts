import { hash } from 'node:crypto'
import type { TenantId, UserId } from '../base/ids.ts'
import { elements } from '../base/json-spans.ts'
import { isPersonal as differs } from '../base/template.ts'
import type { Storage } from '../storage/database.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'

/** Whose list it is. */
interface Memory {
  readonly definition: UpstreamDefinition
  readonly tenant: TenantId
  readonly userId: UserId
}

/** The lists of tools as they were last seen, kept over restarts, so that a dead upstream keeps its tools. */
export interface LastKnown {
  find(memory: Memory): Promise<readonly Buffer[] | undefined>
  save(memory: Memory, tools: readonly Buffer[]): Promise<void>
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

export function createLastKnown({ storage, clock }: { storage: Storage; clock: { now(): number } }): LastKnown {
  return {
    async find({ definition, tenant, userId }) {
      const row = await storage
        .for(tenant)
        .selectFrom('catalogs')
        .select('body')
        .where('upstream', '=', definition.id)
        .where('user_id', '=', ownerOf(definition, userId))
        .where('definition', '=', digest(definition))
        .executeTakeFirst()
      if (!row) return undefined
      const bytes = Buffer.from(row.body)
      return elements(bytes, 0).map(({ start, end }) => bytes.subarray(start, end))
    },
    async save({ definition, tenant, userId }, tools) {
      const body = `[${tools.join(',')}]`
      const row = { definition: digest(definition), body, fetched_at: clock.now() }
      await storage
        .for(tenant)
        .insertInto('catalogs', { upstream: definition.id, user_id: ownerOf(definition, userId), ...row })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id', 'upstream']).doUpdateSet(row))
        .execute()
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
