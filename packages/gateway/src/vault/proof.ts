import { z } from 'zod'
import type { Storage } from '../storage/database.ts'
import { encodeAad } from './gcm.ts'
import type { RootKey } from './root-key.ts'

const PROOF = 'vault.root_key_proof'
const PROOF_AAD = encodeAad(['sekisho root key proof'])
const PROOF_WORDS = Buffer.from('sekisho')

/** Some words wrapped by the root key of this database: whoever can unwrap them has it. */
const Proof = z.object({ rootKeyId: z.string(), wrapped: z.base64() })
export type Proof = z.infer<typeof Proof>

export async function readProof({ system }: Pick<Storage, 'system'>): Promise<Proof | undefined> {
  const row = await system.selectFrom('meta').select('value').where('key', '=', PROOF).executeTakeFirst()
  return row && Proof.parse(JSON.parse(row.value))
}

/** Settles the database on this root key, unless another process was first; answers whether it is this one. */
export async function settleProof(storage: Pick<Storage, 'system'>, root: RootKey): Promise<boolean> {
  const wrapped = await root.wrap(PROOF_WORDS, PROOF_AAD)
  const value = JSON.stringify({ rootKeyId: root.id, wrapped: wrapped.toString('base64') } satisfies Proof)
  await storage.system
    .insertInto('meta')
    .values({ key: PROOF, value })
    .onConflict((row) => row.doNothing())
    .execute()
  const settled = await readProof(storage)
  return settled !== undefined && isProvenBy(settled, root)
}

export async function isProvenBy(proof: Proof, root: RootKey): Promise<boolean> {
  try {
    return PROOF_WORDS.equals(await root.unwrap(Buffer.from(proof.wrapped, 'base64'), PROOF_AAD))
  } catch {
    return false
  }
}
