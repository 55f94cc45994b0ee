import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareLists } from '../../src/insight/affinity.ts'
import { orders, planBacklog, type BacklogOrder } from '../../src/insight/backlog.ts'
import { showingsOf } from '../../src/insight/broadcast.ts'
import { computeSchedule, isTimeZone } from '../../src/insight/schedule.ts'
import { hoursLeft } from '../../src/insight/time.ts'
import { overviewTags } from '../../src/insight/tags.ts'
import { exportTaste } from '../../src/insight/taste.ts'
import { anyEntry, makeEntry, makeList } from '../support/entries.ts'

describe('R2-13: the export for taste', () => {
  test('groups by status, best score first, each entry once with all that is not usual', () => {
    const tv = { mediaType: 'tv', year: 2015, units: 12, mean: 7.5, genres: ['Action', 'Slice of Life'] }
    const list = makeList([
      makeEntry(1, { ...tv, title: 'B|ar\nline' }, { score: 6, progress: 12 }),
      makeEntry(2, { ...tv, title: 'Axe', mediaType: 'movie' }, { score: 10, progress: 12, tags: ['a', 'b'] }),
      makeEntry(3, { ...tv, title: 'Half' }, { score: 10, progress: 6 }),
      makeEntry(4, { title: 'Later' }, { status: 'plan_to_watch' }),
      makeEntry(5, { title: 'New' }, { status: 'paused', progress: 2 }),
    ])
    expect(exportTaste(list, 'compact')).toMatchObject({
      letters: { types: { T: 'tv', M: 'movie' }, genres: { A: 'Action', S: 'Slice of Life' } },
      groups: [
        {
          status: 'completed',
          count: 3,
          rows: ['10:', '2|Axe|15M|AS', '3|Half|15T|AS|6/12', '6:', '1|B/ar line|15T|AS'],
        },
        { status: 'plan_to_watch', count: 1, rows: ['not scored:', '4|Later'] },
        { status: 'paused', count: 1, rows: ['not scored:', '5|New|||2/?'] },
      ],
    })
    expect(exportTaste(list, 'all').groups[0]?.rows[1]).toBe('2|Axe|movie|2015|12/12|7.5|Action, Slice of Life|a, b')
  })

  test('for any list: every entry is in it once, and genres can be told apart', () => {
    const named = fc.uniqueArray(fc.constantFrom('Slice', 'Sl', 'Slope', 'Slash', 'Été', '日常', '4-koma'), {
      maxLength: 7,
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(anyEntry(), named), { maxLength: 20 }), (given) => {
        const entries = given.map(([entry, genres], id) => ({ ...entry, work: { ...entry.work, id, genres } }))
        const { groups, letters } = exportTaste(makeList(entries), 'compact')
        const rows = groups.flatMap(({ rows }) => rows.filter((row) => row.includes('|')))
        expect(rows.map((row) => Number(row.split('|')[0])).sort((a, b) => a - b)).toEqual(
          entries.map(({ work }) => work.id),
        )
        expect(new Set(Object.values(letters.genres))).toEqual(new Set(given.flatMap(([, names]) => names)))
        expect(groups.flatMap(({ rows }) => rows).every((row) => !/[\n\r]/.test(row))).toBe(true)
      }),
    )
  })
})

describe('R0-46: two users', () => {
  const of = (scores: Record<number, number | undefined>) =>
    makeList(Object.entries(scores).map(([id, score]) => makeEntry(Number(id), {}, { score })))

  test('affinity, what is shared, and what each has for the other', () => {
    const planned = makeEntry(7, { mean: 8 }, { status: 'plan_to_watch' })
    const mine = makeList([...of({ 1: 10, 2: 8, 3: 2, 4: undefined, 9: 9 }).entries, planned])
    const theirs = of({ 1: 9, 2: 7, 3: 1, 4: 5, 5: 10, 6: 7, 7: 8 })
    expect(compareLists(mine, theirs, 3)).toMatchObject({
      affinity: 100,
      shared: 5,
      both_scored: 3,
      only_mine: 1,
      only_theirs: 2,
      mean_absolute_difference: 1,
      liked_more: [{ id: 1 }, { id: 2 }, { id: 3 }],
      liked_less: [],
      for_me: [
        { id: 5, score: 10, planned: false },
        { id: 7, score: 8, planned: true },
      ],
      for_them: [{ id: 9, score: 9 }],
    })
  })

  test('no affinity where too little is shared, or one scores all alike', () => {
    expect(compareLists(of({ 1: 5, 2: 6 }), of({ 1: 5, 2: 6 }), 3).affinity).toBeUndefined()
    expect(compareLists(of({ 1: 5, 2: 5, 3: 5 }), of({ 1: 5, 2: 6, 3: 7 }), 3).affinity).toBeUndefined()
  })
})

