import { describe, expect, test } from 'vitest'
import { startBench, type Bench } from './bench.ts'

type Truth = Map<number, { status: string; score: number; tags?: string[] }>

const truthOf = async (bench: Bench) => (await bench.truth('anime')) as Truth
const writes = (bench: Bench) => bench.emulator.requests.filter(({ method }) => method !== 'GET').length

/** So that a test can do something in the middle. */
const slow = { pace: { burst: 4, perSecond: 20 } }

/** Plans a score for every entry. */
async function planAll(bench: Bench, args: object = {}) {
  const ids = [...(await truthOf(bench)).keys()]
  const plan = await bench.call('plan_bulk_update', { ids, change: { score: 4, tags: ['bulk'] }, ...args })
  return { ids, plan, planId: String(plan.structured['plan_id']) }
}

describe('many entries', () => {
  test('a plan changes nothing, shows each before → after, and reads the list once', async () => {
    await using bench = await startBench()
    const before = await truthOf(bench)
    const came = bench.emulator.requests.length
    const plan = await bench.call('plan_bulk_update', { query: 'status:completed', change: { score: 10 } })
    expect(bench.emulator.requests.length - came).toBeLessThanOrEqual(2)
    const meant = [...before].filter(([, { status, score }]) => status === 'completed' && score !== 10)
    expect(plan.structured).toMatchObject({ total: meant.length, plan_id: expect.any(String) })
    expect(plan.text).toMatch(/score .* → 10/)
    expect(await truthOf(bench)).toEqual(before)
  })

  test('a plan that is to be undone before it was carried out is left as it is, and can be carried out', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    expect((await bench.call('mal_undo', { operation_id: planId })).text).toContain('nothing was undone')
    expect((await bench.call('apply_plan', { plan_id: planId })).structured).toMatchObject({ done: ids.length })
  })

  test('a plan is carried out entry by entry with progress, and undone', async () => {
    await using bench = await startBench()
    const before = await truthOf(bench)
    const { ids, planId } = await planAll(bench)
    const applied = await bench.call('apply_plan', { plan_id: planId }, { progressToken: 'p' })
    expect(applied.structured).toMatchObject({ state: 'done', done: ids.length, failed: 0, not_yet: 0 })
    const told = applied.notes.map(({ params }) => String(params?.['message']))
    expect(told.filter((message) => / of 12: /.test(message))).toHaveLength(12)
    const figures = applied.notes.map(({ params }) => Number(params?.['progress']))
    expect(figures).toEqual(figures.toSorted((a, b) => a - b))
    for (const entry of (await truthOf(bench)).values()) expect(entry).toMatchObject({ score: 4, tags: ['bulk'] })

    expect((await bench.call('apply_plan', { plan_id: planId })).text).toContain('Nothing of this operation is left')
    await bench.call('mal_undo')
    expect(await truthOf(bench)).toEqual(before)
    const listed = await bench.call('list_operations')
    expect(listed.structured['operations']).toMatchObject([{ undoes: planId }, { id: planId, done: 12 }])
  })

  test('what changed between plan and apply is named and left alone', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const [changed = 0, removed = 0] = ids
    await bench.edit(`/anime/${changed}`, { priority: '1', comments: 'mine', score: '9' })
    await bench.edit(`/anime/${removed}`, 'delete')
    const applied = await bench.call('apply_plan', { plan_id: planId })
    expect(applied.structured).toMatchObject({ done: ids.length - 2, left_alone: 2, state: 'done' })
    expect(applied.text).toMatch(/it changed since: .*score .* → 9/)
    expect(applied.text).toContain('not on the list any more')
    expect((await truthOf(bench)).get(changed)).toMatchObject({ score: 9 })
    expect((await truthOf(bench)).has(removed)).toBe(false)
  })

  test('entries are named by id, address or title, a part of it where that is clear, and what is not is told', async () => {
    await using bench = await startBench()
    const listed = await bench.call('get_my_anime_list', { limit: 1000 })
    const entries = listed.structured['entries'] as { id: number; title: string }[]
    const [one, two, three] = entries
    if (!one || !two || !three) throw new Error('no entries')
    const came = bench.emulator.requests.length
    const change = { priority: 2 }
    const names = [one.title.toUpperCase(), `https://myanimelist.net/anime/${two.id}/x`, three.id]
    const plan = await bench.call('plan_bulk_update', { ids: names, change })
    const changes = plan.structured['changes'] as { id: number }[]
    expect(new Set(changes.map(({ id }) => id))).toEqual(new Set([one.id, two.id, three.id]))
    // The list and who it is; no search.
    expect(bench.emulator.requests.slice(came).map(({ path }) => path)).not.toContain('/v2/anime')

    const nothing = await bench.call('plan_bulk_update', { ids: ['zzqx zzqx'], change })
    expect(nothing).toMatchObject({ isError: true, text: expect.stringContaining('zzqx') })
    const letter = entries.find(
      ({ title }) => entries.filter((other) => other.title.includes(title.slice(0, 1))).length > 1,
    )
    const unclear = await bench.call('delete_entries', { ids: [letter?.title.slice(0, 1) ?? ''] })
    expect(unclear).toMatchObject({ isError: true, text: expect.stringContaining('Call again with one of these ids') })
  })

  test('ids that are not on the list, and those named twice, are named in the plan', async () => {
    await using bench = await startBench()
    const [id = 0] = [...(await truthOf(bench)).keys()]
    const plan = await bench.call('plan_bulk_update', { ids: [id, id, 999_999], change: { score: 10 } })
    expect(plan.structured['left_out']).toMatchObject([
      { id, why: expect.stringContaining('twice') },
      { id: 999_999, why: expect.stringContaining('not on the anime list') },
    ])
    const none = await bench.call('plan_bulk_update', { query: '', change: { score: 1 } })
    expect(none.text).toContain('in one way')
  })

  test('what fails is told item by item, and the rest is done', async () => {
    await using bench = await startBench()
    const added = await bench.call('add_entries', { works: [999_998, 999_999], change: { score: 5 } })
    const { planId } = await planAll(bench)
    const failed = await bench.call('apply_plan', { plan_id: added.structured['plan_id'] })
    expect(failed.structured).toMatchObject({ done: 0, failed: 2, state: 'done' })
    expect(failed.structured['troubles']).toMatchObject([{ id: 999_998, state: 'failed' }, { id: 999_999 }])
    expect((await bench.call('apply_plan', { plan_id: planId })).structured).toMatchObject({ done: 12 })
  })

  test('a title that is not clear is named and left out, the others are planned', async () => {
    await using bench = await startBench()
    const works = ['Qqqxyz', 999_998, 'the']
    const { structured, text } = await bench.call('add_entries', { works })
    expect(structured).toMatchObject({
      plan_id: expect.any(String),
      total: 1,
      changes: [{ id: 999_998 }],
      unclear: [{ named: 'Qqqxyz' }, { named: 'the', why: expect.stringContaining('one of these ids') }],
    })
    expect(text).toContain('not in the plan: "Qqqxyz": Nothing was found')
    const nothing = await bench.call('add_entries', { works: ['Qqqxyz', 'Wwwxyz'] })
    expect(nothing).toMatchObject({ isError: false, text: expect.stringMatching(/^Nothing to do\..*Wwwxyz/s) })
    const alone = await bench.call('add_entries', { works: ['Qqqxyz'] })
    expect(alone).toMatchObject({ isError: true, text: expect.stringContaining('Nothing was found') })
  })

  test('R0-14c: with roll_back, what was done is taken back when one fails', async () => {
    await using bench = await startBench()
    const before = await truthOf(bench)
    const found = await bench.call('search_anime', { query: 'the' })
    const fresh = (found.structured['results'] as { id: number }[]).map(({ id }) => id).filter((id) => !before.has(id))
    const works = [...fresh.slice(0, 2), 999_999, ...fresh.slice(2, 4)]
    const plan = await bench.call('add_entries', { works, on_failure: 'roll_back' })
    const applied = await bench.call('apply_plan', { plan_id: plan.structured['plan_id'] })
    expect(applied.structured).toMatchObject({ done: 2, failed: 1, left_alone: works.length - 3 })
    expect(applied.structured['rolled_back_by']).toEqual(expect.any(String))
    expect(await truthOf(bench)).toEqual(before)
  })

  test('throttled in the middle it stops, says why, and goes on later', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const server = bench.another({ ...slow, retryDelaysMs: [] })
    const halfway = writes(bench) + 5
    const watch = setInterval(() => {
      if (writes(bench) >= halfway) bench.emulator.settings.throttle = { perSecond: 0.000_001, burst: 0 }
    }, 1)
    const stopped = await bench.call('apply_plan', { plan_id: planId }, { server })
    clearInterval(watch)
    expect(stopped.structured).toMatchObject({ state: 'stopped', failed: 0 })
    expect(stopped.text).toContain('resume_operation')
    expect(Number(stopped.structured['done'])).toBeLessThan(ids.length)
    bench.emulator.settings.throttle = undefined
    const resumed = await bench.call('resume_operation', { operation_id: planId }, { server })
    expect(resumed.structured).toMatchObject({ state: 'done', done: ids.length, not_yet: 0 })
    for (const entry of (await truthOf(bench)).values()) expect(entry).toMatchObject({ score: 4 })
  })

  test('what one call has no time for is left to the next, and each call does at least one', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const server = bench.another({ callTimeoutMs: 2_500 })
    const reports: Record<string, unknown>[] = []
    while (reports.at(-1)?.['not_yet'] !== 0) {
      const { structured } = await bench.call('resume_operation', { operation_id: planId }, { server })
      reports.push(structured)
    }
    expect(reports.map((report) => report['not_yet'])).toEqual(ids.map((_id, at) => ids.length - at - 1))
    for (const report of reports.slice(0, -1)) expect(report['stopped_by']).toContain('no more time')
    for (const entry of (await truthOf(bench)).values()) expect(entry).toMatchObject({ score: 4 })
  })

  test('cancelled it stops after what is under way, and can be resumed', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const server = bench.another({ pace: { burst: 4, perSecond: 5 } })
    const cancelled = new AbortController()
    const from = writes(bench)
    const watch = setInterval(() => {
      if (writes(bench) >= from + 1) cancelled.abort()
    }, 1)
    await bench.call('apply_plan', { plan_id: planId }, { server, signal: cancelled.signal }).catch(() => undefined)
    clearInterval(watch)
    const state = async () =>
      ((await bench.call('list_operations')).structured['operations'] as { state: string }[])[0]?.state
    await expect.poll(state).toBe('stopped')
    expect(writes(bench) - from).toBeLessThan(ids.length)
    const resumed = await bench.call('resume_operation', { operation_id: planId })
    expect(resumed.structured).toMatchObject({ state: 'done', done: ids.length })
    expect(writes(bench) - from).toBeLessThanOrEqual(ids.length + 1)
  })

  test('of two processes at one operation, one carries it out', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const from = writes(bench)
    const both = await Promise.all(
      [bench.another(slow), bench.another(slow)].map((server) =>
        bench.call('apply_plan', { plan_id: planId }, { server }),
      ),
    )
    expect(both.filter(({ isError }) => !isError)).toMatchObject([{ structured: { done: ids.length } }])
    expect(writes(bench) - from).toBe(ids.length)
  })

  test('what MyAnimeList overlooks is told for each entry and field, and what it took of it is undone', async () => {
    await using bench = await startBench()
    const before = await truthOf(bench)
    const { ids, planId } = await planAll(bench)
    Object.assign(bench.emulator.settings, { overlooks: ['score'] })
    const applied = await bench.call('apply_plan', { plan_id: planId })
    const meant = [...before.values()].filter(({ score }) => score !== 4).length
    expect(applied.structured).toMatchObject({ failed: meant, done: ids.length - meant, state: 'done' })
    expect(applied.text).toMatch(/score is \d+, asked was 4/)
    for (const entry of (await truthOf(bench)).values()) expect(entry.tags).toEqual(['bulk'])

    const single = await bench.call('update_anime', { id: ids[0], score: 5, priority: 2 })
    expect(single).toMatchObject({ isError: true, text: expect.stringContaining('asked was 5') })
    expect(single.text).toContain('mal_undo')
    await bench.call('mal_undo')
    Object.assign(bench.emulator.settings, { overlooks: [] })
    await bench.call('mal_undo', { operation_id: planId })
    expect(await truthOf(bench)).toEqual(before)
  })

  test('a token that is rejected in the middle stops it, and it goes on with a new one', async () => {
    await using bench = await startBench()
    const { ids, planId } = await planAll(bench)
    const from = writes(bench)
    const watch = setInterval(() => {
      if (writes(bench) >= from + 3) bench.emulator.expireTokens('mika')
    }, 1)
    const refused = await bench.call('apply_plan', { plan_id: planId }, { server: bench.another(slow) })
    clearInterval(watch)
    expect(refused).toMatchObject({ status: 401 })
    const { accessToken: token } = bench.emulator.issueTokens('mika')
    const resumed = await bench.call('resume_operation', { operation_id: planId }, { token })
    expect(resumed.structured).toMatchObject({ state: 'done', done: ids.length })
    expect(writes(bench) - from).toBeLessThanOrEqual(ids.length + 1)
  })

  test('tags are added, removed and renamed, and the others stay', async () => {
    await using bench = await startBench()
    const [first = 0, second = 0] = [...(await truthOf(bench)).keys()]
    await bench.edit(`/anime/${first}`, { tags: 'Old,keep,gone' })
    await bench.edit(`/anime/${second}`, { tags: 'keep' })
    const edit = { ids: [first, second], add: ['fresh'], remove: ['GONE'], rename: { from: 'old', to: 'Classic' } }
    const plan = await bench.call('edit_tags', edit)
    await bench.call('apply_plan', { plan_id: plan.structured['plan_id'] })
    const after = await truthOf(bench)
    expect(after.get(first)?.tags).toEqual(['Classic', 'fresh', 'keep'])
    expect(after.get(second)?.tags).toEqual(['fresh', 'keep'])
  })

  test('comments of many are changed and taken back, although lists do not tell them', async () => {
    await using bench = await startBench()
    const some = [...(await truthOf(bench)).keys()].slice(0, 4)
    for (const id of some.slice(0, 2)) await bench.edit(`/anime/${id}`, { comments: `about ${id}` })
    const before = await truthOf(bench)
    const planned = await bench.call('plan_bulk_update', { ids: some, change: { comments: 'seen' } })
    expect(planned.structured).toMatchObject({ total: 4, unchanged: 0 })
    expect(planned.text).toContain('comments → seen')
    expect((await bench.call('apply_plan', { plan_id: planned.structured['plan_id'] })).text).toContain('4 of 4 done')
    const after = await truthOf(bench)
    for (const id of some) expect(after.get(id)).toMatchObject({ comments: 'seen' })
    await bench.call('mal_undo')
    expect(await truthOf(bench)).toEqual(before)
  })

  test('many are removed and brought back with their comments', async () => {
    await using bench = await startBench()
    const ids = [...(await truthOf(bench)).keys()]
    for (const id of ids.slice(0, 3)) await bench.edit(`/anime/${id}`, { comments: `about ${id}` })
    const before = await truthOf(bench)
    const plan = await bench.call('delete_entries', { ids })
    await bench.call('apply_plan', { plan_id: plan.structured['plan_id'] })
    expect((await truthOf(bench)).size).toBe(0)
    await bench.call('mal_undo')
    expect(await truthOf(bench)).toEqual(before)
  })
})
