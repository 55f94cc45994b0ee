import { describe, expect, test } from 'vitest'
import { tools } from '../src/tools/table.ts'
import { readMessages, requestOf, startBench } from './support/call.ts'
import { entry, startStandIn } from './support/stand-in.ts'

/** Names that people have in their rules and prompts: they stay. */
const firstNames = ['analyze_taste', 'get_anime_detail', 'get_my_anime_list', 'get_user_stats', 'search_anime']

describe('what is offered', () => {
  test('R2-16: the core tools, each with what a client decides by, listed without a credential', async () => {
    await using bench = await startBench()
    const response = await bench.handler.fetch(requestOf('tools/list', {}))
    const listed = readMessages(await response.text())[0]?.result?.tools ?? []
    const core = tools.filter(({ toolset }) => toolset === 'core')
    expect(listed.map(({ name }) => name).sort()).toEqual(core.map(({ name }) => name).sort())
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(firstNames))
    for (const { name, effect } of core) {
      expect(listed.find((tool) => tool.name === name)).toMatchObject({
        title: expect.any(String),
        annotations: { readOnlyHint: effect === 'reads', openWorldHint: true },
        inputSchema: { type: 'object' },
        outputSchema: { type: 'object' },
      })
    }
    expect((await bench.handler.fetch(requestOf('server/discover', {}))).status).toBe(200)
    expect(bench.mal.seen).toEqual([])
  })
})

describe('get_my_anime_list', () => {
  test('R2-09: a bounded page that says whether and where the list goes on', async () => {
    await using bench = await startBench()
    bench.mal.lists.set('ada', [entry(1), entry(2), entry(3, { list: { status: 'watching' } })])

    const first = await bench.call('get_my_anime_list', { limit: 2 })
    expect(first.structured).toMatchObject({ count: 2, has_more: true, next_offset: 2 })
    const second = await bench.call('get_my_anime_list', { limit: 2, offset: 2 })
    expect(second.structured).toMatchObject({ count: 1, has_more: false })
    expect(second.structured).not.toHaveProperty('next_offset')

    const watching = await bench.call('get_my_anime_list', { status_filter: 'watching', sort: 'list_updated_at' })
    expect(watching.structured).toMatchObject({
      count: 1,
      entries: [{ id: 3, list: { status: 'watching', score: 8 } }],
    })
    expect(bench.mal.seen.at(-1)?.query.get('sort')).toBe('list_updated_at')
    expect(bench.mal.seen.at(-1)?.query.get('limit')).toBe('100')

    await bench.call('get_my_anime_list', { sort: 'score' })
    expect(bench.mal.seen.at(-1)?.query.get('sort')).toBe('list_score')
  })

  test('arguments out of range are refused before anything is asked', async () => {
    await using bench = await startBench()
    expect((await bench.call('get_my_anime_list', { limit: 1001 })).isError).toBe(true)
    expect((await bench.call('get_my_anime_list', { sort: 'anime_id' })).isError).toBe(true)
    expect(bench.mal.seen).toEqual([])
  })

  test('R0-36, R0-37: long titles and odd characters come through whole', async () => {
    await using bench = await startBench()
    const title = `${'とても長い題名 "quoted" & <b>/\\ 🎌 '.repeat(20)}end`
    bench.mal.lists.set('ada', [entry(1, { node: { title } })])
    const { structured, text } = await bench.call('get_my_anime_list')
    expect(structured).toMatchObject({ entries: [{ title }] })
    expect(text).toContain('🎌')
  })

  test('an entry that lacks nearly everything, and one of an unknown kind, are shown all the same', async () => {
    await using bench = await startBench()
    bench.mal.lists.set('ada', [
      { node: { id: 1, title: 'Bare' } },
      entry(2, { node: { media_type: 'hologram', num_episodes: 0 }, list: { status: 'dreaming', score: '9' } }),
      { node: { title: 'No id' } },
    ])
    const { structured, isError } = await bench.call('get_my_anime_list')
    expect(isError).toBe(false)
    expect(structured).toMatchObject({
      count: 2,
      entries: [
        { id: 1, genres: [], list: { status: 'unknown', num_episodes_watched: 0 } },
        { id: 2, media_type: 'hologram', list: { status: 'dreaming', score: 9 } },
      ],
    })
  })
})

