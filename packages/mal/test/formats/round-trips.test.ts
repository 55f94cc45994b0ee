import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalProblem } from '../../src/api/problem.ts'
import { readCsv, separators, writeCsv, type Separator } from '../../src/formats/csv.ts'
import { fileLimits, type ListFile } from '../../src/formats/file.ts'
import { formatNames, formats, readListFile } from '../../src/formats/formats.ts'
import { readJson, writeJson } from '../../src/formats/json.ts'
import { readXml } from '../../src/formats/xml/read.ts'
import { writeXml } from '../../src/formats/xml/write.ts'
import { kinds } from '../../src/list/entry.ts'
import { listsOf, textOf, xmlTexts } from './lists.ts'

for (const kind of kinds) {
  test(`${kind}, XML: what was exported reads the same, and is exported byte by byte`, async () => {
    await fc.assert(
      fc.asyncProperty(listsOf(kind, xmlTexts), async (list) => {
        const file = textOf(writeXml(list))
        const read = await readXml(file, fileLimits)
        expect(read.troubles).toEqual([])
        expect(read.owner).toEqual(list.owner)
        expect(shown(read)).toEqual(
          shown(
            list,
            kind === 'anime' ? ['updatedAt', 'volumes'] : ['updatedAt'],
            kind === 'anime' ? [] : ['mediaType'],
          ),
        )
        expect(textOf(writeXml(read))).toBe(file)
        expect(textOf(writeXml(bare(read)))).toBe(file)
      }),
    )
  })

  test(`${kind}, CSV: every value comes back, and no cell is a formula`, () => {
    fc.assert(
      fc.property(listsOf(kind), fc.constantFrom<Separator>('comma', 'semicolon', 'tab'), (list, separator) => {
        const file = textOf(writeCsv(list, { separator }))
        expect(file.startsWith(`\uFEFF"kind"${separators[separator]}"id"`)).toBe(true)
        const read = readCsv(file, fileLimits, kind)
        expect(read.troubles).toEqual([])
        expect(shown(read)).toEqual(shown(list))
        for (const [, cell = ''] of file.matchAll(/(?:^|[,;\t]|\r\n)"((?:[^"]|"")*)"/g))
          expect(cell).not.toMatch(/^[=+\-@\t]/)
        // For a spreadsheet that expects another separator, cells begin in the middle of these.
        for (const cell of file.split(/[,;\t\r\n]/)) expect(cell.replace(/^"+/, '')).not.toMatch(/^[=+\-@]/)
      }),
    )
  })

  test(`${kind}, JSON: nothing is lost at all`, () => {
    fc.assert(
      fc.property(listsOf(kind), (list) => {
        const file = textOf(writeJson(list))
        const read = readJson(file, fileLimits)
        expect(read).toEqual(list)
        expect(read.entries.map(({ noted }) => 'score' in noted)).toEqual(list.entries.map(() => true))
        expect(textOf(writeJson(read))).toBe(file)
      }),
    )
  })
}

test('whatever bytes come are read or refused, and every form is written of what was read', async () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '&',
    '<anime>',
    '</anime>',
    '<myanimelist>',
    '<![CDATA[',
    ']]>',
    '<my_score>',
    '"',
    ',',
    '{',
    '[',
    '\n',
    '\u0000',
    'id',
    '<series_animedb_id>1</series_animedb_id>',
  )
  const texts = fc.oneof(
    fc
      .array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 60 })
      .map((some) => Buffer.from(some.join(''))),
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), bytes])),
  )
  await fc.assert(
    fc.asyncProperty(texts, async (file) => {
      const read = await readListFile(file).catch((error: unknown) => error)
      const written = isList(read) ? formatNames.map((name) => textOf(formats[name].write(read, options))) : []
      expect(read instanceof MalProblem ? 1 : written.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})

const options = { now: 0, covers: true }

function isList(read: unknown): read is ListFile {
  return typeof read === 'object' && read !== null && 'entries' in read
}

/** What a form keeps of a list. */
function shown({ entries }: ListFile, lost: readonly string[] = [], lostOfWork: readonly string[] = []) {
  return entries.map(({ work, noted }) => ({
    work: { ...work, ...Object.fromEntries(lostOfWork.map((key) => [key, undefined])) },
    noted: { ...noted, ...Object.fromEntries(lost.map((key) => [key, undefined])) },
  }))
}

/** The same list without the text it was read from: it is laid out anew. */
function bare(list: ListFile): ListFile {
  return { ...list, frame: undefined, entries: list.entries.map((entry) => ({ ...entry, source: undefined })) }
}
