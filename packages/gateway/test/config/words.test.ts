import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '#kit/nearest'
import { suggest } from '../../src/config/server-names.ts'
import { SERVER_NAME } from '../../src/config/schema.ts'

test('a slip of the finger is seen through, another word is not', () => {
  const keys = ['command', 'args', 'env', 'url']
  expect(['commnad', 'Command', 'comand', 'arg', 'evn'].map((word) => nearest(word, keys))).toEqual([
    'command',
    'command',
    'command',
    'args',
    'env',
  ])
  expect(['volume', 'x'.repeat(100_000), ''].map((word) => nearest(word, keys))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(nearest('x', [])).toBeUndefined()
})

test('a suggested name is always allowed', () => {
  const parts = fc.array(fc.oneof(fc.constantFrom('_', '-', 'sekisho', 'A', '1', ' '), fc.string({ unit: 'grapheme' })))
  const check = (name: string[]) => expect(suggest(name.join(''))).toMatch(SERVER_NAME)
  fc.assert(
    fc.property(parts, (name) => {
      check(name)
    }),
  )
})
