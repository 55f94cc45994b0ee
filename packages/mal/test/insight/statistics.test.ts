import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calibrate } from '../../src/insight/calibration.ts'
import { biasBy, compareWithCommunity } from '../../src/insight/community.ts'
import { makersOf, rankFavourites } from '../../src/insight/makers.ts'
import { correlationOf, medianOf } from '../../src/insight/numbers.ts'
import { computeSeasons, computeSeries } from '../../src/insight/series.ts'
import { computeStatistics } from '../../src/insight/statistics.ts'
import { hoursLeft, hoursOf } from '../../src/insight/time.ts'
import { anyEntry, makeEntry, makeList } from '../support/entries.ts'

const half = { units: 12, episodeSeconds: 1800 }

describe('R2-10, R0-47: statistics', () => {
  test('every figure, from entries whose answer can be worked out by hand', () => {
    const list = makeList([
      makeEntry(
        1,
        { ...half, genres: ['Action', 'Drama'], mediaType: 'tv', year: 2011, mean: 7.5, studios: ['Bones'] },
        { score: 9, progress: 12, timesRepeated: 2 },
      ),
      makeEntry(
        2,
        { ...half, genres: ['Action'], mediaType: 'movie', year: 2019, mean: 8.5 },
        { score: 6, progress: 12 },
      ),
      makeEntry(3, { ...half, mediaType: 'tv', year: 2020, mean: 7 }, { status: 'dropped', progress: 3 }),
      makeEntry(4, { ...half, mediaType: 'tv' }, { status: 'plan_to_watch' }),
      makeEntry(5, { units: 4 }, { status: 'on_hold', progress: 1 }),
    ])
    expect(computeStatistics(list)).toMatchObject({
      total: 5,
      scored: 2,
      mean_score: 7.5,
      median_score: 7.5,
      score_spread: 1.5,
      completed_percent: 50,
      dropped_percent: 33.3,
      units: 28,
      repeated: { entries: 1, times: 2, units: 24 },
      // 12 + 24 + 12 + 3 episodes of half an hour; one episode of unknown length.
      time: { hours: 25.5, days: 1.06, unknown: 1 },
      backlog: { entries: 2, units: 15, hours: 6, days: 0.25, unknown: 1 },
      by: {
        status: [
          { name: 'completed', count: 2, mean_score: 7.5 },
          { name: 'dropped', count: 1 },
          { name: 'on_hold', count: 1 },
          { name: 'plan_to_watch', count: 1 },
        ],
        genre: [
          { name: 'unknown', count: 3 },
          { name: 'Action', count: 2, mean_score: 7.5 },
          { name: 'Drama', count: 1, mean_score: 9 },
        ],
        decade: [
          { name: '2010s', count: 2 },
          { name: '2020s', count: 1 },
          { name: 'unknown', count: 2 },
        ],
      },
      versus_community: {
        compared: 2,
        mean_difference: -0.5,
        mean_absolute_difference: 2,
        liked_more: [{ id: 1, difference: 1.5 }],
        liked_less: [{ id: 2, difference: -2.5 }],
      },
    })
  })

  test('manga count chapters, volumes and authors, and no seasons or studios', () => {
    const work = { kind: 'manga', units: 100, volumes: 10, authors: ['Kentarou Miura'] } as const
    const { by, ...rest } = computeStatistics(
      makeList([makeEntry(1, work, { progress: 60, volumes: 6, status: 'reading', score: 10 })], 'manga'),
    )
    expect(rest).toMatchObject({ units: 60, volumes: 6, time: { hours: 8 } })
    expect(by).toMatchObject({ author: [{ name: 'Kentarou Miura', count: 1 }] })
    expect(Object.keys(by)).not.toContain('studio')
  })

  test('an empty list has figures too', () => {
    expect(computeStatistics(makeList([]))).toMatchObject({ total: 0, scored: 0, time: { hours: 0 }, favourites: [] })
  })

  test('for any list: shares add up, percentages are percentages, hours are not negative', () => {
    fc.assert(
      fc.property(fc.array(anyEntry(), { maxLength: 40 }), (entries) => {
        const { by, total, scored, time, backlog, ...rest } = computeStatistics(makeList(entries))
        const count = (name: string) => by[name]?.reduce((sum, share) => sum + share.count, 0)
        expect([count('status'), count('type'), count('decade')]).toEqual([total, total, total])
        expect(count('score')).toBe(scored)
        expect([time.hours, backlog.hours, backlog.units].every((value) => value >= 0)).toBe(true)
        for (const percent of [rest.completed_percent ?? 0, rest.dropped_percent ?? 0]) {
          expect(percent >= 0 && percent <= 100).toBe(true)
        }
        expect(JSON.stringify(rest)).not.toMatch(/null|NaN/)
      }),
    )
  })
})

