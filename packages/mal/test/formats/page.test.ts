import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createMalEmulator } from '@sekisho/playground/mal'
import { expect, test } from 'vitest'
import { openChromium, withoutChromium, type Person } from '../../../gateway/test/e2e/browser/chromium.ts'
import { secret } from '#kit/secret'
import { fileEntryOf, workOf, type ListFile } from '../../src/formats/file.ts'
import { writePage } from '../../src/formats/page/page.ts'
import type { Kind } from '../../src/list/entry.ts'
import { openSession } from '../../src/open-session.ts'
import { createMal } from '../../src/settings.ts'
import { textOf } from './lists.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const ARTIFACTS = join(import.meta.dirname, '../../../../artifacts')

test('text of strangers is text, wherever it stands', () => {
  const nasty = `"><img src=x onerror=alert(1)></style><script>alert(1)</script>&amp;\u202e`
  const work = workOf('anime', 1, nasty, {
    englishTitle: nasty,
    genres: [nasty],
    mediaType: nasty,
    picture: `https://x.test/"onerror=1`,
  })
  const entry = { work, noted: { status: nasty, tags: [nasty], updatedAt: nasty } }
  const list: ListFile = { kind: 'anime', owner: { id: 1, name: nasty }, entries: [entry], troubles: [] }
  const page = textOf(writePage(list, { now, covers: true }))
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page.match(/<\/style/g)).toHaveLength(1)
  expect(page).not.toMatch(/<img src=x|\u202e|src="https:\/\/x\.test\/"/)
})

test('a cover that is not HTTPS is not asked for', () => {
  const work = workOf('anime', 1, 'A', { picture: 'http://example.test/a.jpg' })
  const list: ListFile = { kind: 'anime', owner: undefined, entries: [{ work, noted: {} }], troubles: [] }
  expect(textOf(writePage(list, { now, covers: true }))).not.toContain('example.test')
})

test('covers of an emulation on this machine are allowed from its own origin, and from nowhere else there', () => {
  const [mine, other] = ['http://127.0.0.1:3002', 'http://127.0.0.1:9999'] as const
  const entries = [mine, other].map((origin, at) => ({
    work: workOf('anime', at, 'A', { picture: `${origin}/a.svg` }),
    noted: {},
  }))
  const list: ListFile = { kind: 'anime', owner: undefined, entries, troubles: [] }
  const page = textOf(writePage(list, { now, covers: true, localCovers: mine }))
  expect(page).toContain(`img-src https: ${mine};`)
  expect(page).toContain(`src="${mine}/a.svg"`)
  expect(page).not.toContain(other)
})

