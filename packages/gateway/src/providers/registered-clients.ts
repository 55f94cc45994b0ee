import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'

export interface RegisteredClientsNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly sealer: Sealer
  readonly clock: Clock
  /** Where answers come; a client that was registered with another is of no use. */
  readonly redirectUri: string
}

/** A client as an authorization server registered it. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientSecret: string | undefined
  /** How it authenticates, in the words of RFC 7591. */
  readonly method: string
  /** When the secret ends; `null` for never. */
  readonly expiresAt: number | null
}

/** What is there for an issuer: a client to be used, or one whose time is over. */
export type Standing =
  | { readonly kind: 'good'; readonly client: RegisteredClient }
  | { readonly kind: 'over'; readonly clientId: string; readonly createdAt: number }
  | { readonly kind: 'none' }

/** What is sealed beside a registered client's id. */
const Sealed = z.object({ clientSecret: z.string().optional(), redirectUri: z.string(), method: z.string() })

/** The clients that authorization servers registered, one for each tenant and issuer. */
export function createRegisteredClients({ storage, sealer, clock, redirectUri }: RegisteredClientsNeeds) {
  const purposeOf = (issuer: string) => `upstream client ${issuer}`

  async function find(tenant: TenantId, issuer: string): Promise<Standing> {
    const rows = storage.for(tenant).selectFrom('upstream_clients').selectAll().where('issuer', '=', issuer)
    const row = await rows.executeTakeFirst()
    if (row === undefined) return { kind: 'none' }
    const over = { kind: 'over', clientId: row.client_id, createdAt: row.created_at } as const
    if (row.sealed === null || (row.expires_at !== null && row.expires_at <= clock.now())) return over
    const opened = await sealer.open(tenant, purposeOf(issuer), row.sealed)
    const sealed = Sealed.parse(JSON.parse(opened.reveal()))
    if (sealed.redirectUri !== redirectUri) return over
    const { clientSecret, method } = sealed
    return { kind: 'good', client: { clientId: row.client_id, clientSecret, method, expiresAt: row.expires_at } }
  }

  return {
    find,

    /**
     * Keeps a new client in the place that was found for it, unless another process has filled that meanwhile: users
     * may be on their way with its client already. Answers the one that is kept.
     */
    async keep(
      tenant: TenantId,
      issuer: string,
      { client, place }: { client: RegisteredClient; place: Exclude<Standing, { kind: 'good' }> },
    ): Promise<RegisteredClient> {
      const { clientId, clientSecret, method, expiresAt } = client
      const value = { clientSecret, redirectUri, method } satisfies z.input<typeof Sealed>
      const sealed = await sealer.seal(tenant, purposeOf(issuer), secret(JSON.stringify(value)))
      const row = { client_id: clientId, sealed, created_at: clock.now(), expires_at: expiresAt }
      const db = storage.for(tenant)
      if (place.kind === 'over') {
        const same = db
          .updateTable('upstream_clients')
          .where('issuer', '=', issuer)
          .where('client_id', '=', place.clientId)
        const { numUpdatedRows } = await same
          .where('created_at', '=', place.createdAt)
          .set(row)
          .executeTakeFirstOrThrow()
        if (numUpdatedRows > 0n) return client
      }
      const { numInsertedOrUpdatedRows: inserted = 0n } = await db
        .insertInto('upstream_clients', { issuer, ...row })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      if (inserted > 0n) return client
      const now = await find(tenant, issuer)
      return now.kind === 'good' ? now.client : client
    },

    /** Gives a client up that its authorization server does not know any more. */
    async forget(tenant: TenantId, issuer: string, clientId: string): Promise<void> {
      const rows = storage.for(tenant).deleteFrom('upstream_clients').where('issuer', '=', issuer)
      await rows.where('client_id', '=', clientId).execute()
    },
  }
}