describe('R0-44: the week', () => {
  const airing = { state: 'currently_airing', startDate: '2026-01-05', units: 24 }
  const monday = makeEntry(
    1,
    { ...airing, broadcast: { day: 'monday', time: '00:30' } },
    { status: 'watching', progress: 3 },
  )
  const slots = (zone: string, now: string, entries = [monday]) =>
    computeSchedule(entries, zone, Date.parse(now)).days.flatMap(({ date, weekday, showings }) =>
      showings.map(({ time, episode }) => `${date} ${weekday} ${time} #${episode}`),
    )

  test('midnight in Japan is the afternoon before in Europe, and the morning before in America', () => {
    expect(slots('Asia/Tokyo', '2026-01-30T12:00:00Z')).toEqual(['2026-02-02 monday 00:30 #5'])
    expect(slots('Europe/Berlin', '2026-01-30T12:00:00Z')).toEqual(['2026-02-01 sunday 16:30 #5'])
    expect(slots('America/Los_Angeles', '2026-01-30T12:00:00Z')).toEqual(['2026-02-01 sunday 07:30 #5'])
    expect(slots('Pacific/Kiritimati', '2026-01-30T12:00:00Z')).toEqual(['2026-02-02 monday 05:30 #5'])
  })

  test('clocks that change move the hour, not the showing', () => {
    // Europe changes on 29 March and 25 October 2026.
    const long = makeEntry(1, { ...airing, units: undefined, broadcast: { day: 'monday', time: '23:30' } })
    expect(slots('Europe/Berlin', '2026-03-23T06:00:00Z', [long])).toEqual(['2026-03-23 monday 15:30 #12'])
    expect(slots('Europe/Berlin', '2026-03-30T06:00:00Z', [long])).toEqual(['2026-03-30 monday 16:30 #13'])
    expect(slots('Europe/Berlin', '2026-10-26T06:00:00Z', [long])).toEqual(['2026-10-26 monday 15:30 #43'])
  })

  test('before it begins, after its last episode, and when it is over nothing is on', () => {
    expect(slots('Asia/Tokyo', '2025-12-20T12:00:00Z')).toEqual([])
    const work = monday.work
    const inJapan = (from: string, to: string) =>
      showingsOf(work, Date.parse(from), Date.parse(to)).map(({ episode }) => episode)
    expect(inJapan('2026-06-01T00:00:00Z', '2026-12-01T00:00:00Z')).toEqual([23, 24])
    const over = makeEntry(1, { ...monday.work, state: 'finished_airing' })
    expect(slots('Asia/Tokyo', '2026-01-30T12:00:00Z', [over])).toEqual([])
  })

  test('what still runs beyond its last episode had breaks: it goes on without a number', () => {
    expect(slots('Asia/Tokyo', '2026-07-01T12:00:00Z')).toEqual(['2026-07-06 monday 00:30 #undefined'])
  })

  test('an hour that nobody knows, the small hours counted on, no weekday, no start', () => {
    const at = (broadcast: { day: string; time: string | undefined }) => makeEntry(1, { ...airing, broadcast })
    expect(slots('Asia/Tokyo', '2026-01-30T12:00:00Z', [at({ day: 'sunday', time: undefined })])).toEqual([
      '2026-02-01 sunday undefined #5',
    ])
    expect(slots('Asia/Tokyo', '2026-01-30T12:00:00Z', [at({ day: 'saturday', time: '25:30' })])).toEqual([
      '2026-02-01 sunday 01:30 #5',
    ])
    const other = makeEntry(2, { ...airing, broadcast: { day: 'other', time: undefined } })
    expect(computeSchedule([other], 'UTC', 0).unscheduled).toEqual([{ id: 2, title: 'Title 2' }])
    const unknown = makeEntry(3, { ...airing, startDate: undefined, broadcast: { day: 'monday', time: '10:00' } })
    expect(slots('UTC', '2026-01-30T12:00:00Z', [unknown])).toEqual(['2026-02-02 monday 01:00 #undefined'])
    expect(isTimeZone('Europe/Berlin')).toBe(true)
    expect(isTimeZone('Mars/Olympus')).toBe(false)
  })

  test('for any moment, day and zone: one showing a week, at the hour of Japan, within the seven days', () => {
    const day = fc.constantFrom('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')
    const zone = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC')
    fc.assert(
      fc.property(day, zone, fc.integer({ min: 0, max: 2_000_000_000 }), (day, zone, seconds) => {
        const work = { ...monday.work, startDate: undefined, broadcast: { day, time: '18:00' } }
        expect(slots(zone, new Date(seconds * 1000).toISOString(), [{ ...monday, work }])).toHaveLength(1)
        const [first] = showingsOf(work, seconds * 1000, seconds * 1000 + 7 * 86_400_000)
        const shown = { timeZone: 'Asia/Tokyo', weekday: 'long', hour: '2-digit', minute: '2-digit' } as const
        const inJapan = new Intl.DateTimeFormat('en-GB', shown).format(first?.at)
        expect(inJapan.toLowerCase()).toMatch(new RegExp(`^${day}.* 18:00$`))
      }),
    )
  })
})

