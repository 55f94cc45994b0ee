import { describe, expect, test } from 'vitest'
import { startEmulated, type Answer, type Emulated } from '../support/emulated.ts'

const time = { clock: { now: () => Date.parse('2026-11-21T12:00:00Z'), wait: async () => {} } }

/** The `count` of requests that reached MyAnimeList since it was last looked at. */
function requestsOf({ mal }: Emulated) {
  let seen = mal.requests.length
  return () => {
    const count = mal.requests.length - seen
    seen = mal.requests.length
    return count
  }
}

function numbers({ structured }: Answer): Record<string, number> {
  const pairs = Object.entries(structured).filter((pair): pair is [string, number] => typeof pair[1] === 'number')
  return Object.fromEntries(pairs)
}

describe('each tool of understanding, for both kinds and eras', () => {
  const calls: [string, object][] = [
    ['get_user_stats', {}],
    ['analyze_taste', {}],
    ['analyze_taste', { fields: 'all' }],
    ['search_my_list', { query: 'score>=5 sort:score desc' }],
    ['search_my_list', { fields: 'all' }],
    ['compare_with_user', { user: 'haru' }],
    ['compare_with_community', {}],
    ['calibrate_scores', {}],
    ['get_activity', {}],
    ['get_activity', { by: 'year' }],
    ['get_activity', { by: 'season' }],
    ['list_tags', {}],
    ['plan_backlog', { hours_per_week: 10 }],
  ]

  test.each(calls)('%s %j', async (tool, args) => {
    await using emulated = await startEmulated()
    for (const kind of ['anime', 'manga'] as const) {
      for (const legacy of [false, true]) {
        const answer = await emulated.call('mika', tool, { ...args, kind }, { legacy })
        expect(answer).toMatchObject({ isError: false, structured: { kind, total: kind === 'anime' ? 12 : 5 } })
        expect(answer.text).not.toMatch(/undefined|NaN|\[object/)
      }
    }
  })

  test('a newcomer, whose lists are empty, is answered too', async () => {
    await using emulated = await startEmulated()
    for (const [tool, args] of [...calls, ['get_schedule', {}] as const]) {
      const { isError, text } = await emulated.call('newcomer', tool, args)
      expect({ tool, isError }).toEqual({ tool, isError: false })
      expect(text).not.toMatch(/undefined|NaN|\[object/)
    }
  })
})

describe('R0-21a, R0-21b: search_my_list', () => {
  test('pages through what fits, in order, and asks MyAnimeList for nothing but the list', async () => {
    await using emulated = await startEmulated()
    const args = { query: 'status:completed score>=8 sort:score desc, title', limit: 20 }
    const first = await emulated.call('reader', 'search_my_list', args)
    const { found } = numbers(first)
    expect(first.structured).toMatchObject({ total: 300, count: 20, has_more: true, next_offset: 20 })
    const last = await emulated.call('reader', 'search_my_list', { ...args, offset: 20, limit: 1000 })
    expect(last.structured).toMatchObject({ found, count: (found ?? 0) - 20, has_more: false })
    const scores = [first, last].flatMap(({ structured }) =>
      (structured['entries'] as { score: number }[]).map(({ score }) => score),
    )
    expect(scores).toEqual(scores.toSorted((one, other) => other - one))
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(8)
    expect(emulated.mal.requests.every(({ path }) => path === '/v2/users/@me/animelist')).toBe(true)
  })

  test('a query that cannot be read says where, and costs no request', async () => {
    await using emulated = await startEmulated()
    const { isError, text } = await emulated.call('reader', 'search_my_list', { query: 'scoer>8' })
    expect(isError).toBe(true)
    expect(text).toContain('At character 1, near "scoer>8": there is no field "scoer". Did you mean score?')
    expect(emulated.mal.requests).toEqual([])
  })
})

describe('R0-46: compare_with_user', () => {
  test('two whole lists in as few requests as they have pages', async () => {
    await using emulated = await startEmulated()
    const requests = requestsOf(emulated)
    const answer = await emulated.call('reader', 'compare_with_user', { user: 'haru', most: 3 })
    const { affinity, shared, only_mine, only_theirs } = numbers(answer)
    expect(answer.structured).toMatchObject({
      total: 300,
      their_total: 1500,
      affinity_note: expect.stringContaining('Pearson'),
    })
    expect(Math.abs(affinity ?? 1000)).toBeLessThanOrEqual(100)
    expect([(shared ?? 0) + (only_mine ?? 0), (shared ?? 0) + (only_theirs ?? 0)]).toEqual([300, 1500])
    expect(requests()).toBe(3)
  })

  test('a private list stays private, and the own one is not even read', async () => {
    await using emulated = await startEmulated()
    const { isError, text } = await emulated.call('reader', 'compare_with_user', { user: 'hermit' })
    expect(isError).toBe(true)
    expect(text).toContain('private')
    expect(emulated.mal.requests.some(({ path }) => path.includes('@me'))).toBe(false)
  })
})

describe('R0-44: get_schedule', () => {
  test('the days are those of the profile, or of the zone that is named', async () => {
    await using emulated = await startEmulated(time)
    const tokyo = await emulated.call('haru', 'get_schedule')
    expect(tokyo.structured).toMatchObject({ time_zone: 'Asia/Tokyo', total: 1500 })
    const honolulu = await emulated.call('haru', 'get_schedule', { time_zone: 'Pacific/Honolulu' })
    const slots = ({ structured }: Answer) =>
      (structured['days'] as { date: string; showings: { id: number; time?: string }[] }[]).flatMap(
        ({ date, showings }) => showings.map(({ id, time }) => ({ id, at: `${date} ${time}` })),
      )
    expect(slots(tokyo).length).toBeGreaterThan(0)
    expect((tokyo.structured['days'] as { date: string }[]).map(({ date }) => date)[0]).toBe('2026-11-21')
    const shared = slots(tokyo).find(({ id }) => slots(honolulu).some((one) => one.id === id))
    expect(slots(honolulu).find(({ id }) => id === shared?.id)?.at).not.toBe(shared?.at)
  })

  test('a zone that does not exist is refused', async () => {
    await using emulated = await startEmulated(time)
    const { isError, text } = await emulated.call('haru', 'get_schedule', { time_zone: 'Mars/Olympus' })
    expect({ isError, text }).toMatchObject({ isError: true, text: expect.stringContaining('no such time zone') })
  })
})

describe('plan_backlog', () => {
  test('by weeks or until a date, and only from what a query lets through', async () => {
    await using emulated = await startEmulated(time)
    const plan = (args: object) => emulated.call('reader', 'plan_backlog', { hours_per_week: 7, ...args })
    expect(numbers(await plan({ weeks: 3 }))).toMatchObject({ hours: 21 })
    expect(numbers(await plan({ until: '2026-12-05' }))).toMatchObject({ hours: 13.5 })
    expect((await plan({ until: '2020-01-01' })).structured).toMatchObject({ hours: 0, items: [] })
    const films = await plan({ weeks: 10, query: 'type:movie', order: 'shortest' })
    const { structured } = await emulated.call('reader', 'search_my_list', { query: 'type:movie', limit: 1000 })
    const movies = (structured['entries'] as { id: number }[]).map(({ id }) => id)
    const planned = (films.structured['items'] as { id: number; hours: number }[]) ?? []
    expect(planned.length).toBeGreaterThan(0)
    expect(planned.filter(({ id }) => !movies.includes(id))).toEqual([])
    expect(planned.map(({ hours }) => hours)).toEqual(planned.map(({ hours }) => hours).sort((a, b) => a - b))
  })
})
