import { systemRandom, type Random, type TenantId, type UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import { open, readKeyId, seal, type Owner } from './envelope.ts'
import { IV_BYTES } from './gcm.ts'
import type { Keyring } from './keyring.ts'

/** Seals what is nobody's credential and must not be read from the database either. */
export interface Sealer {
  /** `purpose` says what it is and which row it belongs to: it opens for that purpose only. */
  seal(tenant: TenantId, purpose: string, value: Secret): Promise<Buffer>
  /** @throws {Problem} `vault.unreadable` */
  open(tenant: TenantId, purpose: string, sealed: Buffer): Promise<Secret>
}

export interface SealerNeeds {
  readonly keyring: Pick<Keyring, 'sealingKey' | 'openingKey'>
  readonly random?: Random
}

/** Uses the tenant's key, and an envelope that no user's credential can be taken for. */
export function createSealer({ keyring, random = systemRandom }: SealerNeeds): Sealer {
  return {
    async seal(tenant, purpose, value) {
      return seal(await keyring.sealingKey(tenant), ownerOf(tenant, purpose), value.reveal(), random(IV_BYTES))
    },
    async open(tenant, purpose, sealed) {
      const keyId = readKeyId(sealed)
      const key = keyId === undefined ? undefined : await keyring.openingKey(tenant, keyId)
      if (key === undefined) throw problem('vault.unreadable', { tenant, purpose, keyId })
      return secret(open(key, ownerOf(tenant, purpose), sealed))
    },
  }
}

/** No user has an empty id. */
function ownerOf(tenant: TenantId, purpose: string): Owner {
  return { tenant, userId: '' as UserId, provider: purpose }
}
