import { describe, expect, test } from 'vitest'
import { tools } from '../src/tools/table.ts'
import { toolsets, type Toolset } from '../src/tools/tool.ts'
import { readMessages, requestOf, startBench } from './support/call.ts'

const namesIn = (sets: readonly Toolset[], { readOnly = false } = {}) =>
  tools
    .filter(({ toolset, effect }) => sets.includes(toolset) && (effect === 'reads' || !readOnly))
    .map(({ name }) => name)
    .sort()

async function listed(settings: Parameters<typeof startBench>[0], headers: Record<string, string> = {}) {
  await using bench = await startBench(settings)
  const request = requestOf('tools/list', {})
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value)
  const response = await bench.handler.fetch(request)
  if (response.status !== 200) return response.status
  return readMessages(await response.text())[0]
    ?.result?.tools?.map(({ name }) => name)
    .sort()
}

describe('what is offered', () => {
  test('is core, what the settings say, or what a request asks for', async () => {
    expect(await listed({})).toEqual(namesIn(['core']))
    expect(await listed({ toolsets: new Set(['core', 'community']) })).toEqual(namesIn(['core', 'community']))
    expect(await listed({}, { 'x-mcp-toolsets': 'discover, Account' })).toEqual(namesIn(['discover', 'account']))
    expect(await listed({}, { 'x-mcp-toolsets': 'all' })).toEqual(namesIn(toolsets))
    expect(await listed({}, { 'x-mcp-toolsets': 'everything' })).toBe(400)
  })

  test('changes nothing where the server or the request is read-only, and a request cannot undo the first', async () => {
    const all = new Set(toolsets)
    expect(await listed({ toolsets: all, readOnly: true })).toEqual(namesIn(toolsets, { readOnly: true }))
    expect(await listed({ toolsets: all }, { 'x-mcp-readonly': 'true' })).toEqual(namesIn(toolsets, { readOnly: true }))
    expect(await listed({ toolsets: all, readOnly: true }, { 'x-mcp-readonly': 'false' })).toEqual(
      namesIn(toolsets, { readOnly: true }),
    )
  })

  test.for([
    [true, '1'],
    [true, 'yes'],
    [true, 'On'],
    [true, 'true, true'],
    [true, 'false, true'],
    [false, 'FALSE'],
    [false, '0, false'],
    [false, ''],
  ] as const)('changes nothing for any word that is not a no: %s for %j', async ([readOnly, word]) => {
    expect(await listed({}, { 'x-mcp-readonly': word })).toEqual(namesIn(['core'], { readOnly }))
  })

  test('a tool that is not offered is not there to be called', async () => {
    await using bench = await startBench({ readOnly: true })
    const { text, isError, status } = await bench.call('update_anime', { id: 1, score: 1 })
    expect({ called: isError || text === '', status }).toMatchObject({ called: true })
    expect(bench.mal.seen).toEqual([])
  })

  test('every tool has a name, a title, a description and schemas of its own', () => {
    expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length)
    for (const { name, title, description, output, effect, idempotent } of tools) {
      expect(name).toMatch(/^[a-z][a-z_]{2,49}$/)
      expect(title.length).toBeGreaterThan(3)
      expect(description.length).toBeGreaterThan(30)
      expect(Object.keys(output.shape).length).toBeGreaterThan(0)
      expect(effect !== 'reads' || idempotent === undefined).toBe(true)
    }
  })
})
