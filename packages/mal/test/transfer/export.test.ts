import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readListFile } from '../../src/formats/formats.ts'
import { createExports } from '../../src/storage/exports.ts'
import { startEmulated } from '../support/emulated.ts'

for (const legacy of [false, true]) {
  test(`R0-21d: every form, attached to the answer${legacy ? ', in the older era too' : ''}`, async () => {
    await using server = await startEmulated()
    const forms = {
      xml: 'application/xml',
      csv: 'text/csv',
      json: 'application/json',
      markdown: 'text/markdown',
      html: 'text/html',
    }
    for (const [format, mimeType] of Object.entries(forms)) {
      for (const [kind, count] of [
        ['anime', 12],
        ['manga', 5],
      ] as const) {
        const { isError, structured, files, text } = await server.call(
          'mika',
          'export_list',
          { kind, format },
          { legacy },
        )
        expect({ isError, text }).toMatchObject({ isError: false })
        expect(structured).toMatchObject({ count, total: count, has_more: false, mime_type: mimeType })
        expect(files).toMatchObject([{ mimeType }])
        expect(files[0]?.uri).toMatch(new RegExp(`^mal://files/mika-${kind}list-\\d{4}-\\d\\d-\\d\\d\\.`))
        expect(Buffer.byteLength(files[0]?.text ?? '')).toBe(structured['bytes'])
        expect(text).toContain(`${count} of ${count} entries`)
      }
    }
    // The list and whose it is, for each of ten callers who have never called before.
    expect(server.mal.requests.length).toBe(20)
  })
}

test('R0-21d: a table comes with the separator that is asked for, and is read with any', async () => {
  await using server = await startEmulated()
  const tables = await Promise.all(
    [undefined, 'comma', 'semicolon', 'tab'].map(async (separator) => {
      const { files } = await server.call('mika', 'export_list', { format: 'csv', separator })
      return files[0]?.text ?? ''
    }),
  )
  expect(tables.map((text) => /^\uFEFF"kind"(.)"id"/.exec(text)?.[1])).toEqual([',', ',', ';', '\t'])
  const [first, ...others] = await Promise.all(tables.map((text) => readListFile(Buffer.from(text))))
  expect(first).toMatchObject({ troubles: [], entries: { length: 12 } })
  for (const other of others) expect(other).toEqual(first)
})

test('what is exported and read again says the same, and the three forms agree', async () => {
  await using server = await startEmulated()
  const lists = await Promise.all(
    ['xml', 'csv', 'json'].map(async (format) => {
      const { files } = await server.call('haru', 'export_list', { kind: 'manga', format, limit: 300 })
      return readListFile(Buffer.from(files[0]?.text ?? ''))
    }),
  )
  const shown = lists.map(({ entries, troubles }) => ({
    troubles,
    entries: entries.map(({ work, noted }) => ({
      id: work.id,
      title: work.title,
      noted: { ...noted, updatedAt: undefined, comments: undefined },
    })),
  }))
  expect(shown[0]?.entries).toHaveLength(300)
  expect(shown[0]?.troubles).toEqual([])
  expect(shown[1]).toEqual(shown[0])
  expect(shown[2]).toEqual(shown[0])
})

test('a long list comes in parts, each of them a file; a query chooses and sorts', async () => {
  await using server = await startEmulated()
  const seen: number[] = []
  for (let offset: unknown = 0; offset !== undefined;) {
    const { structured, files } = await server.call('haru', 'export_list', { format: 'json', limit: 600, offset })
    const { entries } = await readListFile(Buffer.from(files[0]?.text ?? ''))
    expect(entries).toHaveLength(Number(structured['count']))
    seen.push(...entries.map(({ work }) => work.id))
    offset = structured['next_offset']
  }
  expect(seen).toHaveLength(1500)
  expect(new Set(seen).size).toBe(1500)

  const query = 'status:completed score>=8 sort:score desc'
  const { structured, files } = await server.call('haru', 'export_list', { format: 'json', query })
  const { entries } = await readListFile(Buffer.from(files[0]?.text ?? ''))
  expect(entries.length).toBeGreaterThan(0)
  expect(structured['total']).toBeLessThan(1500)
  expect(entries.every(({ noted }) => noted.status === 'completed' && (noted.score ?? 0) >= 8)).toBe(true)
  const scores = entries.map(({ noted }) => noted.score ?? 0)
  expect(scores).toEqual(scores.toSorted((a, b) => b - a))
})

