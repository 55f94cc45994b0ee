import { createHmac, createSecretKey } from 'node:crypto'
import type { Random } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'
import { decrypt, encrypt, IV_BYTES } from './gcm.ts'

/** The key above all others. It may be out of reach, as in a KMS: it is only ever asked to wrap and unwrap. */
export interface RootKey {
  /** Kept beside what it wrapped; tells one root key from another and nothing about it. */
  readonly id: string
  /** Where it is, for people. */
  readonly place: string
  wrap(bytes: Uint8Array, aad: Buffer): Promise<Buffer>
  /** Throws where it was wrapped by another key, for something else, or was changed. */
  unwrap(wrapped: Uint8Array, aad: Buffer): Promise<Buffer>
}

const KEY_BYTES = 32

/** 32 bytes in base64 or base64url, with or without padding. */
const ENCODED = /^[A-Za-z0-9+/_-]{43}=?$/

/** A root key nobody has had before, as it is written down: 32 bytes in base64. */
export function newRootKey(random: Random): Secret {
  return secret(Buffer.from(random(KEY_BYTES)).toString('base64'))
}

/**
 * Reads a root key as it is written down.
 *
 * @throws {Problem} `vault.root_key_malformed`
 */
export function parseRootKey(text: Secret, place: string, random: Random): RootKey {
  const encoded = text.reveal()
  const bytes = Buffer.from(encoded, 'base64')
  if (!ENCODED.test(encoded) || bytes.length !== KEY_BYTES) throw problem('vault.root_key_malformed', { place })
  const key = createSecretKey(bytes)
  return {
    id: createHmac('sha256', key).update('sekisho root key id').digest('base64url').slice(0, 16),
    place,
    wrap: async (plain, aad) => encrypt(key, plain, aad, random(IV_BYTES)),
    unwrap: async (wrapped, aad) => decrypt(key, wrapped, aad),
  }
}
