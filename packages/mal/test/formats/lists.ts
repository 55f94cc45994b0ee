import fc from 'fast-check'
import type { FileEntry, ListFile } from '../../src/formats/file.ts'
import { workOf } from '../../src/formats/file.ts'
import { statuses, type Kind, type Noted } from '../../src/list/entry.ts'

/** Text as people write it, and as nobody should: any script, markup, formulas, quotes, lines. */
export const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '=1+1',
    "'=1+1",
    '+49',
    '-1',
    '@a',
    "''@a",
    ' lead',
    'a;b,c\td',
    'a;=1,+2\t-3"@4',
    "a;'=1",
    'x\n=y',
    'x ]]> y',
    '<b>&amp;',
    '"',
    '\u30d5\u30ea',
  ),
  fc.constantFrom('two\nlines', 'four\r\nlines', "'", "''", '\t', ',', '＝A1'),
)

/** What XML can carry: it has no other control characters. */
export const xmlTexts = texts.map((text) => text.replaceAll(/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, ''))

const dates = fc.option(
  fc.oneof(
    fc
      .date({ min: new Date('1960-01-01'), max: new Date('2040-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    fc.constantFrom('2020-05', '1999'),
  ),
  { nil: undefined },
)

export function notedOf(kind: Kind, text: fc.Arbitrary<string>): fc.Arbitrary<Noted> {
  return fc.record({
    status: fc.constantFrom(...statuses[kind]),
    score: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
    progress: fc.nat(3000),
    volumes: kind === 'manga' ? fc.nat(100) : fc.constant(0),
    isRepeating: fc.boolean(),
    timesRepeated: fc.nat(300),
    repeatValue: fc.nat(5),
    priority: fc.nat(2),
    startDate: dates,
    finishDate: dates,
    tags: fc.array(
      text.map((tag) => tag.replaceAll(',', ' ').trim()).filter((tag) => tag !== ''),
      { maxLength: 4 },
    ),
    comments: fc.option(
      text.filter((comment) => comment !== ''),
      { nil: undefined },
    ),
    updatedAt: fc.option(fc.constant('2026-01-02T03:04:05+00:00'), { nil: undefined }),
  })
}

export function listsOf(kind: Kind, text: fc.Arbitrary<string> = texts): fc.Arbitrary<ListFile> {
  const entry: fc.Arbitrary<FileEntry> = fc
    .record({
      id: fc.integer({ min: 1, max: 99_999 }),
      title: text,
      mediaType: fc.constantFrom(undefined, 'tv', 'tv_special', 'light_novel', 'pv'),
      units: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
      volumes:
        kind === 'manga' ? fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }) : fc.constant(undefined),
      noted: notedOf(kind, text),
    })
    .map(({ id, title, noted, ...known }) => ({ work: workOf(kind, id, title, known), noted }))
  return fc.array(entry, { maxLength: 6 }).map((entries) => ({
    kind,
    owner: { id: 4321, name: 'ada_1' },
    entries,
    troubles: [],
  }))
}

/** The file that a writer makes. */
export function textOf(pieces: Iterable<string>): string {
  return [...pieces].join('')
}