test('a file is converted without the account: XML stays byte by byte what it was, also from base64 of gzip', async () => {
  await using server = await startEmulated()
  const xml = readFileSync(join(import.meta.dirname, '../fixtures/oddities.xml'))
  const before = server.mal.requests.length
  const same = await server.call('mika', 'export_list', { file: gzipSync(xml).toString('base64'), format: 'xml' })
  expect(same.files[0]?.text).toBe(xml.toString())
  expect(same.text).toContain('line 59: "Nobody" has no id and was left out')

  const packed = await server.call('mika', 'export_list', { file: xml.toString(), format: 'csv', gzip: true })
  expect(packed.files[0]).toMatchObject({ mimeType: 'application/gzip' })
  expect(gunzipSync(Buffer.from(packed.files[0]?.blob ?? '', 'base64')).toString()).toContain('"Odd"')
  expect(server.mal.requests.length).toBe(before)

  const refused = await server.call('mika', 'export_list', { file: 'hello, this is no list' })
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('none that this server reads') })
})

test('a page has the whole list; where a part was asked for it says so, with the figures of the whole', async () => {
  await using server = await startEmulated()
  const all = await server.call('haru', 'export_list', { format: 'html', covers: true })
  expect(all.structured).toMatchObject({ count: 1500, total: 1500, has_more: false })
  const [page] = all.files
  expect(page?.text?.match(/<li class="entry/g)).toHaveLength(1500)
  expect(page?.text).toContain(`img-src https: ${server.url};`)
  expect(page?.text).toContain(`<img class="cover" src="${server.url}/`)

  const { files } = await server.call('haru', 'export_list', { format: 'html', limit: 1000 })
  expect(files[0]?.text).toContain('Entries 1–1,000 of 1,500')
  const figures = (text: string | undefined) => /<dl class="tiles">.*?<\/dl>/s.exec(text ?? '')?.[0]
  expect(figures(files[0]?.text)).toBe(figures(page?.text))

  const { structured } = await server.call('haru', 'get_user_stats', {})
  const units = Number(structured['units']).toLocaleString('en')
  expect(figures(page?.text)).toContain(`<dt>Episodes watched</dt><dd>${units}`)
})

test('comments come where they are asked for', async () => {
  await using server = await startEmulated()
  const without = await server.call('mika', 'export_list', { format: 'json' })
  expect(without.text).toContain('Comments are not in it')
  const { files, text } = await server.call('mika', 'export_list', { format: 'json', comments: true })
  expect(text).not.toContain('Comments are not in it')
  const { entries } = await readListFile(Buffer.from(files[0]?.text ?? ''))
  expect(entries.every(({ noted }) => noted.comments !== undefined)).toBe(true)
})

test('on the own machine the whole list is written into a folder that nobody else reads', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'mal-exports-')), 'exports')
  await using server = await startEmulated({ exports: createExports(folder) })
  const { structured, files, text } = await server.call('haru', 'export_list', { format: 'html', limit: 10 })
  expect(files).toEqual([])
  expect(structured).toMatchObject({ count: 1500, total: 1500, has_more: false })
  const path = String(structured['path'])
  expect(text).toContain(path)
  expect(readFileSync(path, 'utf8')).toMatch(/^<!doctype html>.*<\/html>\n$/s)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)

  const calendar = await server.call('haru', 'export_calendar', {})
  expect(readFileSync(String(calendar.structured['path']), 'utf8')).toMatch(/^BEGIN:VCALENDAR/)
  expect(readdirSync(folder)).toHaveLength(2)
  rmSync(folder, { recursive: true })
})

test('R0-50b: the calendar, for the zone of the profile or the one that is named', async () => {
  await using server = await startEmulated()
  const { structured, files } = await server.call('mika', 'export_calendar', {})
  expect(structured).toMatchObject({ time_zone: 'Europe/Berlin', weeks: 8 })
  expect(files).toMatchObject([
    { mimeType: 'text/calendar', text: expect.stringContaining('X-WR-TIMEZONE:Europe/Berlin') },
  ])
  const { structured: other } = await server.call('mika', 'export_calendar', { time_zone: 'Asia/Tokyo', weeks: 2 })
  expect(other).toMatchObject({ time_zone: 'Asia/Tokyo', weeks: 2 })
  expect(await server.call('mika', 'export_calendar', { time_zone: 'Mars/Phobos' })).toMatchObject({ isError: true })
})