test('a part of a list says which part it is, and its figures are those of the whole', () => {
  const whole = Array.from({ length: 1_500 }, (_, at) => ({
    work: workOf('anime', at + 1, `Work ${at}`, { units: 2 }),
    noted: { status: at < 1_000 ? 'completed' : 'dropped', progress: 1, timesRepeated: at === 1_400 ? 3 : 0 },
  }))
  const list: ListFile = { kind: 'anime', owner: undefined, entries: whole.slice(0, 1_000), troubles: [] }
  const page = textOf(writePage(list, { now, covers: false, part: { offset: 0, whole } }))
  expect(page).toContain('Entries 1–1,000 of 1,500; the figures are of all of them.')
  expect(page).toContain('<dt>Entries</dt><dd>1,500</dd>')
  expect(page).toContain('<dt>Episodes watched</dt><dd>1,500 <small>and 6 again</small></dd>')
  expect(page.match(/<li class="entry/g)).toHaveLength(1_000)
  expect(page).toContain('href="#completed"')
  expect(page).not.toContain('href="#dropped"')
})

test.skipIf(withoutChromium)(
  'the page in a browser: light and dark, wide and narrow, on paper, without scripts, and nothing that axe finds',
  { timeout: 240_000 },
  async () => {
    await using mal = createMalEmulator()
    const { url } = await mal.listen()
    await using chromium = await openChromium()
    using pages = temporary()

    const anime = pages.keep(
      'anime',
      textOf(writePage(await listOf(mal, url, { kind: 'anime', size: 140 }), { now, covers: true })),
    )
    const manga = pages.keep(
      'manga',
      textOf(writePage(await listOf(mal, url, { kind: 'manga', size: 60 }), { now, covers: false })),
    )

    for (const dark of [false, true]) {
      const person = await chromium.newPerson({ dark })
      const refused = watch(person)
      await showCovers(person, url)
      await person.page.goto(anime)
      expect(await person.page.getByRole('listitem').count()).toBeGreaterThan(140)
      await person.look(`60-list-anime${dark ? '-dark' : ''}`)
      await person.page.goto(manga)
      await person.look(`61-list-manga${dark ? '-dark' : ''}`)
      expect(refused).toEqual([])
    }

    const ada = await chromium.newPerson()
    await showCovers(ada, url)
    await ada.page.goto(anime)
    await searchAndSort(ada)

    await ada.page.goto(anime)
    await ada.page.setViewportSize({ width: 700, height: 1000 })
    await ada.page.emulateMedia({ media: 'print' })
    await ada.page.screenshot({ path: join(ARTIFACTS, 'screenshots/62-list-print.png') })
    const pdf = await ada.page.pdf({ preferCSSPageSize: true, path: join(ARTIFACTS, 'screenshots/62-list-print.pdf') })
    const sheets = pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0
    expect(sheets).toBeGreaterThan(2)
    expect(sheets).toBeLessThan(10)
    expect(pdf.toString('latin1')).toMatch(/MediaBox \[0 0 59[45](\.\d+)? 84[12](\.\d+)?\]/)

    const plain = await chromium.newPerson({ javaScript: false })
    await plain.page.goto(anime)
    await plain.look('63-list-without-scripts')
    expect(await plain.page.locator('.entry').count()).toBe(140)
    expect(await plain.page.getByRole('searchbox').count()).toBe(0)
  },
)

async function searchAndSort({ page }: Person): Promise<void> {
  const titles = () => page.locator('section:not([hidden]) .entry:not([hidden]) b').allTextContents()
  const all = await titles()
  const [wanted = ''] = all.slice(-1)
  await page.getByLabel('Search').fill(wanted.toUpperCase())
  expect(await titles()).toContain(wanted)
  expect((await titles()).length).toBeLessThan(all.length)
  expect(await page.locator('output').textContent()).toMatch(/^\d+ of 140 entries$/)
  await page.getByLabel('Search').fill('no such title')
  expect(await titles()).toEqual([])
  await page.getByLabel('Search').fill('')
  await page.getByLabel('Status').selectOption('completed')
  await page.getByLabel('Order').selectOption('title')
  const completed = await titles()
  expect(completed).toEqual(completed.toSorted((a, b) => a.localeCompare(b)))
  expect(await page.locator('section[data-status]:not([hidden])').count()).toBe(1)
}

/** What the browser refused, and what it asked of anybody but the covers' host. */
function watch({ page }: Person): string[] {
  const found: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') found.push(message.text())
  })
  page.on('request', (request) => {
    if (!/^(file:|https:\/\/covers\.test\/)/.test(request.url())) found.push(request.url())
  })
  return found
}

/** Covers are asked for over HTTPS; here they are the emulator's. */
async function showCovers({ page }: Person, url: string): Promise<void> {
  await page.route('https://covers.test/**', async (route) => {
    const answer = await fetch(`${url}${new URL(route.request().url()).pathname}`)
    await route.fulfill({ body: await answer.text(), contentType: 'image/svg+xml' })
  })
}

async function listOf(
  mal: ReturnType<typeof createMalEmulator>,
  url: string,
  { kind, size }: { readonly kind: Kind; readonly size: number },
): Promise<ListFile> {
  const { accessToken } = mal.issueTokens('haru')
  const server = createMal({ apiBaseUrl: `${url}/v2`, pace: { burst: 100, perSecond: 100 } })
  const { signal } = new AbortController()
  const session = openSession({
    mal: server,
    client: server.api.open({ token: secret(accessToken), signal }),
    signal,
    onEntries: async () => {},
    onNotice: () => {},
  })
  const { entries } = await session.wholeList(kind)
  await server.close()
  return {
    kind,
    owner: { id: 1, name: 'haru' },
    entries: entries.slice(0, size).map((entry) => {
      const { work, noted } = fileEntryOf(entry)
      return { work: { ...work, picture: work.picture?.replace(url, 'https://covers.test') }, noted }
    }),
    troubles: [],
  }
}

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'mal-page-'))
  mkdirSync(ARTIFACTS, { recursive: true })
  return {
    keep(name: string, text: string): string {
      writeFileSync(join(folder, `${name}.html`), text)
      return pathToFileURL(join(folder, `${name}.html`)).href
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
