import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { statuses, type Kind } from '../../src/list/entry.ts'
import { startBench, type Bench } from './bench.ts'

/** What a person may do with many entries; the numbers choose among what there is. */
const step = fc.oneof(
  fc.record({
    what: fc.constantFrom('update', 'tags', 'delete', 'add', 'undo', 'undo the undo', 'single'),
    kind: fc.constantFrom<Kind>('anime', 'manga'),
    picks: fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }),
    status: fc.nat(4),
    score: fc.nat(10),
    priority: fc.nat(2),
    repeated: fc.nat(5),
    date: fc.constantFrom('', '2024', '2024-05', '2024-05-17'),
    tag: fc.constantFrom('a', 'b', 'Ä', 'with friends', '名作'),
    comments: fc.constantFrom(undefined, '', 'good', 'two\nlines & more'),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describe('whatever is done to lists', () => {
  test('undone from the last to the first, it leaves them exactly as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        await using bench = await startBench()
        const addable = await findAddable(bench)
        const before = await bothLists(bench)
        for (const one of steps) await take(bench, one, addable)
        for (let undone = 0; ; undone += 1) {
          expect(undone).toBeLessThan(50)
          const { isError, structured } = await bench.call('mal_undo')
          if (isError) break
          expect(structured).toMatchObject({ failed: 0, not_yet: 0, kept: [] })
        }
        expect(await bothLists(bench)).toEqual(before)
      }),
      { numRuns: Number(process.env['SEKISHO_TEST_RUNS'] ?? 20), endOnFailure: true },
    )
  }, 120_000)
})

async function bothLists(bench: Bench) {
  return { anime: await bench.truth('anime'), manga: await bench.truth('manga') }
}

async function findAddable(bench: Bench): Promise<Record<Kind, number[]>> {
  const idsOf = async (kind: Kind) => {
    const { structured } = await bench.call(`search_${kind}`, { query: 'the', limit: 50 })
    return (structured['results'] as { id: number }[]).map(({ id }) => id)
  }
  return { anime: await idsOf('anime'), manga: await idsOf('manga') }
}

async function take(bench: Bench, one: Step, addable: Record<Kind, number[]>): Promise<void> {
  const { what, kind } = one
  if (what === 'undo') return void (await bench.call('mal_undo'))
  if (what === 'undo the undo') return undoTheUndo(bench)
  const present = [...(await bench.truth(kind)).keys()]
  const pick = (from: readonly number[]) => [...new Set(one.picks.flatMap((at) => from[at % from.length] ?? []))]
  const ids = what === 'add' ? pick(addable[kind]) : pick(present)
  if (ids.length === 0) return
  if (what === 'single') return void (await bench.call(`update_${kind}`, { id: ids[0], ...changeOf(one) }))
  const planned = await bench.call(...planOf(one, ids))
  expect(planned.isError).toBe(false)
  const id = planned.structured['plan_id']
  if (id === undefined) return
  const { structured } = await bench.call('apply_plan', { plan_id: id })
  expect(structured).toMatchObject({ state: 'done', failed: 0, left_alone: 0 })
}

async function undoTheUndo(bench: Bench): Promise<void> {
  const { structured } = await bench.call('list_operations')
  const operations = structured['operations'] as { id: string; undoes?: string; undone_by?: string }[]
  // Only the latest: what came after it would be in the way.
  const [last] = operations
  if (last?.undoes !== undefined && last.undone_by === undefined) {
    await bench.call('mal_undo', { operation_id: last.id })
  }
}

function planOf(one: Step, ids: number[]): [string, object] {
  const { what, kind, tag } = one
  if (what === 'tags') return ['edit_tags', { kind, ids, add: [tag], remove: ['b'] }]
  if (what === 'delete') return ['delete_entries', { kind, ids }]
  if (what === 'add') return ['add_entries', { kind, works: ids, change: changeOf(one) }]
  return ['plan_bulk_update', { kind, ids, change: changeOf(one) }]
}

function changeOf({ kind, status, score, priority, date, tag, comments }: Step): object {
  return {
    status: statuses[kind][status],
    score,
    priority,
    start_date: date,
    tags: [tag],
    ...(comments !== undefined && { comments }),
  }
}
