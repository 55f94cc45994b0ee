import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

export const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM: answers iv, ciphertext and tag in one. The iv must never be used twice with a key; it is
 * chance, which is safe for 2^32 messages.
 *
 * @see {@link https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf NIST SP 800-38D §8.3}
 */
export function encrypt(key: KeyObject, plain: Uint8Array, aad: Buffer, iv: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(aad)
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Undoes {@link encrypt}. Throws where the key, the bytes or the AAD are not those it was given. */
export function decrypt(key: KeyObject, sealed: Uint8Array, aad: Buffer): Buffer {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new RangeError('sealed bytes are cut off')
  const iv = sealed.subarray(0, IV_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad).setAuthTag(sealed.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
}

/** Each part with its length before it: no two lists of parts give the same bytes. */
export function encodeAad(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(part))
      return [length, Buffer.from(part)]
    }),
  )
}
