import type { Clock } from '../../src/base/clock.ts'
import { secret } from '../../src/base/secret.ts'
import { createSigningKeys } from '../../src/authserver/signing-keys.ts'
import { DEFAULT_TENANT } from '../../src/identity/tenants.ts'
import type { Storage } from '../../src/storage/database.ts'
import type { Sealer } from '../../src/vault/sealer.ts'

interface Needs {
  readonly storage: Storage
  readonly sealer: Sealer
  readonly clock: Clock
}

/** The first keys that were made here, opened. */
let ready: readonly { readonly id: string; readonly key: string }[] | undefined

/**
 * Puts keys in place that sign id tokens. A key of RSA takes longer to make than most tests take to run: they are made
 * once, by the real thing, and sealed anew for each database.
 */
export async function placeSigningKeys({ storage, sealer, clock }: Needs): Promise<void> {
  const db = storage.system
  if (await db.selectFrom('signing_keys').select('id').executeTakeFirst()) return
  if (ready === undefined) {
    const keys = await createSigningKeys({ storage, sealer, clock }).current()
    ready = keys.map((key) => ({ id: String(key.kid), key: JSON.stringify(key) }))
    return
  }
  const rows = ready.map(async ({ id, key }) => ({
    id,
    sealed: await sealer.seal(DEFAULT_TENANT, `signing-key:${id}`, secret(key)),
    created_at: clock.now(),
    retires_at: null,
  }))
  await db
    .insertInto('signing_keys')
    .values(await Promise.all(rows))
    .execute()
}
