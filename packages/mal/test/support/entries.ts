import fc from 'fast-check'
import type { Kind, ListEntry, Noted, WholeList, Work } from '../../src/list/entry.ts'
import { workOf } from '../../src/formats/file.ts'
import { blank, statuses } from '../../src/list/entry.ts'

/** An entry of which only the id is known, and what is said of it. */
export function makeEntry(id: number, work: Partial<Work> = {}, noted: Partial<Noted> = {}): ListEntry {
  return { work: workOf('anime', id, `Title ${id}`, work), noted: { ...blank, status: 'completed', ...noted } }
}

export function makeList(entries: readonly ListEntry[], kind: Kind = 'anime', truncated = false): WholeList {
  return { kind, entries, truncated, readAt: 0 }
}

/** Any entry a list may hold, with holes where MyAnimeList leaves them. */
export function anyEntry(kind: Kind = 'anime'): fc.Arbitrary<ListEntry> {
  const may = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined })
  const names = fc.uniqueArray(fc.constantFrom('Action', 'Comedy', 'Slice of Life', 'Été', '日常'), { maxLength: 3 })
  const day = fc.date({ min: new Date('1970-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  const date = fc.tuple(day, fc.constantFrom(4, 7, 10)).map(([one, length]) => one.toISOString().slice(0, length))
  const work = fc.record({
    id: fc.integer({ min: 1, max: 10_000 }),
    title: fc.string({ minLength: 1 }),
    englishTitle: may(fc.string()),
    synonyms: fc.array(fc.string(), { maxLength: 2 }),
    mediaType: may(fc.constantFrom('tv', 'movie', 'ova')),
    state: may(fc.constantFrom('finished_airing', 'currently_airing', 'not_yet_aired')),
    units: may(fc.integer({ min: 1, max: 1000 })),
    episodeSeconds: may(fc.integer({ min: 60, max: 9000 })),
    year: may(fc.integer({ min: 1960, max: 2030 })),
    startDate: may(date),
    mean: may(fc.double({ min: 1, max: 10, noNaN: true })),
    genres: names,
    studios: names,
    authors: names,
    source: may(fc.constantFrom('manga', 'original')),
    rating: may(fc.constantFrom('g', 'pg_13', 'r+')),
  })
  const noted = fc.record({
    status: fc.constantFrom(...statuses[kind], 'unknown'),
    score: may(fc.integer({ min: 1, max: 10 })),
    progress: fc.integer({ min: 0, max: 1000 }),
    timesRepeated: fc.integer({ min: 0, max: 5 }),
    startDate: may(date),
    finishDate: may(date),
    tags: names,
    updatedAt: may(day.map((one) => one.toISOString())),
  })
  return fc.tuple(work, noted).map(([one, other]) => makeEntry(one.id, { ...one, kind }, other))
}
