import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toEntry } from '../../src/audit/chain.ts'
import type { UserId } from '../../src/base/ids.ts'

test('an entry is the JSON of its fields, whatever is written in them', () => {
  const words = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(words, words, words, fc.nat(), (user, tool, requestId, ms) => {
      const userId = user as UserId
      const event = { kind: 'tool.call', userId, requestId, tool, server: 'up', outcome: 'ok', ms } as const
      const entry: unknown = JSON.parse(toEntry(5, event))
      expect(entry).toEqual({
        at: 5,
        kind: 'tool.call',
        user,
        request: requestId,
        server: 'up',
        tool,
        outcome: 'ok',
        ms,
      })
    }),
  )
})

test('the same words are written the same way however often they come, among however many others', () => {
  const entry = (tool: string) => toEntry(1, { kind: 'tool.call', server: 'up', tool, outcome: 'ok' })
  const before = entry('say "hi"')
  for (let count = 0; count < 3_000; count++) entry(`tool ${count}`)
  expect(entry('say "hi"')).toBe(before)
})

test('a number that JSON cannot write is left out', () => {
  const event = { kind: 'tool.call', server: 'up', tool: 'x', outcome: 'ok', ms: Number.NaN } as const
  expect(JSON.parse(toEntry(1, event))).not.toHaveProperty('ms')
})
