import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { fileLimits, type FileEntry } from '../../src/formats/file.ts'
import { readListFile } from '../../src/formats/formats.ts'
import { writeXml } from '../../src/formats/xml/write.ts'
import { textOf } from './lists.ts'

const oddities = await readFile(join(import.meta.dirname, '../fixtures/oddities.xml'))

test('a file with every oddity is read as far as it goes, and what was not is named with its line', async () => {
  const { kind, owner, entries, troubles } = await readListFile(oddities)
  expect({ kind, owner }).toEqual({ kind: 'anime', owner: { id: 9_000_002, name: 'mika' } })
  expect(entries.map(({ work }) => [work.id, work.title])).toEqual([
    [1, 'Harbour & <Lights> ]]> 灯台'],
    [2, 'Tom & Jerry & I <3 you &eacute; あ'],
    [3, 'Loud <Zero> & <b>bold</b>'],
    [4, 'Odd'],
    [5, ''],
  ])
  const [first, second, third, fourth, fifth] = entries.map(({ noted }) => noted)
  expect(first).toEqual({
    status: 'completed',
    score: 9,
    progress: 26,
    isRepeating: true,
    timesRepeated: 2,
    repeatValue: 5,
    priority: 2,
    startDate: '2020-05',
    finishDate: undefined,
    tags: ['sea', 'slow start', '日常'],
    comments: 'two\nlines',
  })
  expect(second).toEqual({ status: 'plan_to_watch', score: 8, progress: 0, tags: [] })
  expect(third).toEqual({ status: 'watching', isRepeating: true })
  expect(fourth).toEqual({ finishDate: '2021' })
  expect(fifth).toEqual({ status: 'on_hold', score: 3 })
  expect(entries[0]?.others).toEqual({
    my_id: '314159',
    my_storage: 'Blu-ray',
    my_storage_value: '2.00',
    my_rewatching_ep: '4',
    my_discuss: '0',
    my_sns: 'deny',
    update_on_import: '1',
  })
  expect(entries[1]?.others).toEqual({ my_mood: 'fine' })
  expect(troubles.map(({ where, what }) => `${where}: ${what}`)).toMatchInlineSnapshot(`
    [
      "line 50: my_score "7.5" was rounded to 8",
      "line 56: my_status "5" cannot be read and was left out",
      "line 56: my_score "eleven" cannot be read and was left out",
      "line 56: my_start_date "2020-13-45" cannot be read and was left out",
      "line 56: my_watched_episodes "-3" cannot be read and was left out",
      "line 59: "Nobody" has no id and was left out",
      "line 62: series_title is not closed and was left out",
      "line 65: an entry of kind manga in a file of anime was left out",
      "line 71: my_score is not closed and was left out",
      "line 68: the entry 7 "Cut" is not complete and was left out",
      "line 72: the file breaks off here",
    ]
  `)
})

test('the same file, written again, is the same file; laid out anew it keeps what only MyAnimeList knows', async () => {
  const list = await readListFile(oddities)
  expect(textOf(writeXml(list))).toBe(oddities.toString())

  const anew = list.entries.map((entry): FileEntry => ({ ...entry, source: undefined }))
  const written = textOf(writeXml({ ...list, frame: undefined, entries: anew }))
  expect(written).toContain('<my_storage>Blu-ray</my_storage>')
  expect(written).toContain('<my_mood>fine</my_mood>')
  const again = await readListFile(Buffer.from(written))
  expect(again.troubles).toEqual([])
  expect(again.entries.map(({ others }) => others)).toEqual(list.entries.map(({ others }) => others))
})

test('packed, in other encodings, and cut short', async () => {
  const whole = oddities.subarray(0, oddities.indexOf('<!-- stray'))
  const file = Buffer.concat([whole, Buffer.from('</myanimelist>')])
  expect((await readListFile(gzipSync(file))).entries).toHaveLength(1)

  const utf16 = Buffer.from(`\uFEFF${file.toString()}`, 'utf16le')
  expect((await readListFile(utf16)).entries[0]?.work.title).toContain('灯台')

  const mixed = Buffer.concat([
    Buffer.from('<myanimelist>\n<anime><series_animedb_id>1</series_animedb_id><series_title>Caf'),
    Buffer.from([0xe9]),
    Buffer.from(
      '</series_title></anime>\n<anime><series_animedb_id>2</series_animedb_id><series_title>灯台</series_title></anime></myanimelist>',
    ),
  ])
  const { entries, troubles } = await readListFile(mixed)
  expect(entries.map(({ work }) => work.title)).toEqual(['Café', '灯台'])
  expect(troubles).toEqual([{ where: 'line 2', what: 'is not UTF-8 and was read as Windows-1252' }])

  const noise = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * 7919) % 251))
  const long = Buffer.concat([whole, Buffer.from('<!--'), noise, Buffer.from('--></myanimelist>')])
  const cut = gzipSync(long)
  const broken = await readListFile(cut.subarray(0, cut.length - 60))
  expect(broken.entries).toHaveLength(1)
  expect(broken.troubles.map(({ what }) => what)).toContain('the file breaks off here')
  expect(broken.troubles[0]?.what).toMatch(/compressed data breaks off/)
})