describe('the backlog', () => {
  const wait = (id: number, hours: number, mean: number, priority = 0) =>
    makeEntry(
      id,
      { units: hours, episodeSeconds: 3600, mean },
      { status: 'plan_to_watch', priority, updatedAt: `202${id}-01-01T00:00:00Z` },
    )
  const entries = [
    wait(1, 30, 9),
    wait(2, 10, 8, 2),
    wait(3, 4, 7, 1),
    makeEntry(4, { units: 12, state: 'not_yet_aired' }, { status: 'plan_to_watch' }),
    makeEntry(5, {}, { status: 'on_hold' }),
    makeEntry(6, { units: 10, episodeSeconds: 3600 }, { status: 'dropped' }),
  ]
  const plan = (order: BacklogOrder, hours = 20) => planBacklog(entries, { hours, hoursPerWeek: 5, order })
  const ids = (order: BacklogOrder, hours?: number) => plan(order, hours).items.map(({ id }) => id)

  test('takes the next that fits whole, in each order', () => {
    expect(plan('mean')).toMatchObject({
      hours_planned: 14,
      candidates: 3,
      left_out: 1,
      not_out: 1,
      unknown_length: 1,
      items: [
        { id: 2, hours: 10, from_week: 1, to_week: 2 },
        { id: 3, hours: 4, from_week: 3, to_week: 3 },
      ],
    })
    expect(ids('mean', 40)).toEqual([1, 2])
    expect(ids('priority', 100)).toEqual([2, 3, 1])
    expect(ids('shortest', 100)).toEqual([3, 2, 1])
    expect(ids('oldest', 100)).toEqual([1, 2, 3])
  })

  test('for any list: never more than the hours, and nothing that still fits is left out', () => {
    const order = fc.constantFrom(...(Object.keys(orders) as BacklogOrder[]))
    fc.assert(
      fc.property(
        fc.array(anyEntry(), { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        order,
        (all, hours, order) => {
          const { hours_planned, items, candidates, left_out } = planBacklog(all, { hours, hoursPerWeek: 7, order })
          expect(hours_planned).toBeLessThanOrEqual(hours + 0.01)
          expect(items.length + left_out).toBe(candidates)
          expect(items.every(({ from_week, to_week }) => from_week <= to_week)).toBe(true)
          const waiting = all.filter(({ noted }) => /^plan_to_|^on_hold$/.test(noted.status))
          const left = waiting.filter(({ work }) => work.state !== 'not_yet_aired' && !taken(items, work.id))
          const fits = left
            .map((entry) => hoursLeft(entry) ?? 0)
            .filter((one) => one > 0 && one <= hours - hours_planned - 0.01)
          expect(fits).toEqual([])
        },
      ),
    )
  })
})

const taken = (items: readonly { readonly id: number }[], id: number) => items.some((item) => item.id === id)

describe('R0-21c: tags', () => {
  test('counts, and tags that may be one', () => {
    const tagged = (id: number, tags: string[], score?: number) => makeEntry(id, {}, { tags, score })
    const overview = overviewTags([
      tagged(1, ['Slow Start', 'rewatch'], 8),
      tagged(2, ['slow-start', 'rewatch'], 6),
      tagged(3, ['rewatches', 'season 1']),
      tagged(4, ['Slow Start', 'season 2', 'gemutlich', 'Gemütlich']),
      tagged(5, ['rewetch']),
      tagged(6, []),
    ])
    expect(overview).toMatchObject({ tagged: 5, untagged: 1 })
    expect(overview.tags.slice(0, 2)).toEqual([
      { name: 'Slow Start', count: 2, mean_score: 8 },
      { name: 'rewatch', count: 2, mean_score: 7 },
    ])
    expect(overview.merges).toEqual([
      { from: 'gemutlich', to: 'Gemütlich', entries: 1, why: 'same letters' },
      { from: 'rewetch', to: 'rewatch', entries: 1, why: 'one letter apart' },
      { from: 'slow-start', to: 'Slow Start', entries: 1, why: 'same letters' },
    ])
  })
})