describe('time', () => {
  test.each([
    { about: 'half an hour a piece', work: half, noted: { progress: 4 }, spent: 2, left: 4 },
    {
      about: 'a film seen twice',
      work: { units: 1, episodeSeconds: 7200 },
      noted: { progress: 1, timesRepeated: 1 },
      spent: 4,
      left: 0,
    },
    { about: 'nothing watched of unknown length', work: { units: 12 }, noted: {}, spent: 0, left: undefined },
    {
      about: 'something watched of unknown length',
      work: { units: 12 },
      noted: { progress: 1 },
      spent: undefined,
      left: undefined,
    },
    { about: 'more watched than there is', work: half, noted: { progress: 20 }, spent: 10, left: 0 },
    {
      about: 'manga by chapters',
      work: { kind: 'manga', units: 30 } as const,
      noted: { progress: 15 },
      spent: 2,
      left: 2,
    },
    {
      about: 'manga by volumes',
      work: { kind: 'manga', volumes: 5 } as const,
      noted: { volumes: 5 },
      spent: 6,
      left: 0,
    },
    {
      about: 'a novel by volumes',
      work: { kind: 'manga', mediaType: 'light_novel', volumes: 2 } as const,
      noted: { volumes: 1 },
      spent: 4,
      left: 4,
    },
  ])('$about', ({ work, noted, spent, left }) => {
    const entry = makeEntry(1, work, noted)
    expect(hoursOf(entry)).toBe(spent)
    expect(hoursLeft(entry)).toBe(left)
  })
})

describe('favourites', () => {
  test('one score of 10 makes no favourite, and three do less than twenty', () => {
    const made = (studio: string, count: number, score: number) =>
      Array.from({ length: count }, (_, index) => makeEntry(index, { studios: [studio] }, { score }))
    const ranked = rankFavourites(
      [...made('Once', 1, 10), ...made('Thrice', 3, 10), ...made('Often', 20, 9), ...made('Rest', 60, 5)],
      makersOf('anime'),
    )
    expect(ranked.map(({ name }) => name)).toEqual(['Often', 'Thrice', 'Rest'])
    expect(ranked[0]).toMatchObject({ mean_score: 9, shrunk_mean: 8.44, dropped_percent: 0 })
  })
})

describe('R2-10h: against the community', () => {
  test('who scores as all do correlates; who scores one higher is biased, not apart', () => {
    const entries = [5, 6, 7, 8].map((mean) => makeEntry(mean, { mean }, { score: mean + 1 }))
    expect(compareWithCommunity(entries, 2)).toMatchObject({
      compared: 4,
      correlation: 1,
      mean_difference: 1,
      liked_less: [],
    })
    expect(biasBy(entries, () => ['all'])).toEqual([{ name: 'all', compared: 4, mean_difference: 1 }])
    expect(compareWithCommunity([makeEntry(1, { mean: 8 })], 2)).toBeUndefined()
  })

  test('a correlation lies between -1 and 1 and is the same both ways', () => {
    const scores = fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 })))
    fc.assert(
      fc.property(scores, (pairs) => {
        const there = correlationOf(pairs)
        const back = correlationOf(pairs.map(([x, y]) => [y, x] as const))
        expect(Math.abs((there ?? 0) - (back ?? 0))).toBeLessThan(1e-9)
        expect(Math.abs(there ?? 0)).toBeLessThanOrEqual(1)
      }),
    )
    expect(medianOf([3, 1, 2])).toBe(2)
    expect(medianOf([])).toBeUndefined()
  })
})