test('what would fill the memory is refused: bombs of gzip, of entities, of depth, of entries', async () => {
  const limits = { fileBytes: 1 << 20, unpackedBytes: 1 << 20, entries: 3 }
  await expect(readListFile(gzipSync(Buffer.alloc(40 << 20)), undefined, limits)).rejects.toMatchObject({
    code: 'file_too_large',
  })
  await expect(readListFile(Buffer.alloc(2 << 20, 32), undefined, limits)).rejects.toMatchObject({
    code: 'file_too_large',
  })
  await expect(readListFile(Buffer.from('<a>'.repeat(100_000)))).rejects.toMatchObject({ code: 'file_unreadable' })
  const entry = '<anime><series_animedb_id>1</series_animedb_id></anime>'
  await expect(readListFile(Buffer.from(`<myanimelist>${entry.repeat(4)}`), undefined, limits)).rejects.toMatchObject({
    code: 'file_too_large',
  })
  await expect(readListFile(Buffer.from(`id\n${'1\n'.repeat(4)}`), undefined, limits)).rejects.toMatchObject({
    code: 'file_too_large',
  })

  const laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
  const file = `${laughs}<myanimelist><anime><series_animedb_id>1</series_animedb_id><series_title>&b;&f;</series_title></anime></myanimelist>`
  expect((await readListFile(Buffer.from(file))).entries[0]?.work.title).toBe('&b;&f;')
})

test('a file with a trouble in every line is read to its end, and the troubles that are kept are counted', async () => {
  const broken = `<myanimelist>${'<anime><series_title>x</anime>'.repeat(100_000)}</myanimelist>`
  const { troubles } = await readListFile(gzipSync(broken))
  expect(troubles).toHaveLength(1001)
  expect(troubles.at(-1)).toEqual({ where: 'further on', what: '199000 more of these' })

  const entry = '<anime><series_animedb_id>1</series_animedb_id><series_title>é</series_title></anime>\n'
  const latin = Buffer.from(`<myanimelist>\n${entry.repeat(12_000)}</myanimelist>`, 'latin1')
  const { entries } = await readListFile(latin)
  expect(entries).toHaveLength(12_000)
  expect(new Set(entries.map(({ work }) => work.title))).toEqual(new Set(['é']))
})

test('a manga file: its own words, and YES and NO', async () => {
  const file = `<myanimelist><manga><series_mangadb_id>9</series_mangadb_id><manga_title>P</manga_title><manga_volumes>3</manga_volumes>
<manga_chapters>0</manga_chapters><my_read_volumes>2</my_read_volumes><my_read_chapters>14</my_read_chapters><my_status>1</my_status>
<my_rereading>NO</my_rereading><my_reread_value>Low</my_reread_value></manga></myanimelist>`
  const { kind, entries } = await readListFile(Buffer.from(file))
  expect(kind).toBe('manga')
  expect(entries[0]).toMatchObject({
    work: { id: 9, volumes: 3, units: undefined },
    noted: { status: 'reading', progress: 14, volumes: 2, isRepeating: false, repeatValue: 2 },
  })
})

test('a table of somebody else: other order, semicolons, columns and values that are not known', async () => {
  const file =
    'Score;MAL_ID;Status;Title;Mood\r\n8;1;On Hold;"Sea; slow";fine\r\n12;2;watching;B;\r\n;;dropped;No id;\r\n'
  const { kind, entries, troubles } = await readListFile(Buffer.from(file))
  expect(kind).toBe('anime')
  expect(entries.map(({ work, noted }) => [work.id, work.title, noted])).toEqual([
    [1, 'Sea; slow', { score: 8, status: 'on_hold' }],
    [2, 'B', { status: 'watching' }],
  ])
  expect(troubles.map(({ where, what }) => `${where}: ${what}`)).toEqual([
    'column 5: "mood" is none that is known',
    'row 3: score "12" cannot be read and was left out',
    'row 4: id "" cannot be read and was left out',
  ])
})

test('JSON of somebody else is refused, an entry that does not fit is named', async () => {
  await expect(readListFile(Buffer.from('[1,2]'))).rejects.toMatchObject({ code: 'file_unreadable' })
  await expect(readListFile(Buffer.from('{"format":'))).rejects.toMatchObject({ code: 'file_unreadable' })
  const file = {
    format: 'sekisho-mal-list',
    version: 1,
    kind: 'manga',
    entries: [
      { work: { id: 1, title: 'A' }, noted: { score: 11 } },
      { work: { id: 2, title: 'B' }, noted: { score: null } },
    ],
  }
  const { entries, troubles } = await readListFile(Buffer.from(JSON.stringify(file)), undefined, fileLimits)
  expect(entries.map(({ work, noted }) => [work.id, 'score' in noted, noted.score])).toEqual([[2, true, undefined]])
  expect(troubles).toHaveLength(1)
  expect(troubles[0]).toMatchObject({ where: 'entry 1', what: expect.stringMatching(/^noted\.score/) })
})
