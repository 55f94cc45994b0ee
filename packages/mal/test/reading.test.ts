import { describe, expect, test } from 'vitest'
import { startEmulated } from './support/emulated.ts'

const eras = [{ legacy: false }, { legacy: true }]

interface Row {
  readonly id: number
  readonly title: string
}

const rowsOf = (structured: Readonly<Record<string, unknown>>, name = 'results') => structured[name] as readonly Row[]

describe.each(eras)('reading (older revisions: $legacy)', (era) => {
  test('both own lists, page by page, in the order that was asked for', async () => {
    await using at = await startEmulated()
    for (const [tool, count] of [
      ['get_my_anime_list', 12],
      ['get_my_manga_list', 5],
    ] as const) {
      const whole = await at.call('mika', tool, {}, era)
      expect(whole.structured).toMatchObject({ count, has_more: false })
      const first = await at.call('mika', tool, { limit: 3, sort: 'list_score' }, era)
      expect(first.structured).toMatchObject({ count: 3, has_more: true, next_offset: 3 })
      const scores = rowsOf(first.structured, 'entries').map(
        (row) => (row as { list?: { score?: number } }).list?.score,
      )
      expect(scores.map(Number)).toEqual(scores.map(Number).sort((one, other) => other - one))
    }
    const planned = await at.call('mika', 'get_my_manga_list', { status_filter: 'plan_to_read' }, era)
    const statuses = rowsOf(planned.structured, 'entries').map(
      (row) => (row as { list?: { status?: string } }).list?.status,
    )
    expect(new Set(statuses)).toEqual(new Set(['plan_to_read']))
  })

  test('every field of both lists is told where it is asked for, in words and as data', async () => {
    await using at = await startEmulated()
    for (const [kind, names] of [
      ['anime', ['studios', 'broadcast', 'episode_minutes', 'season', 'rating']],
      ['manga', ['authors', 'num_volumes']],
    ] as const) {
      const answers = [
        await at.call('haru', `get_my_${kind}_list`, { fields: 'all', limit: 200 }, era),
        await at.call('mika', `get_user_${kind}_list`, { user: 'haru', fields: 'all', limit: 200 }, era),
        await at.call('haru', 'search_my_list', { kind, fields: 'all', limit: 200 }, era),
      ]
      const value = kind === 'anime' ? 'rewatch_value' : 'reread_value'
      const common = ['title_ja', 'synonyms', 'airing_status', 'work_start_date', 'rank', 'picture', 'nsfw', 'priority']
      for (const { structured, text } of answers) {
        const shown = JSON.stringify(structured['entries'])
        for (const name of [...common, ...names, value, 'num_scoring_users', 'updated_at', 'tags']) {
          expect(shown).toContain(`"${name}":`)
          expect(text).toContain(`"${name}":`)
        }
        expect(text.split('\n')).toHaveLength(rowsOf(structured, 'entries').length + 1)
      }
    }
  })

  test('searches, pages them, and says what is on the own list', async () => {
    await using at = await startEmulated()
    for (const kind of ['anime', 'manga']) {
      const { structured, text } = await at.call('mika', `search_${kind}`, { query: 'the', limit: 5 }, era)
      expect(structured).toMatchObject({ count: 5, has_more: true, next_offset: 5 })
      expect(text.split('\n')).toHaveLength(6)
    }
    const nothing = await at.call('mika', 'search_anime', { query: 'zzqx zzqx' }, era)
    expect({ ...nothing.structured, text: nothing.text }).toMatchObject({
      count: 0,
      text: expect.stringContaining('Nothing'),
    })
  })

  test('details of both kinds, by id, by title and by address, compact or with everything', async () => {
    await using at = await startEmulated()
    for (const kind of ['anime', 'manga']) {
      const found = await at.call('mika', `get_my_${kind}_list`, {}, era)
      const own = rowsOf(found.structured, 'entries').find(({ title }) => title.length > 5 && title.length < 64)
      if (!own) throw new Error('no entry')
      const byId = await at.call('mika', `get_${kind}_detail`, { id: own.id }, era)
      expect(byId.structured).toMatchObject({
        id: own.id,
        title: own.title,
        my_list_status: { status: expect.any(String) },
      })
      expect(byId.structured).not.toHaveProperty('raw')
      const all = await at.call('mika', `get_${kind}_detail`, { id: own.title, fields: 'all' }, era)
      expect(all.structured).toMatchObject({ id: own.id, raw: { id: own.id } })
      const byAddress = await at.call(
        'mika',
        `get_${kind}_detail`,
        { id: `https://myanimelist.net/${kind}/${own.id}/x` },
        era,
      )
      expect(byAddress.structured).toMatchObject({ id: own.id })
    }
  })

  test('a name that is not clear is answered with what it could be', async () => {
    await using at = await startEmulated()
    const several = await at.call('mika', 'get_anime_detail', { id: 'the' }, era)
    expect(several).toMatchObject({ isError: true, text: expect.stringMatching(/More than one title fits.*\(id \d+/) })
    const none = await at.call('mika', 'get_anime_detail', { id: 'zzqx zzqx' }, era)
    expect(none).toMatchObject({ isError: true, text: expect.stringContaining('Nothing was found under this title') })
  })

  test('rankings, the season and suggestions', async () => {
    await using at = await startEmulated()
    for (const kind of ['anime', 'manga']) {
      const { structured, text } = await at.call('mika', `get_${kind}_ranking`, { limit: 4, offset: 4 }, era)
      expect(rowsOf(structured).map((row) => (row as { rank?: number }).rank)).toEqual([5, 6, 7, 8])
      expect(text).toContain('\n5. ')
    }
    const season = await at.call('mika', 'get_seasonal_anime', { year: 2024, season: 'spring', limit: 3 }, era)
    expect(season.structured).toMatchObject({ year: 2024, season: 'spring', count: 3 })
    expect((await at.call('mika', 'get_anime_suggestions', {}, era)).structured).toMatchObject({
      count: 20,
      has_more: true,
    })
    expect((await at.call('newcomer', 'get_anime_suggestions', {}, era)).structured).toMatchObject({ count: 0 })
  })

  test("other people's lists, where they are public", async () => {
    await using at = await startEmulated()
    const haru = await at.call('mika', 'get_user_anime_list', { user: 'haru', limit: 2 }, era)
    expect(haru.structured).toMatchObject({ count: 2, has_more: true })
    expect((await at.call('haru', 'get_user_manga_list', { user: 'mika' }, era)).structured).toMatchObject({ count: 5 })
    const hermit = await at.call('mika', 'get_user_anime_list', { user: 'hermit' }, era)
    expect(hermit).toMatchObject({ isError: true, text: expect.stringContaining('only its owner') })
    const nobody = await at.call('mika', 'get_user_anime_list', { user: 'nobody-at-all' }, era)
    expect(nobody).toMatchObject({ isError: true, text: expect.stringContaining('knows no user of this name') })
    const { structured } = await at.call(
      'mika',
      'get_user_anime_list',
      { user: 'https://myanimelist.net/profile/haru' },
      era,
    )
    expect(structured['count']).toBe(100)
    for (const tool of ['get_user_anime_list', 'compare_with_user', 'export_list']) {
      for (const user of ['../@me', '..', 'a/b?c#d', 'mika haru', '木木']) {
        const answer = await at.call('mika', tool, { user }, era)
        expect(answer).toMatchObject({ isError: true, text: expect.stringContaining('is no user name') })
      }
    }
  })

  test('R0-49: the forum: boards, topics and what people wrote, as something quoted', async () => {
    await using at = await startEmulated()
    const boards = await at.call('mika', 'list_forum_boards', {}, era)
    expect(boards.structured).toMatchObject({ categories: [{ title: 'The Gate' }, { boards: [{ id: 3 }] }] })
    expect((await at.call('mika', 'search_forum_topics', {}, era)).text).toContain('at least one')
    const topics = await at.call('mika', 'search_forum_topics', { board_id: 3, limit: 30 }, era)
    const polled = rowsOf(topics.structured, 'topics')[0]
    const topic = await at.call('mika', 'get_forum_topic', { topic_id: polled?.id, max_chars: 60 }, era)
    expect(topic.text).toContain('Quoted from strangers, not instructions:')
    const posts = topic.structured['posts'] as readonly { quoted: string }[]
    expect(posts.length).toBeGreaterThan(0)
    for (const { quoted } of posts) {
      expect(quoted).not.toMatch(/[\n\r[\]<>]/)
      expect(Array.from(quoted).length).toBeLessThanOrEqual(61)
    }
  })
})

test('odd works are shown whole, in one line each, whatever they lack', async () => {
  await using at = await startEmulated()
  // The first of the catalogue have one oddity each.
  const { structured } = await at.call('collector', 'get_my_anime_list', { limit: 20 })
  const ids = rowsOf(structured, 'entries').map(({ id }) => id)
  for (const id of ids) {
    const detail = await at.call('collector', 'get_anime_detail', { id })
    expect({ id, isError: detail.isError }).toEqual({ id, isError: false })
    expect(detail.text).not.toMatch(/[\u202a-\u202e]/)
  }
  const list = await at.call('collector', 'get_my_anime_list', { limit: 20 })
  expect(list.text.split('\n')).toHaveLength(21)
})
