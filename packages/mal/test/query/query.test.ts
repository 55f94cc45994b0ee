import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalProblem } from '../../src/api/problem.ts'
import type { Kind, ListEntry } from '../../src/list/entry.ts'
import { fields, fieldsOf } from '../../src/query/fields.ts'
import { operators } from '../../src/query/operators.ts'
import { matches, order, parseQuery } from '../../src/query/query.ts'
import { anyEntry, makeEntry } from '../support/entries.ts'

const now = Date.parse('2026-03-31T12:00:00Z')
const read = (text: string, kind: Kind = 'anime') => parseQuery(text, { kind, now })

const fate = makeEntry(
  1,
  { title: 'Fate/Zero', englishTitle: 'Fate Zero', year: 2011, mean: 8.3, units: 13, genres: ['Action', 'Fantasy'] },
  { score: 9, tags: ['rewatch'], updatedAt: '2026-03-20T00:00:00+00:00', finishDate: '2024-05' },
)
const kon = makeEntry(
  2,
  { title: 'K-On!', synonyms: ['けいおん'], year: 2009, mean: 7.8, genres: ['Slice of Life', 'Comedy'] },
  { score: 7, updatedAt: '2025-01-01T00:00:00+00:00', finishDate: '2024-12-31', status: 'watching', progress: 3 },
)
const elan = makeEntry(3, { title: 'Élan "vital" (2020)', mediaType: 'tv_special' }, { status: 'plan_to_watch' })
const all = [fate, kon, elan]
const ids = (text: string) => all.filter((entry) => matches(read(text), entry)).map(({ work }) => work.id)

describe('R0-21a: filter and search', () => {
  test.each<[string, number[]]>([
    ['', [1, 2, 3]],
    ['   ', [1, 2, 3]],
    ['status:completed', [1]],
    ['status:completed score>=8 genre:"Slice of Life"', []],
    ['score >= 7', [1, 2]],
    ['score:7..8', [2]],
    ['score:..8', [2]],
    ['score:8..', [1]],
    ['score:7,9', [1, 2]],
    ['score!=7,9', [3]],
    ['-score:7', [1, 3]],
    ['score:none', [3]],
    ['score:any', [1, 2]],
    ['score<7 or score>=9', [1]],
    ['score<7 OR (year:2009 AND NOT tag:rewatch)', [2]],
    ['genre:slice-of-life', [2]],
    ['genre:action,comedy', [1, 2]],
    ['genre:action genre:comedy', []],
    ['genre~life', [2]],
    ['genre:none', [3]],
    ['title~"fate"', [1]],
    ['title="fate zero"', [1]],
    ['title=fate', []],
    ['ELAN', [3]],
    ['"(2020)"', [3]],
    ['"\\"vital\\""', [3]],
    ['けいおん', [2]],
    ['status:planned', [3]],
    ['status:"plan to watch"', [3]],
    ['type:"TV special"', [3]],
    ['updated<30d', [1]],
    ['updated>30d', [2]],
    ['updated:..2w', [1]],
    ['updated:1m..2y', [2]],
    ['updated<1m', [1]],
    ['updated>=2026', [1]],
    ['updated>2025-01', [1]],
    ['updated<=2025-01', [2]],
    ['updated:none', [3]],
    ['finished:2024', [1, 2]],
    ['finished:2024-12', [2]],
    ['finished:2024-01..2024-06', [1]],
    ['finished>2024', []],
    ['finished<2024-12-31', [1]],
    ['diff>0', [1]],
    ['diff<0', [2]],
    ['left:10', []],
    ['left:13', [1]],
    ['watched:3', [2]],
    ['repeating:no', [1, 2, 3]],
    ['repeating:yes', []],
    ['--score:7', [2]],
    ['sort:title', [1, 2, 3]],
  ])('%s', (text, expected) => {
    expect(ids(text)).toEqual(expected)
  })

  test('each list has its own fields and words', () => {
    const berserk = makeEntry(1, { kind: 'manga', units: 380, authors: ['Kentarou Miura'] }, { status: 'reading' })
    const hit = (text: string) => matches(read(text, 'manga'), berserk)
    expect(hit('status:reading chapters>300 author~miura')).toBe(true)
    expect(hit('status:watching')).toBe(true)
    expect(() => read('studio:gainax', 'manga')).toThrow('studio is a field of anime only')
  })
})

describe('R0-21b: order', () => {
  const sorted = (text: string) => order(read(text), all).map(({ work }) => work.id)

  test.each<[string, number[]]>([
    ['sort:score', [2, 1, 3]],
    ['sort:score desc', [1, 2, 3]],
    ['sort:-score', [1, 2, 3]],
    ['score>0 sort:status desc, title', [3, 1, 2]],
    ['sort:year sort:title', [2, 1, 3]],
    ['sort:title desc', [2, 1, 3]],
  ])('%s', (text, expected) => expect(sorted(text)).toEqual(expected))

  test('what is not known comes last both ways, and the list handed in stays as it was', () => {
    const given = [elan, kon, fate]
    expect(order(read('sort:score desc'), given).at(-1)).toBe(elan)
    expect(order(read('sort:score asc'), given).at(-1)).toBe(elan)
    expect(given).toEqual([elan, kon, fate])
  })
})

