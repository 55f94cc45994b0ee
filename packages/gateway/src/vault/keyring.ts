import { createSecretKey } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { systemRandom, type Random, type TenantId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Storage } from '../storage/database.ts'
import type { SealingKey } from './envelope.ts'
import { encodeAad } from './gcm.ts'
import { keyFile } from './key-file.ts'
import { findRootKey, keyringPlace, makeRootKey, type KeyPlacesNeeds } from './key-places.ts'
import { isProvenBy, readProof, settleProof, type Proof } from './proof.ts'
import type { RootKey } from './root-key.ts'

/** The keys of the tenants, opened by the root key. */
export interface Keyring {
  /** Whether the root key was made just now: then its keeper must hear where it is. */
  readonly created: boolean
  readonly place: string
  /** Why a new one is not where it would rather be. */
  readonly because: string | undefined
  /** The key that seals new credentials of a tenant, made when it is first needed. */
  sealingKey(tenant: TenantId): Promise<SealingKey>
  /** The key an envelope names; `undefined` for one that the tenant never had. */
  openingKey(tenant: TenantId, id: string): Promise<SealingKey | undefined>
}

export interface KeyringNeeds extends Omit<KeyPlacesNeeds, 'random'> {
  readonly storage: Storage
  readonly clock: Clock
  readonly random?: Random
}

/**
 * Finds the root key, or makes one where there is none and nothing was sealed yet, and proves that it is the
 * one this database was made with, before anything is changed.
 *
 * @throws {Problem} `vault.root_key_*`, `vault.passphrase_*`, `vault.keyring_*`
 */
export async function openKeyring({ random = systemRandom, ...rest }: KeyringNeeds): Promise<Keyring> {
  const needs = { ...rest, random }
  const { root, ...origin } = await requireRootKey(needs)
  needs.log.info({ place: root.place }, 'vault.opened')
  return { ...origin, place: root.place, ...createTenantKeys(needs, root, random) }
}

type Needs = KeyringNeeds & KeyPlacesNeeds

interface Settled {
  readonly root: RootKey
  readonly created: boolean
  readonly because: string | undefined
}

/**
 * Of gates that make a root key at the same time, the database settles on that of one; the others take theirs back, and
 * look for that one where it may be found.
 */
async function requireRootKey(needs: Needs): Promise<Settled> {
  const proof = await readProof(needs.storage)
  const found = await findRootKey(needs, proof?.rootKeyId)
  if (found !== undefined) return { root: await prove(needs, found.root, proof), created: false, because: undefined }
  if (proof !== undefined) throw missing(needs, proof)
  const made = await makeRootKey(needs)
  if (made !== undefined && (await settleProof(needs.storage, made.root)))
    return { root: made.root, created: true, because: made.because }
  await made?.withdraw()
  return requireRootKey(needs)
}

async function prove({ storage }: Needs, root: RootKey, proof: Proof | undefined): Promise<RootKey> {
  const isRight = proof === undefined ? await settleProof(storage, root) : await isProvenBy(proof, root)
  if (!isRight) throw problem('vault.root_key_wrong', { place: root.place })
  return root
}

/** Where it was looked for in vain. */
function missing(needs: Needs, { rootKeyId }: Proof) {
  const file = keyFile(needs)
  const place = needs.systemKeyring === undefined ? file : `${file}, nor in ${keyringPlace(rootKeyId)}`
  return problem('vault.root_key_missing', { place })
}

/** Opened tenant keys held in memory. */
const HELD = 1_000
const TENANT_KEY_BYTES = 32

/** The id of a tenant's first key. Everybody who needs a first key tries to write this id, and one succeeds. */
const FIRST = '1'

function createTenantKeys({ storage, clock }: Needs, root: RootKey, random: Random) {
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