describe('get_user_stats', () => {
  test('R2-10: every distribution, from one pass without a request for a single anime', async () => {
    await using bench = await startBench()
    bench.mal.lists.set('ada', [
      entry(1, { list: { score: 9 }, node: { mean: 7 } }),
      entry(2, { list: { score: 5, num_times_rewatched: 1 }, node: { mean: 8, start_season: { year: 1998 } } }),
      entry(3, {
        list: { status: 'watching', score: 0, num_episodes_watched: 3 },
        node: { media_type: 'movie', average_episode_duration: 0, start_season: undefined, start_date: '2021-04' },
      }),
      entry(4, {
        list: { status: 'plan_to_watch', score: 0, num_episodes_watched: 0 },
        node: { genres: [], studios: [] },
      }),
    ])
    const { structured, text } = await bench.call('get_user_stats')
    expect(structured).toMatchObject({
      truncated: false,
      total: 4,
      scored: 2,
      mean_score: 7,
      by: {
        status: [
          { name: 'completed', count: 2, mean_score: 7 },
          { name: 'plan_to_watch', count: 1 },
          { name: 'watching', count: 1 },
        ],
        genre: [
          { name: 'Action', count: 3, mean_score: 7 },
          { name: 'unknown', count: 1 },
        ],
        type: [
          { name: 'tv', count: 3 },
          { name: 'movie', count: 1 },
        ],
        decade: [
          { name: '1990s', count: 1 },
          { name: '2010s', count: 2 },
          { name: '2020s', count: 1 },
        ],
        studio: [
          { name: 'Madhouse', count: 3 },
          { name: 'unknown', count: 1 },
        ],
        score: expect.arrayContaining([{ name: '9', count: 1 }]),
      },
      units: 27,
      repeated: { times: 1, units: 12 },
      // 24 episodes and 12 again, of 24 minutes each.
      time: { hours: 14.4, days: 0.6, unknown: 1, note: expect.stringContaining('Estimated') },
      versus_community: {
        compared: 2,
        mean_difference: -0.5,
        mean_absolute_difference: 2.5,
        liked_more: [{ id: 1, difference: 2 }],
        liked_less: [{ id: 2, difference: -3 }],
      },
    })
    expect(text).toContain('4 anime, 2 scored, mean 7')
    expect(bench.mal.seen).toHaveLength(1)
    expect(bench.mal.seen[0]?.query.get('limit')).toBe('1000')
    expect(bench.mal.seen[0]?.query.get('fields')).toContain('list_status{')
  })

  test('an empty list has figures too', async () => {
    await using bench = await startBench()
    const { structured, isError } = await bench.call('get_user_stats')
    expect(isError).toBe(false)
    expect(structured).toMatchObject({ total: 0, scored: 0, by: { genre: [] } })
    expect(structured).not.toHaveProperty('versus_community')
  })
})

