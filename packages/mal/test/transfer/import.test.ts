import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { kinds, type Kind } from '../../src/list/entry.ts'
import { createFileStorage } from '../../src/storage/file.ts'
import { startEmulated, type Emulated } from '../support/emulated.ts'

for (const kind of kinds) {
  test(`${kind}: exported, removed, imported, exported: the same bytes`, async () => {
    await using server = await startKeeping()
    const before = await exported(server, kind)
    await carryOut(server, await server.call('mika', 'delete_entries', { kind, query: 'id>0' }))
    const empty = await server.call('mika', 'export_list', { kind })
    expect(empty.structured).toMatchObject({ total: 0 })

    const file = gzipSync(before).toString('base64')
    const plan = await server.call('mika', 'import_list', { file, kind: kind === 'anime' ? 'manga' : 'anime' })
    expect(plan.structured).toMatchObject({ kind, unread: [], skipped: 0, left_out: [] })
    expect(plan.structured['total']).toBe(plan.structured['entries'])
    await carryOut(server, plan)
    expect(await exported(server, kind)).toBe(before)
  })
}

test('the modes: what is on the list is left, added to, or set; nothing changes before the plan is carried out', async () => {
  await using server = await startKeeping()
  const { structured: page } = await server.call('mika', 'get_my_anime_list', { limit: 3 })
  const here = (page['entries'] as { id: number }[])[0]?.id ?? 0
  await server.call('mika', 'update_anime', {
    id: here,
    status: 'watching',
    score: 7,
    num_episodes_watched: 2,
    tags: ['mine'],
  })
  const found = await server.call('mika', 'search_anime', { query: 'the', limit: 50 })
  const works = found.structured['results'] as { id: number; my_status?: string }[]
  const absent = works.find((work) => work.my_status === undefined)?.id ?? 0
  const file = `id;status;score;progress;tags\n${here};on hold;3;1;yours\n${absent};dropped;2;0;\n0;watching;1;1;\n`

  const changes = async (mode: string) => {
    const { structured } = await server.call('mika', 'import_list', { file, mode })
    expect(structured['unread']).toEqual(['row 4: id "0" cannot be read and was left out'])
    const told = structured['changes'] as { id: number; change: string }[]
    return new Map(told.map(({ id, change }) => [id, change]))
  }
  const missing = await changes('missing')
  expect([...missing.keys()]).toEqual([absent])
  expect(missing.get(absent)).toMatch(/^added: status none → dropped, score 0 → 2/)
  expect((await changes('merge')).get(here)).toBe('tags mine → mine, yours')
  const overwrite = await changes('overwrite')
  expect(overwrite.get(here)).toMatch(/status watching → on_hold, score 7 → 3, progress 2 → 1, tags mine → yours/)

  const detail = await server.call('mika', 'get_anime_detail', { id: here })
  expect(detail.structured['my_list_status']).toMatchObject({ status: 'watching', score: 7, tags: ['mine'] })
})

test('a large file is planned in parts', async () => {
  await using server = await startKeeping()
  const rows = Array.from({ length: 25 }, (_, place) => `${place + 1},plan_to_watch`)
  const file = `id,status\n${rows.join('\n')}\n`
  const first = await server.call('newcomer', 'import_list', { file, limit: 10 })
  expect(first.structured).toMatchObject({ entries: 25, next_offset: 10, total: 10 })
  const last = await server.call('newcomer', 'import_list', { file, limit: 10, offset: 20 })
  expect(last.structured).toMatchObject({ total: 5 })
  expect(last.structured).not.toHaveProperty('next_offset')
})

test.for(['/home/ada/list.xml', '~/list.xml.gz', 'C:\\lists\\anime.csv', 'https://example.test/list', 'animelist.xml'])(
  '%s is not what a file holds, and it is said how to send that',
  async (file) => {
    await using server = await startKeeping()
    for (const tool of ['import_list', 'export_list']) {
      const text = expect.stringContaining('its text or base64 of its bytes')
      expect(await server.call('mika', tool, { file })).toMatchObject({ isError: true, text })
    }
  },
)

test('no file, nothing to keep a plan in, nothing to write', async () => {
  await using keeping = await startKeeping()
  expect(await keeping.call('mika', 'import_list', { file: 'hello' })).toMatchObject({ isError: true })
  const bomb = gzipSync(Buffer.alloc(40 << 20)).toString('base64')
  expect(await keeping.call('mika', 'import_list', { file: bomb })).toMatchObject({
    isError: true,
    text: expect.stringContaining('larger than this server reads'),
  })
  await using without = await startEmulated()
  const file = 'id,status\n1,watching\n'
  expect(await without.call('mika', 'import_list', { file })).toMatchObject({
    isError: true,
    text: expect.stringContaining('MAL_DATA_DIR'),
  })
  await using readOnly = await startEmulated({ readOnly: true })
  const names = (await readOnly.list('all')).map(({ name }) => name)
  expect(names).toContain('export_list')
  expect(names).not.toContain('import_list')
})

async function exported(server: Emulated, kind: Kind): Promise<string> {
  const { files, text } = await server.call('mika', 'export_list', { kind, comments: true, query: 'sort:title' })
  return files[0]?.text ?? text
}

async function carryOut(server: Emulated, { structured, text }: { structured: object; text: string }): Promise<void> {
  const plan = 'plan_id' in structured ? structured.plan_id : text
  const done = await server.call('mika', 'apply_plan', { plan_id: plan })
  expect(done).toMatchObject({ structured: { state: 'done', failed: 0, not_yet: 0 } })
}

async function startKeeping(): Promise<Emulated> {
  const folder = await mkdtemp(join(tmpdir(), 'mal-import-'))
  const server = await startEmulated({
    storage: createFileStorage(folder),
    pace: { burst: 100_000, perSecond: 100_000 },
  })
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
