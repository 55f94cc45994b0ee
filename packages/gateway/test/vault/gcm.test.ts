import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decrypt, encodeAad, encrypt, IV_BYTES } from '../../src/vault/gcm.ts'

const key = createSecretKey(randomBytes(32))
const aad = Buffer.from('whose it is')

test('bytes that are too few for an iv and a tag are said to be cut off, those that are just enough are not', () => {
  for (const length of [0, 1, IV_BYTES, IV_BYTES + 15])
    expect(() => decrypt(key, new Uint8Array(length), aad)).toThrow(new RangeError('sealed bytes are cut off'))
  expect(() => decrypt(key, new Uint8Array(IV_BYTES + 16), aad)).toThrow('authenticate')
  const nothing = encrypt(key, new Uint8Array(), aad, randomBytes(IV_BYTES))
  expect([nothing.length, decrypt(key, nothing, aad).length]).toEqual([IV_BYTES + 16, 0])
})

test('no two lists of parts give the same bytes, wherever one part ends and the next begins', () => {
  expect(encodeAad(['é', ''])).toEqual(Buffer.from([0, 0, 0, 2, 0xc3, 0xa9, 0, 0, 0, 0]))
  const parts = fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 })
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      expect(encodeAad(one).equals(encodeAad(other))).toBe(JSON.stringify(one) === JSON.stringify(other))
    }),
  )
})