describe('analyze_taste', () => {
  test('R2-13: grouped by status, best score first, one row for each entry', async () => {
    await using bench = await startBench()
    bench.mal.lists.set('ada', [
      entry(1, { list: { score: 6 } }),
      entry(2, { list: { score: 10 }, node: { title: 'With\ttab' } }),
      entry(3, { list: { status: 'dropped', score: 2 } }),
    ])
    const { structured, text } = await bench.call('analyze_taste')
    expect(structured).toMatchObject({
      total: 3,
      truncated: false,
      groups: [
        {
          status: 'completed',
          count: 2,
          rows: ['10:', '2|With tab|15T|A', '6:', '1|Anime 1|15T|A'],
        },
        { status: 'dropped', count: 1, rows: ['2:', '3|Anime 3|15T|A|12/12'] },
      ],
    })
    expect(text.split('\n').slice(1)).toEqual([
      'Types: T tv',
      'Genres: A Action',
      '## completed (2)',
      '10:',
      '2|With tab|15T|A',
      '6:',
      '1|Anime 1|15T|A',
      '## dropped (1)',
      '2:',
      '3|Anime 3|15T|A|12/12',
    ])
  })

  test('R2-07: a long list is read in pages of 1000, and whoever asked hears of the progress', async () => {
    await using bench = await startBench()
    const many = Array.from({ length: 2500 }, (_, index) => entry(index + 1))
    bench.mal.lists.set('ada', many)
    const { structured, notes } = await bench.call('analyze_taste', {}, { progressToken: 'p' })
    expect(structured).toMatchObject({ total: 2500, truncated: false })
    expect(bench.mal.seen.map(({ query }) => query.get('offset'))).toEqual([null, '1000', '2000'])
    expect(notes.map(({ params }) => params?.['progress'])).toEqual([1000, 2000])
  })

  test('R2-14: beyond the cap the answer is marked and begins with a warning', async () => {
    await using bench = await startBench({ maxEntries: 1500 })
    bench.mal.lists.set(
      'ada',
      Array.from({ length: 2500 }, (_, index) => entry(index + 1)),
    )
    const { structured, text } = await bench.call('analyze_taste')
    expect(structured).toMatchObject({ total: 1500, truncated: true, warning: expect.stringContaining('WARNING') })
    expect(text).toMatch(/^WARNING: /)
    expect(bench.mal.seen).toHaveLength(2)
    expect((await bench.call('get_user_stats')).structured).toMatchObject({ total: 1500, truncated: true })
  })

  test('a list of exactly the cap is whole', async () => {
    await using bench = await startBench({ maxEntries: 3 })
    bench.mal.lists.set('ada', [entry(1), entry(2), entry(3)])
    expect((await bench.call('analyze_taste')).structured).toMatchObject({ total: 3, truncated: false })
  })

  test('a next page that leads round in circles ends the pass', async () => {
    await using bench = await startBench()
    bench.mal.lists.set(
      'ada',
      Array.from({ length: 1001 }, (_, index) => entry(index + 1)),
    )
    bench.mal.next = `${bench.mal.apiBaseUrl}/users/@me/animelist?limit=1000`
    expect((await bench.call('analyze_taste')).structured).toMatchObject({ total: 1000, truncated: true })
  })

  test('R2-15: a next page at another host is not followed, and the token stays here', async () => {
    await using bench = await startBench()
    await using elsewhere = await startStandIn()
    bench.mal.lists.set(
      'ada',
      Array.from({ length: 1001 }, (_, index) => entry(index + 1)),
    )
    const { origin } = new URL(bench.mal.apiBaseUrl)
    for (const next of [
      `${elsewhere.apiBaseUrl}/x`,
      `${origin}/v1/x`,
      `${origin}/v20/x`,
      'file:///etc/passwd',
      'nonsense',
    ]) {
      bench.mal.next = next
      const { isError, text } = await bench.call('analyze_taste')
      expect({ next, isError, text }).toMatchObject({ isError: true, text: expect.stringContaining('not followed') })
    }
    expect(elsewhere.seen).toEqual([])
  })
})

describe('search_anime', () => {
  test('R2-11: compact results, the synopsis cut at a word, whether it is on the own list', async () => {
    await using bench = await startBench()
    const { structured, text } = await bench.call('search_anime', { query: 'frieren' })
    expect(structured).toMatchObject({
      count: 1,
      results: [
        { id: 52991, title_en: "Frieren: Beyond Journey's End", media_type: 'hologram', my_status: 'watching' },
      ],
    })
    expect(text.length).toBeLessThan(400)
    expect(text).toMatch(/…$/)
    expect(bench.mal.seen[0]?.query.get('limit')).toBe('10')
  })

  test('R0-37: a query arrives letter by letter, and no longer than MyAnimeList takes it', async () => {
    await using bench = await startBench()
    await bench.call('search_anime', { query: 'K-On!! & Re:Zero + 100% #1 葬送?' })
    expect(bench.mal.seen[0]?.query.get('q')).toBe('K-On!! & Re:Zero + 100% #1 葬送?')
    await bench.call('search_anime', { query: 'x'.repeat(300) })
    expect(bench.mal.seen[1]?.query.get('q')).toHaveLength(64)
    expect((await bench.call('search_anime', { query: 'ab' })).isError).toBe(true)
  })
})

describe('get_anime_detail', () => {
  test('R2-12: related anime, recommendations, statistics and the own entry', async () => {
    await using bench = await startBench()
    const { structured } = await bench.call('get_anime_detail', { id: 52991 })
    expect(structured).toMatchObject({
      title_ja: '葬送のフリーレン',
      related_anime: [{ id: 59978, relation: 'Sequel' }],
      recommendations: [{ id: 33352, num_recommendations: 20 }],
      // Sent as strings.
      statistics: { watching: 100, completed: 800, on_hold: 50 },
      my_list_status: { status: 'watching', num_episodes_watched: 3, comments: 'slow & good' },
      broadcast: 'friday 23:00',
    })
  })

  test('R0-35: an id that does not exist says how to find the right one', async () => {
    await using bench = await startBench()
    const { isError, text } = await bench.call('get_anime_detail', { id: 1 })
    expect(isError).toBe(true)
    expect(text).toContain('search_anime')
  })
})