describe('series', () => {
  test('by the month of finishing, without gaps, and what has no date is counted', () => {
    const done = (id: number, finishDate: string | undefined, score: number) =>
      makeEntry(id, half, { finishDate, score, progress: 12 })
    const entries = [
      done(1, '2024-11-30', 8),
      done(2, '2024-11', 6),
      done(3, '2025-02-01', 10),
      done(4, '2025', 5),
      done(5, undefined, 5),
    ]
    expect(computeSeries(entries, 'month')).toEqual({
      periods: [
        { period: '2024-11', completed: 2, units: 24, mean_score: 7, cumulated_days: 0.5 },
        { period: '2024-12', completed: 0, units: 0, mean_score: undefined, cumulated_days: 0.5 },
        { period: '2025-01', completed: 0, units: 0, mean_score: undefined, cumulated_days: 0.5 },
        { period: '2025-02', completed: 1, units: 12, mean_score: 10, cumulated_days: 0.75 },
      ],
      undated: 2,
    })
    expect(computeSeries(entries, 'year')).toMatchObject({
      periods: [
        { period: '2024', completed: 2 },
        { period: '2025', completed: 2 },
      ],
      undated: 1,
    })
    expect(computeSeries([], 'month')).toEqual({ periods: [], undated: 0 })
  })

  test('by the season in which things began', () => {
    const began = (id: number, year: number, season: 'winter' | 'fall', status: string) =>
      makeEntry(id, { year, season }, { status })
    expect(
      computeSeasons([
        began(1, 2025, 'winter', 'completed'),
        began(2, 2024, 'fall', 'dropped'),
        began(3, 2024, 'fall', 'completed'),
        makeEntry(4),
      ]),
    ).toEqual([
      { season: '2024 fall', entries: 2, completed: 1, dropped_percent: 50, mean_score: undefined },
      { season: '2025 winter', entries: 1, completed: 1, dropped_percent: 0, mean_score: undefined },
    ])
  })
})

describe('calibration', () => {
  test('what each score is worth on the own scale, the community’s and an even one', () => {
    const entries = [
      ...Array.from({ length: 8 }, (_, id) => makeEntry(id, { mean: 6 + id / 10 }, { score: 8 })),
      ...Array.from({ length: 2 }, (_, id) => makeEntry(10 + id, { mean: 8 }, { score: 10 })),
    ]
    const { scores, evenness, ...rest } = calibrate(entries)
    expect(rest).toMatchObject({ scored: 10, mean: 8.4, median: 8, spread: 0.8 })
    expect(scores).toEqual([
      { score: 10, count: 2, z: 2, percentile: 90, community: 8, evenly: 9.1 },
      { score: 8, count: 8, z: -0.5, percentile: 40, community: 6.4, evenly: 4.6 },
    ])
    expect(evenness).toBe(0.22)
  })

  test('what is out of line is so for this user, however harshly they score', () => {
    const entries = Array.from({ length: 20 }, (_, id) =>
      makeEntry(id, { mean: 6 + id / 10 }, { score: 4 + Math.floor(id / 5) }),
    )
    const odd = makeEntry(99, { mean: 6.2 }, { score: 9 })
    expect(calibrate([...entries, odd]).out_of_line[0]).toMatchObject({ id: 99, score: 9 })
  })

  test('a single score and an empty list are described too', () => {
    expect(calibrate([])).toMatchObject({ scored: 0, evenness: 0, scores: [], out_of_line: [] })
    expect(calibrate([makeEntry(1, {}, { score: 7 })])).toMatchObject({ scores: [{ score: 7, z: 0, percentile: 50 }] })
  })
})
