import type { KeyObject } from 'node:crypto'
import type { TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { decrypt, encodeAad, encrypt } from './gcm.ts'

/** Whose credential, and for what: sealed into the envelope, so that it opens in no other place. */
export interface Owner {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly provider: string
}

/** A key that seals credentials. The id goes into each envelope, so that several can be in use. */
export interface SealingKey {
  readonly id: string
  readonly key: KeyObject
}

const VERSION = 1
const HEADER_BYTES = 2

/**
 * Seals a value: a version byte, the key id's length and the key id, then iv, ciphertext and tag. The AAD is
 * tenant, user, provider and key id.
 */
export function seal({ id, key }: SealingKey, owner: Owner, value: string, iv: Uint8Array): Buffer {
  const keyId = Buffer.from(id)
  const header = Buffer.concat([Buffer.of(VERSION, keyId.length), keyId])
  return Buffer.concat([header, encrypt(key, Buffer.from(value), aadOf(owner, id), iv)])
}

/**
 * Opens what {@link seal} made.
 *
 * @throws {Problem} `vault.unreadable` for one that was changed, or that is another owner's
 */
export function open({ id, key }: SealingKey, owner: Owner, envelope: Buffer): string {
  const sealed = envelope.subarray(HEADER_BYTES + Buffer.byteLength(id))
  try {
    return decrypt(key, sealed, aadOf(owner, id)).toString()
  } catch (cause) {
    throw problem('vault.unreadable', { ...owner, cause })
  }
}

/** Tells which key opens an envelope; `undefined` where it is not one. */
export function readKeyId(envelope: Buffer): string | undefined {
  const [version, length] = envelope
  if (version !== VERSION || length === undefined || envelope.length < HEADER_BYTES + length) return undefined
  return envelope.toString('utf8', HEADER_BYTES, HEADER_BYTES + length)
}

function aadOf({ tenant, userId, provider }: Owner, keyId: string): Buffer {
  return encodeAad(['sekisho credential', tenant, userId, provider, keyId])
}
