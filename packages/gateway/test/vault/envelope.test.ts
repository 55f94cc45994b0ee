import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TenantId, UserId } from '../../src/base/ids.ts'
import { open, readKeyId, seal, type Owner } from '../../src/vault/envelope.ts'

const key = { id: '1', key: createSecretKey(randomBytes(32)) }
const owner: Owner = { tenant: 'ten_a' as TenantId, userId: 'usr_a' as UserId, provider: 'github' }
const unreadable = expect.objectContaining({ code: 'vault.unreadable' })
const iv = () => randomBytes(12)

test('what was sealed opens for its owner, and names its key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const envelope = seal(key, owner, value, iv())
      expect(readKeyId(envelope)).toBe('1')
      expect(open(key, owner, envelope)).toBe(value)
    }),
  )
})

test('an envelope of which any bit was changed, or any end cut off, does not open', () => {
  const envelope = seal(key, owner, 'ghp_secret', iv())
  const read = (bytes: Buffer): string | undefined =>
    readKeyId(bytes) === key.id ? open(key, owner, bytes) : undefined
  const outcome = (bytes: Buffer) => {
    try {
      return read(bytes) ?? 'no envelope'
    } catch {
      return 'unreadable'
    }
  }
  for (let bit = 0; bit < envelope.length * 8; bit++) {
    const changed = Buffer.from(envelope)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    expect(outcome(changed), `bit ${bit}`).toMatch(/no envelope|unreadable/)
  }
  for (let length = 0; length < envelope.length; length++) {
    expect(outcome(envelope.subarray(0, length)), `length ${length}`).toMatch(/no envelope|unreadable/)
  }
})

test('an envelope opens for nobody else: not another tenant, user or service, nor with another key', () => {
  const envelope = seal(key, owner, 'ghp_secret', iv())
  const others: Owner[] = [
    { ...owner, tenant: 'ten_b' as TenantId },
    { ...owner, userId: 'usr_b' as UserId },
    { ...owner, provider: 'gitlab' },
    { ...owner, tenant: 'ten_aus' as TenantId, userId: 'r_a' as UserId },
  ]
  for (const each of others) expect(() => open(key, each, envelope)).toThrow(unreadable)
  const wrong = { id: '1', key: createSecretKey(randomBytes(32)) }
  expect(() => open(wrong, owner, envelope)).toThrow(unreadable)
  expect(() => open({ ...key, id: '2' }, owner, envelope)).toThrow(unreadable)
})
