import { systemRandom, type Random, type TenantId } from '../base/ids.ts'
import { secret } from '../base/secret.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from './sealer.ts'

export interface GateSecretsNeeds {
  readonly storage: Storage
  readonly sealer: Sealer
  /** Whose key seals them: that of the tenant every gate has. */
  readonly tenant: TenantId
  readonly random?: Random
}

const BYTES = 32

/**
 * Secrets of the gate's own, one for each purpose: made when first asked for, the same in every process and after
 * every restart.
 */
export function createGateSecrets({ storage, sealer, tenant, random = systemRandom }: GateSecretsNeeds) {
  async function find(name: string): Promise<Buffer | undefined> {
    const row = await storage.system
      .selectFrom('meta')
      .select('value')
      .where('key', '=', keyOf(name))
      .executeTakeFirst()
    if (row === undefined) return undefined
    const opened = await sealer.open(tenant, keyOf(name), Buffer.from(row.value, 'base64'))
    return Buffer.from(opened.reveal(), 'base64')
  }

  async function make(name: string): Promise<void> {
    const value = secret(Buffer.from(random(BYTES)).toString('base64'))
    const sealed = await sealer.seal(tenant, keyOf(name), value)
    await storage.system
      .insertInto('meta')
      .values({ key: keyOf(name), value: sealed.toString('base64') })
      .onConflict((row) => row.doNothing())
      .execute()
  }

  return {
    /** Answers 32 bytes. Where several processes make one at once, all are given the same. */
    async require(name: string): Promise<Buffer> {
      const known = await find(name)
      if (known !== undefined) return known
      await make(name)
      const made = await find(name)
      if (made === undefined) throw new Error(`the secret ${name} is gone`)
      return made
    },
  }
}
export type GateSecrets = ReturnType<typeof createGateSecrets>

function keyOf(name: string): string {
  return `secret.${name}`
}