describe('what cannot be read is named with its place', () => {
  test.each<[string, string]>([
    ['status:completed scor>8', 'At character 18, near "scor>8": there is no field "scor". Did you mean score?'],
    ['Re:Zero', 'Put text that has a colon in quotes'],
    ['status:complted', 'At character 8, near "complted": status cannot be "complted". Did you mean completed?'],
    ['status:xyzzy', 'It is one of watching, completed, on_hold, dropped, plan_to_watch.'],
    ['score>high', 'score is a number, "high" is none'],
    ['score>=', 'score needs a value'],
    ['score>7..9', '"7..9" is no range here'],
    ['score:..', 'is no range here'],
    ['score~8', 'score cannot be compared with ~. It takes : = != < <= > >='],
    ['genre>action', 'genre cannot be compared with >'],
    ['updated<soon', 'Write 2024, 2024-05, 2024-05-31, today, or an age: 30d.'],
    ['updated<2024-13', 'updated cannot be "2024-13"'],
    ['repeating:often', 'It is yes or no.'],
    ['title~"fate', 'the quotation is not closed'],
    ['(score>8', 'a "(" was not closed'],
    ['score>8)', 'this ")" closes nothing'],
    ['score>8 or', 'at its end: a condition was expected'],
    ['or score>8', 'a condition was expected'],
    ['score>8 and or title:a', 'a condition was expected'],
    ['()', 'a condition was expected'],
    ['not', 'a condition was expected'],
    ['sort:scoer', 'Did you mean score?'],
    ['stat:watching', 'Did you mean status?'],
    ['sort:', 'there is no field ""'],
    ['-sort:score', 'an order cannot be negated or grouped'],
    ['score>8 or sort:title', 'an order is no condition'],
    ['sort:title or score>8', 'an order is no condition'],
    ['('.repeat(50), 'nested deeper than 20'],
    ['not '.repeat(50), 'nested deeper than 20'],
    ['a'.repeat(1001), 'longer than 1000 characters'],
    ['-q '.repeat(51), 'more than 50 texts'],
    [`title:${'q,'.repeat(50)}q`, 'more than 50 texts'],
    [`(${'genre:q or '.repeat(50)}genre:q)`, 'more than 50 texts'],
  ])('%s', (text, says) => {
    expect(() => read(text)).toThrow(MalProblem)
    expect(() => read(text)).toThrow(says)
  })
})

describe('for any text', () => {
  const signs = ['status:', 'score', '>=', '<', '~', ':', '!=', '8', '..', ',', '"', '\\', '(', ')', ' ', ' or ', '-']
  const words = ['sort:', ' desc', 'none', 'any', '30d', '2024-05', 'completed', 'not ', ' and ', '\n', '👀']
  const piece = fc.constantFrom(...signs, ...words, ...fieldsOf('anime').keys())
  const text = fc.oneof(
    fc.string({ maxLength: 60, unit: 'binary' }),
    fc.array(piece, { maxLength: 25 }).map((parts) => parts.join('')),
  )

  test('it is read and answers, or is refused in words that name a place; it never crashes', () => {
    fc.assert(
      fc.property(text, fc.array(anyEntry(), { maxLength: 5 }), (query, entries) => {
        const found = answerOf(query, entries)
        expect(found instanceof Error ? [] : found.filter((entry) => !entries.includes(entry))).toEqual([])
        expect(found instanceof Error ? found.message : 'At character 1, ').toMatch(/At character \d+, /)
      }),
      { numRuns: 3000 },
    )
  })

  test('a condition and its negation divide the list', () => {
    const one = fc.constantFrom(
      'score>5',
      'score!=5',
      'mean:any',
      'genre~e',
      'started<2020',
      'year:2000..2010',
      'status:dropped',
    )
    fc.assert(
      fc.property(one, anyEntry(), (condition, entry) => {
        expect(matches(read(`-${condition}`), entry)).toBe(!matches(read(condition), entry))
        expect(matches(read(`not (${condition})`), entry)).toBe(!matches(read(condition), entry))
      }),
    )
  })

  test('any title finds its own entry when quoted', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100 }), (title) => {
        const quoted = `"${title.replaceAll(/["\\]/g, String.raw`\$&`)}"`
        expect(matches(read(quoted), makeEntry(1, { title }))).toBe(true)
      }),
    )
  })
})

/** What a query finds, or why it is refused; whatever else goes wrong is thrown on. */
function answerOf(text: string, entries: readonly ListEntry[]): ListEntry[] | MalProblem {
  try {
    const query = read(text)
    return order(query, entries).filter((entry) => matches(query, entry))
  } catch (error) {
    if (error instanceof MalProblem && error.code === 'bad_query') return error
    throw error
  }
}

test('every field is read from any entry, with every comparison it takes', () => {
  const values = { number: '5', date: '2020', text: 'a', words: 'completed', flag: 'yes' }
  const entries: ListEntry[] = fc.sample(anyEntry(), { numRuns: 50, seed: 1 })
  for (const { name, type, only = 'anime' } of fields) {
    for (const operator of operators[type]) {
      const query = read(`${name}${operator}${values[type]} sort:${name}`, only)
      expect(() => order(query, entries).filter((entry) => matches(query, entry))).not.toThrow()
    }
  }
})
