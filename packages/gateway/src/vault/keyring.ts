import { createSecretKey } from 'node:crypto'
import { rmSync } from 'node:fs'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { systemRandom, type Random, type TenantId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Storage } from '../storage/database.ts'
import type { SealingKey } from './envelope.ts'
import { encodeAad } from './gcm.ts'
import { createKeyFile, findRootKey, keyFile, type KeyPlace, type RootKey } from './root-key.ts'

/** The keys of the tenants, opened by the root key. */
export interface Keyring {
  /** Whether the root key was made just now: then its keeper must hear where it is. */
  readonly created: boolean
  readonly place: string
  /** The key that seals new credentials of a tenant, made when it is first needed. */
  sealingKey(tenant: TenantId): Promise<SealingKey>
  /** The key an envelope names; `undefined` for one that the tenant never had. */
  openingKey(tenant: TenantId, id: string): Promise<SealingKey | undefined>
}

export interface KeyringNeeds extends KeyPlace {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
}

/**
 * Finds the root key, or makes one where there is none and nothing was sealed yet, and proves that it is the
 * one this database was made with, before anything is changed.
 *
 * @throws {Problem} `vault.root_key_wrong`, `vault.root_key_missing`, `vault.root_key_malformed`
 */
export async function openKeyring(needs: KeyringNeeds): Promise<Keyring> {
  const { storage, log, random = systemRandom } = needs
  const found = findRootKey(needs, random, log)
  const proof = await readProof(storage)
  if (found === undefined && proof !== undefined) throw problem('vault.root_key_missing', { place: keyFile(needs) })
  const { root, created } = found === undefined ? createRootKey(needs, random) : { root: found, created: false }
  const right = proof === undefined ? await settleProof(storage, root) : await isProvenBy(proof, root)
  if (!right) throw created ? withdraw(needs) : problem('vault.root_key_wrong', { place: root.place })
  return { created, place: root.place, ...createTenantKeys(needs, root, random) }
}

function createRootKey(needs: KeyringNeeds, random: Random): { root: RootKey; created: boolean } {
  const created = createKeyFile(keyFile(needs), random)
  const root = findRootKey(needs, random, needs.log)
  if (root === undefined) throw problem('vault.root_key_missing', { place: keyFile(needs) })
  return { root, created }
}

/** Another gate has just settled this database on a root key of its own; the one made here would only mislead. */
function withdraw(needs: KeyringNeeds) {
  rmSync(keyFile(needs))
  return problem('vault.root_key_missing', { place: keyFile(needs) })
}

const PROOF = 'vault.root_key_proof'
const PROOF_AAD = encodeAad(['sekisho root key proof'])
const PROOF_WORDS = Buffer.from('sekisho')

/** Some words wrapped by the root key of this database: whoever can unwrap them has it. */
const Proof = z.object({ rootKeyId: z.string(), wrapped: z.base64() })
type Proof = z.infer<typeof Proof>

async function readProof({ system }: Storage): Promise<Proof | undefined> {
  const row = await system.selectFrom('meta').select('value').where('key', '=', PROOF).executeTakeFirst()
  return row && Proof.parse(JSON.parse(row.value))
}

/** Settles the database on this root key, unless another process was first; answers whether it is this one. */
async function settleProof(storage: Storage, root: RootKey): Promise<boolean> {
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

async function isProvenBy(proof: Proof, root: RootKey): Promise<boolean> {
  try {
    return PROOF_WORDS.equals(await root.unwrap(Buffer.from(proof.wrapped, 'base64'), PROOF_AAD))
  } catch {
    return false
  }
}

/** Opened tenant keys held in memory. */
const HELD = 1_000
const TENANT_KEY_BYTES = 32

/** The id of a tenant's first key. Everybody who needs a first key tries to write this id, and one succeeds. */
const FIRST = '1'

function createTenantKeys({ storage, clock }: KeyringNeeds, root: RootKey, random: Random) {
  const opened = createRecent<string, SealingKey>(HELD)

  async function openingKey(tenant: TenantId, id: string): Promise<SealingKey | undefined> {
    const held = opened.get(`${tenant} ${id}`)
    if (held !== undefined) return held
    const keys = storage.for(tenant).selectFrom('vault_keys')
    const row = await keys.select('wrapped').where('id', '=', id).executeTakeFirst()
    if (row === undefined) return undefined
    const bytes = await unwrap(root, row.wrapped, tenant, id)
    const key = { id, key: createSecretKey(bytes) }
    bytes.fill(0)
    opened.set(`${tenant} ${id}`, key)
    return key
  }

  async function makeFirst(tenant: TenantId): Promise<void> {
    const wrapped = await root.wrap(random(TENANT_KEY_BYTES), aadOf(tenant, FIRST))
    await storage
      .for(tenant)
      .insertInto('vault_keys', { id: FIRST, root_key_id: root.id, wrapped, created_at: clock.now() })
      .onConflict((row) => row.doNothing())
      .execute()
  }

  return {
    openingKey,
    async sealingKey(tenant: TenantId): Promise<SealingKey> {
      const known = await openingKey(tenant, FIRST)
      if (known !== undefined) return known
      await makeFirst(tenant)
      const made = await openingKey(tenant, FIRST)
      if (made === undefined) throw problem('vault.unreadable', { tenant, key: FIRST })
      return made
    },
  }
}

async function unwrap(root: RootKey, wrapped: Buffer, tenant: TenantId, id: string): Promise<Buffer> {
  try {
    return await root.unwrap(wrapped, aadOf(tenant, id))
  } catch (cause) {
    throw problem('vault.unreadable', { tenant, key: id, cause })
  }
}

function aadOf(tenant: TenantId, id: string): Buffer {
  return encodeAad(['sekisho tenant key', tenant, id])
}
