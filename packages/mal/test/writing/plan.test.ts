import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Noted } from '../../src/list/entry.ts'
import { editedTags } from '../../src/tools/plan-bulk.ts'
import { changed, changeTo, isSame } from '../../src/writing/fields.ts'
import { packItems, unpackItems } from '../../src/writing/item.ts'
import { itemOf } from '../../src/writing/plan.ts'
import { planUndo } from '../../src/writing/undo.ts'

const tag = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => /^[^,\s]+$/u.test(text))
const date = fc.constantFrom(undefined, '2024', '2024-05', '2024-05-17')

/** Anything that may be noted about an entry. */
const noted: fc.Arbitrary<Noted> = fc.record({
  status: fc.constantFrom('watching', 'completed', 'on_hold', 'dropped', 'plan_to_watch'),
  score: fc.constantFrom(undefined, 1, 7, 10),
  progress: fc.nat(2000),
  volumes: fc.nat(100),
  isRepeating: fc.boolean(),
  timesRepeated: fc.nat(9),
  repeatValue: fc.nat(5),
  priority: fc.nat(2),
  startDate: date,
  finishDate: date,
  tags: fc.uniqueArray(tag, { maxLength: 4 }),
  comments: fc.constantFrom(undefined, '', 'two\nlines'),
  updatedAt: fc.constantFrom(undefined, '2026-01-01T00:00:00+00:00'),
})
const known = noted.map((one): Noted => ({ ...one, comments: one.comments ?? '' }))

describe('states of an entry', () => {
  test('what turns one into another does so, and names nothing that is alike', () => {
    fc.assert(
      fc.property(known, known, (from, to) => {
        const change = changeTo(from, to)
        expect(isSame(changed(from, change), to)).toBe(true)
        expect(isSame(changed(undefined, changeTo(undefined, to)), to)).toBe(true)
        expect(changeTo(to, to)).toEqual({})
      }),
    )
  })

  test('what is kept of items is read back as it was', () => {
    fc.assert(
      fc.property(fc.option(noted, { nil: undefined }), fc.option(noted, { nil: undefined }), (before, after) => {
        const change = after && changeTo(before, after)
        const item = { ...itemOf({ kind: 'anime', id: 1 }, 'Ä "title"', before, change), after }
        expect(unpackItems(packItems([item]))).toEqual([item])
      }),
    )
  })

  test('an undo never touches what is neither as it was left nor ours, and forced it brings all back', () => {
    fc.assert(
      fc.property(known, known, known, (before, after, now) => {
        const item = {
          ...itemOf({ kind: 'anime', id: 1 }, 't', before, changeTo(before, after)),
          after,
          state: 'done' as const,
        }
        const gentle = planUndo([item], () => now, { force: false })
        const ours = new Set(Object.keys(changeTo(before, after)))
        const theirs = new Set(Object.keys(changeTo(after, now)))
        for (const { change } of gentle.items) {
          expect(Object.keys(change ?? {}).every((name) => ours.has(name) && !theirs.has(name))).toBe(true)
        }
        const [forced] = planUndo([item], () => now, { force: true }).items
        expect(isSame(changed(now, forced?.change ?? {}), before)).toBe(true)
      }),
    )
  })
})

test('tags that are added and removed again are as before, and the others stay where they are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(tag, { selector: (each) => each.toLowerCase() }), tag, (tags, added) => {
      fc.pre(!tags.some((each) => each.toLowerCase() === added.toLowerCase()))
      const longer = editedTags(tags, { add: [added], remove: [] })
      expect(longer).toEqual([...tags, added])
      expect(editedTags(longer, { add: [], remove: [added] })).toEqual(tags)
      expect(editedTags(longer, { add: [], remove: [], rename: { from: added, to: 'renamed' } })).toContain('renamed')
    }),
  )
})
