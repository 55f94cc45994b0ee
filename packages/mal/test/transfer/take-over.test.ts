import fc from 'fast-check'
import { expect, test } from 'vitest'
import { takeOver } from '../../src/formats/take-over.ts'
import { kinds, type Noted } from '../../src/list/entry.ts'
import { changed, isSame } from '../../src/writing/fields.ts'
import { notedOf, texts } from '../formats/lists.ts'

for (const kind of kinds) {
  const noted = notedOf(kind, texts)

  test(`${kind}: overwrite makes the entry say what the file says, twice the same as once`, () => {
    fc.assert(
      fc.property(noted, noted, (said, before) => {
        const after = changed(before, takeOver('overwrite', kind, said, before) ?? {})
        expect(isSame({ ...after, comments: undefined }, { ...said, comments: undefined })).toBe(true)
        expect(changed(after, takeOver('overwrite', kind, said, after) ?? {})).toEqual(after)
      }),
    )
  })

  test(`${kind}: merge takes nothing away`, () => {
    fc.assert(
      fc.property(noted, noted, (said, before) => {
        const after = changed(before, takeOver('merge', kind, said, before) ?? {})
        expect(after.progress).toBeGreaterThanOrEqual(Math.max(before.progress, said.progress))
        expect(after.timesRepeated).toBeGreaterThanOrEqual(before.timesRepeated)
        expect(after.tags).toEqual(expect.arrayContaining([...before.tags]))
        expect(after.score).toBe(before.score ?? said.score)
        expect(after.startDate).toBe(before.startDate ?? said.startDate)
        expect(after.comments).toBe(before.comments)
        expect([before.status, said.status]).toContain(after.status)
        expect(after.status === 'completed').toBe([before.status, said.status].includes('completed'))
      }),
    )
  })

  test(`${kind}: missing leaves what is there alone; what a file does not speak of is never changed`, () => {
    fc.assert(
      fc.property(noted, fc.subarray(['score', 'progress', 'tags', 'startDate'] as const), (before, keys) => {
        expect(takeOver('missing', kind, before, before)).toBeUndefined()
        const some: Partial<Noted> = Object.fromEntries(keys.map((key) => [key, before[key]]))
        expect(Object.keys(takeOver('overwrite', kind, some, before) ?? {}).toSorted()).toEqual(keys.toSorted())
        expect(takeOver('merge', kind, some, before)).toEqual({})
        expect(takeOver('missing', kind, some, undefined)?.status).toBeDefined()
      }),
    )
  })
}
