import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, test } from 'vitest'
import { startBench, type Bench } from './bench.ts'

const bin = fileURLToPath(new URL('../../src/bin.ts', import.meta.url))

/** A client whose person answers every question in the same way. */
async function connect(bench: Bench, mode: 'auto' | 'legacy', says: 'yes' | 'no' | 'decline') {
  const env = {
    MAL_ACCESS_TOKEN: bench.token,
    MAL_API_BASE_URL: bench.apiBaseUrl,
    MAL_DATA_DIR: bench.folder,
    MAL_TOOLSETS: 'all',
    MAL_REQUESTS_PER_SECOND: '1000',
  }
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: {} } },
  )
  const questions: string[] = []
  client.setRequestHandler('elicitation/create', ({ params }) => {
    questions.push(params.message)
    return says === 'decline' ? { action: 'decline' } : { action: 'accept', content: { choice: says } }
  })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [bin], env }))
  return { client, questions, [Symbol.asyncDispose]: () => client.close() }
}

describe.each(['auto', 'legacy'] as const)('where the person can be asked (%s)', (mode) => {
  test.each(['no', 'decline'] as const)('nothing is removed against their will (%s)', async (says) => {
    await using bench = await startBench()
    await using asking = await connect(bench, mode, says)
    const before = await bench.truth('anime')
    const [id] = [...before.keys()]
    const single = await asking.client.callTool({ name: 'delete_entry', arguments: { id } })
    expect(single).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('did not agree') }] })
    const plan = await asking.client.callTool({ name: 'delete_entries', arguments: { ids: [id] } })
    const planId = Object.assign({ plan_id: '' }, plan.structuredContent).plan_id
    const applied = await asking.client.callTool({ name: 'apply_plan', arguments: { plan_id: planId } })
    expect(applied).toMatchObject({ isError: true })
    expect(asking.questions).toHaveLength(2)
    expect(await bench.truth('anime')).toEqual(before)
  })

  test('what they agree to is done, once, and what removes nothing is not asked about', async () => {
    await using bench = await startBench()
    await using asking = await connect(bench, mode, 'yes')
    const before = await bench.truth('anime')
    const [id = 0, other] = [...before.keys()]
    await asking.client.callTool({ name: 'update_anime', arguments: { id: other, priority: 2, score: 3 } })
    expect(asking.questions).toEqual([])
    const removed = await asking.client.callTool({ name: 'delete_entry', arguments: { id } })
    expect(removed.structuredContent).toMatchObject({ id, removed: true })
    expect(asking.questions).toEqual([expect.stringContaining('Remove this from the anime list?')])
    for (let undone = 0; undone < 2; undone += 1) await asking.client.callTool({ name: 'mal_undo', arguments: {} })
    expect(await bench.truth('anime')).toEqual(before)
  })
})

test('a read-only server has no tool that changes anything', async () => {
  await using bench = await startBench()
  const changing = ['update_anime', 'delete_entry', 'mal_undo', 'plan_bulk_update', 'apply_plan', 'resume_operation']
  const server = bench.another({ readOnly: true })
  for (const name of changing) expect((await bench.call(name, {}, { server })).structured).toEqual({})
  expect((await bench.call('list_operations', {}, { server })).text).toBe('No operations yet.')
})
