import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Noted } from '../../src/list/entry.ts'
import { keepList } from '../../src/list/kept-list.ts'
import { makeEntry, makeList } from '../support/entries.ts'

const noted = (score: number): Noted => makeEntry(1, {}, { score }).noted

test('what is written shows in the next list, and not in the one that somebody has', () => {
  const kept = keepList(makeList([makeEntry(1), makeEntry(2), makeEntry(3)]))
  const before = kept.list()
  expect([kept.write(2, noted(9)), kept.write(3, undefined)]).toEqual([true, true])
  expect(kept.list().entries.map(({ work, noted: { score } }) => [work.id, score])).toEqual([
    [1, undefined],
    [2, 9],
  ])
  expect(before.entries.map(({ work, noted: { score } }) => [work.id, score])).toEqual([
    [1, undefined],
    [2, undefined],
    [3, undefined],
  ])
})

test('comments that were written are not told, as in a list that was read', () => {
  const kept = keepList(makeList([makeEntry(1)]))
  kept.write(1, { ...noted(8), comments: 'loved it' })
  expect(kept.list().entries[0]?.noted).toMatchObject({ score: 8, comments: undefined })
})

test('of a work that is new to the list nothing can be shown', () => {
  expect(keepList(makeList([makeEntry(1)])).write(2, noted(8))).toBe(false)
})

test('any number of writings in any order end as the last of each entry, whoever looks in between', () => {
  const ids = fc.integer({ min: 1, max: 5 })
  const writing = fc.record({ id: ids, score: fc.option(fc.integer({ min: 1, max: 10 })), isLookedAt: fc.boolean() })
  fc.assert(
    fc.property(fc.array(writing), (writings) => {
      const kept = keepList(makeList([1, 2, 3, 4, 5].map((id) => makeEntry(id))))
      const expected = new Map<number, number | undefined>([1, 2, 3, 4, 5].map((id) => [id, undefined]))
      for (const { id, score, isLookedAt } of writings) {
        const isKnown = kept.write(id, score === null ? undefined : noted(score))
        // What is gone comes back only where the list still knows it; whoever keeps the list reads it again otherwise.
        if (!isKnown && !expected.has(id)) continue
        if (score === null) expected.delete(id)
        else expected.set(id, score)
        if (isLookedAt) kept.list()
      }
      const entries = kept.list().entries.map(({ work, noted: { score } }) => [work.id, score] as const)
      expect(new Map(entries)).toEqual(expected)
    }),
  )
})
