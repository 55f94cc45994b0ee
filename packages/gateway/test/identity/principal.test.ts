import { expect, test } from 'vitest'
import { systemRandom, type UpstreamId } from '../../src/base/ids.ts'
import { isKey, makeKey } from '../../src/identity/key-format.ts'
import { mayAdminister, maySeeUpstream } from '../../src/identity/principal.ts'

const github = 'github' as UpstreamId

test.each([
  [['mcp'], true],
  [['mcp:github'], true],
  [['mcp:git'], false],
  [['mcp:gitlab', 'admin'], false],
  [[], false],
])('scopes %j: sees the server github is %s', (scopes, sees) => {
  expect(maySeeUpstream({ scopes }, github)).toBe(sees)
})

test.each([
  ['owner', ['admin'], true],
  ['admin', ['mcp', 'admin'], true],
  ['member', ['admin'], false],
  ['owner', ['mcp'], false],
] as const)('role %s with scopes %j: administers is %s', (role, scopes, may) => {
  expect(mayAdminister({ role, scopes })).toBe(may)
})

test('a key is sekisho_, 40 characters of chance and a checksum, whatever the dice show', () => {
  expect(makeKey(systemRandom)).toMatch(/^sekisho_[0-9A-Za-z]{46}$/)
  expect(isKey(makeKey(systemRandom))).toBe(true)
  expect(makeKey(systemRandom)).not.toBe(makeKey(systemRandom))
})

test('no character of a key is likelier than another: bytes beyond the last whole 62 are thrown again', () => {
  const throws = [Uint8Array.of(248, 255, 0), new Uint8Array(40).fill(61)]
  const key = makeKey(() => throws.shift() ?? new Uint8Array())
  expect(key.slice(8, 48)).toBe(`0${'z'.repeat(39)}`)
})

test('every mistyped character of a key is noticed without a database', () => {
  const key = makeKey(systemRandom)
  for (let at = 8; at < key.length; at++) {
    const wrong = key.slice(0, at) + (key[at] === 'x' ? 'y' : 'x') + key.slice(at + 1)
    expect([at, isKey(wrong)]).toEqual([at, false])
  }
})
