import { describe, expect, test } from 'vitest'
import { createMalHandler } from '../../src/handler.ts'
import { toolsets } from '../../src/tools/tool.ts'
import { startBench } from './bench.ts'

describe('one entry', () => {
  test('is changed as asked, told before → after, and put back by mal_undo', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [id] = [...before.keys()]
    const changed = await bench.call('update_anime', {
      id,
      score: 3,
      tags: ['new', 'a,b'],
      comments: 'note',
      priority: 2,
    })
    expect(changed.text).toMatch(/score .* → 3/)
    expect((await bench.truth('anime')).get(id ?? 0)).toMatchObject({
      score: 3,
      tags: ['a', 'b', 'new'],
      comments: 'note',
      priority: 2,
    })
    const undone = await bench.call('mal_undo')
    expect(undone.structured).toMatchObject({ done: 1, failed: 0, kept: [] })
    expect(await bench.truth('anime')).toEqual(before)
  })

  test('that is like that already is not sent', async () => {
    await using bench = await startBench()
    const [[id, noted] = []] = [...(await bench.truth('anime'))]
    const { score } = noted as { score: number }
    const came = bench.emulator.requests.length
    expect((await bench.call('update_anime', { id, score })).text).toContain('already so')
    expect(bench.emulator.requests.slice(came).map(({ method }) => method)).not.toContain('PATCH')
    expect((await bench.call('update_anime', { id })).text).toContain('No change was named')
  })

  test('that is not on the list is added with a status that is said, and undone by removing it', async () => {
    await using bench = await startBench()
    const before = await bench.truth('manga')
    const found = await bench.call('search_manga', { query: 'the' })
    const results = found.structured['results'] as { id: number }[]
    const id = results.find((one) => !before.has(one.id))?.id ?? 0
    const added = await bench.call('update_manga', { id, score: 7 })
    expect(added.text).toContain('status none → plan_to_read')
    expect((await bench.truth('manga')).get(id)).toMatchObject({ status: 'plan_to_read', score: 7 })
    await bench.call('mal_undo', { operation_id: added.structured['operation_id'] })
    expect(await bench.truth('manga')).toEqual(before)
  })

  test('that is removed comes back with everything, comments too', async () => {
    await using bench = await startBench()
    const [id = 0] = [...(await bench.truth('anime')).keys()]
    await bench.edit(`/anime/${id}`, { comments: 'Better the second time', tags: 'x,y', num_times_rewatched: '3' })
    const before = await bench.truth('anime')
    const removed = await bench.call('delete_entry', { id })
    expect(removed.structured).toMatchObject({ id, removed: true })
    expect((await bench.truth('anime')).has(id)).toBe(false)
    expect((await bench.call('delete_entry', { id })).structured).toMatchObject({ removed: false })
    await bench.call('mal_undo')
    expect(await bench.truth('anime')).toEqual(before)
  })

  test('an undo leaves alone what was changed since, field by field, unless it is forced', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [id = 0] = [...before.keys()]
    const changed = await bench.call('update_anime', { id, score: 1, priority: 2, num_times_rewatched: 9 })
    await bench.edit(`/anime/${id}`, { score: '2', rewatch_value: '5' })

    const dry = await bench.call('mal_undo', { dry_run: true })
    expect(dry.text).toContain('changed since: score 1 → 2')
    expect((await bench.truth('anime')).get(id)).toMatchObject({ score: 2, num_times_rewatched: 9 })

    const undone = await bench.call('mal_undo')
    expect(undone.structured['kept']).toEqual([expect.stringContaining('score 1 → 2')])
    const { num_times_rewatched: times } = before.get(id) as { num_times_rewatched: number }
    expect((await bench.truth('anime')).get(id)).toMatchObject({
      score: 2,
      rewatch_value: 5,
      num_times_rewatched: times,
    })

    const again = await bench.call('mal_undo', { operation_id: changed.structured['operation_id'] })
    expect(again.text).toContain('undone already')
    await bench.call('mal_undo', { operation_id: changed.structured['operation_id'], force: true })
    expect(await bench.truth('anime')).toEqual(before)
  })

  test('an undo can be undone, and that again', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [id = 0] = [...before.keys()]
    await bench.call('update_anime', { id, score: 1 })
    const after = await bench.truth('anime')
    const undo = await bench.call('mal_undo')
    expect(await bench.truth('anime')).toEqual(before)
    await bench.call('mal_undo', { operation_id: undo.structured['operation_id'] })
    expect(await bench.truth('anime')).toEqual(after)
    await bench.call('mal_undo')
    expect(await bench.truth('anime')).toEqual(before)
    expect((await bench.call('mal_undo')).text).toContain('nothing to undo')
  })

  test('an undo that was undone and done again leaves its change undone, and the next undo takes the one before', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [first = 0, second = 0] = [...before.keys()]
    await bench.call('update_anime', { id: first, score: 1 })
    await bench.call('update_anime', { id: second, score: 2 })
    let last = await bench.call('mal_undo')
    for (let count = 0; count < 2; count++)
      last = await bench.call('mal_undo', { operation_id: last.structured['operation_id'] })
    await bench.call('mal_undo')
    expect(await bench.truth('anime')).toEqual(before)
    expect((await bench.call('mal_undo')).text).toContain('nothing to undo')
  })

  test('an undo of what somebody has put back by hand says so, and the next one goes further back', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [first = 0, second = 0] = [...before.keys()]
    await bench.call('update_anime', { id: first, score: 1 })
    await bench.call('update_anime', { id: second, score: 2 })
    const { score } = before.get(second) as { score: number }
    await bench.edit(`/anime/${second}`, { score: String(score) })
    expect((await bench.call('mal_undo')).text).toContain('nothing was undone')
    await bench.call('mal_undo')
    expect(await bench.truth('anime')).toEqual(before)
    expect((await bench.call('mal_undo')).text).toContain('nothing to undo')
  })

  test('what makes no sense is refused before anything is sent, and hints are only hints', async () => {
    await using bench = await startBench()
    const before = await bench.truth('anime')
    const [id = 0] = [...before.keys()]
    const detail = await bench.call('get_anime_detail', { id })
    const { num_episodes: units = 0 } = detail.structured as { num_episodes?: number }
    const much = await bench.call('update_anime', { id, num_episodes_watched: units + 1 })
    expect(much).toMatchObject({ isError: true, text: expect.stringContaining(`more than the ${units}`) })
    expect(await bench.truth('anime')).toEqual(before)

    await bench.edit(`/anime/${id}`, { status: 'watching', num_watched_episodes: '0', is_rewatching: 'false' })
    const last = await bench.call('update_anime', { id, num_episodes_watched: units })
    expect(last.text).toContain(`hint: `)
    expect((await bench.truth('anime')).get(id)).toMatchObject({ status: 'watching', num_episodes_watched: units })
  })

  test('without storage it is written all the same, and says that it cannot be undone', async () => {
    await using bench = await startBench()
    const [id = 0] = [...(await bench.truth('anime')).keys()]
    const { apiBaseUrl } = bench
    const bare = createMalHandler({ apiBaseUrl, toolsets: new Set(toolsets) })
    const changed = await bench.call('update_anime', { id, score: 2 }, { server: bare })
    expect(changed.text).toContain('cannot be undone')
    expect((await bench.truth('anime')).get(id)).toMatchObject({ score: 2 })
    expect((await bench.call('mal_undo', {}, { server: bare })).text).toContain('MAL_DATA_DIR')
    await bare.close()
  })
})
