import { startEverything } from '@sekisho/playground/everything/http'
import { describe, expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { addPerson, childServer, doorOf, personalServer, referenceServer, tokenOf, until } from './place.ts'
import { startScripted, type Answer, type Asked } from './scripted.ts'
import { clients } from './sdk-clients.ts'
import { errorOf, namesOf, send, tell, textFrom } from './wire.ts'

const withToken = { TOKEN: { $userToken: '{{token}}' } }

describe.each(clients)('%s, unchanged,', (_name, connect) => {
  test('lists and calls servers of every kind through /mcp, hears progress, and stops a call it gives up', async () => {
    await using everything = await startEverything({ port: 0 })
    await using gate = await startGate({
      config: {
        mcpServers: {
          http: personalServer(everything.url),
          stdio: referenceServer(withToken),
          builtin: { builtin: 'everything' },
        },
      },
    })
    const ada = await addPerson(gate, 'ada', ['http', 'stdio'])
    await using client = await connect(`${gate.url}/mcp`, ada.key)

    const names = await client.names()
    expect(names).toEqual(
      expect.arrayContaining(['sekisho_status', 'http__echo_headers', 'stdio__get-env', 'builtin__test_simple_text']),
    )
    expect(await client.call('http__echo_headers')).toContain(tokenOf('ada', 'http'))
    expect(await client.call('stdio__get-env')).toContain(tokenOf('ada', 'stdio'))
    expect(await client.call('builtin__test_simple_text')).toBe('This is a simple text response for testing.')
    expect(await client.call('sekisho_status')).toContain('3 of 3 servers are ready.')

    for (const server of ['http', 'builtin']) {
      const heard: number[] = []
      const onprogress = ({ progress }: { progress: number }) => void heard.push(progress)
      await client.call(`${server}__test_tool_with_progress`, {}, { onprogress })
      expect([server, heard]).toEqual([server, [0, 50, 100]])
    }
    const steps: number[] = []
    await client.call(
      'stdio__trigger-long-running-operation',
      { duration: 0.2, steps: 2 },
      { onprogress: ({ progress }) => void steps.push(progress) },
    )
    expect(steps).toEqual([1, 2])

    for (const server of ['http', 'builtin']) {
      const impatience = new AbortController()
      const slow = client.call(`${server}__slow`, { ms: 600_000, label: server }, { signal: impatience.signal })
      const outcome = slow.then(
        () => 'answered',
        () => 'given up',
      )
      const calls = () => client.call(`${server}__slow_calls`)
      await until(async () => (await calls()) === JSON.stringify([{ label: server, outcome: 'running' }]))
      impatience.abort()
      expect(await outcome).toBe('given up')
      await until(async () => (await calls()) === JSON.stringify([{ label: server, outcome: 'stopped' }]))
    }
  })

  test('reads a list of 1500 tools to its end, and calls the last', async () => {
    await using upstream = await startScripted(inPages)
    await using gate = await startGate({ config: { mcpServers: { many: { url: upstream.url } } } })
    const ada = await addPerson(gate, 'ada')
    await using client = await connect(`${gate.url}/mcp`, ada.key)

    const names = await client.names()
    expect(names).toEqual(['sekisho_status', ...toolNames.map((name) => `many__${name}`)])
    expect(await client.call('many__tool_1499')).toBe('this is tool_1499')
  })
})

const toolNames = Array.from({ length: 1_500 }, (_, index) => `tool_${index}`)
const PAGE = 400

/** A server that gives its tools a page at a time. */
function inPages({ method, body, name }: Asked): Answer {
  if (method === 'server/discover')
    return { result: '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}' }
  if (method === 'initialize')
    return {
      result:
        '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"pages","version":"1"}}',
    }
  if (method === 'tools/call')
    return { result: `{"resultType":"complete","content":[{"type":"text","text":"this is ${name}"}]}` }
  const { params }: { params?: { cursor?: string } } = JSON.parse(body.toString())
  const from = Number(params?.cursor ?? 0)
  const tools = toolNames.slice(from, from + PAGE).map((tool) => ({ name: tool, inputSchema: { type: 'object' } }))
  const next = from + PAGE < toolNames.length ? { nextCursor: String(from + PAGE) } : {}
  return { result: JSON.stringify({ resultType: 'complete', tools, ttlMs: 60_000, cacheScope: 'public', ...next }) }
}

test('a call that its client cancelled is answered as cancelled, over HTTP, stdio or in the gate itself', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({
    config: {
      mcpServers: { http: { url: everything.url }, builtin: { builtin: 'everything' }, stdio: childServer() },
    },
  })
  const ada = await addPerson(gate, 'ada')
  const door = doorOf(gate, ada, 'legacy')
  for (const [tool, shown] of [
    ['http__slow', 'http__slow_calls'],
    ['builtin__slow', 'builtin__slow_calls'],
    ['stdio__hang', 'stdio__waiting'],
  ] as const) {
    const slow = send(door, 'tools/call', { name: tool, arguments: { ms: 600_000, label: 'mine' } }, { id: tool })
    await until(async () => (await textFrom(door, shown)).includes('mine'))
    await tell(door, 'notifications/cancelled', { requestId: tool })
    expect([tool, errorOf(await slow)]).toMatchObject([tool, { data: { code: 'request.cancelled' } }])
    await until(async () => !/running|^\["mine"\]$/.test(await textFrom(door, shown)))
  }
})

test('a stdio server that says its tools have changed is listed anew the next time', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } } })
  const [ada, bob] = [await addPerson(gate, 'ada'), await addPerson(gate, 'bob')]
  const door = doorOf(gate, ada)
  expect(await namesOf(door)).not.toContain('own__grown_tool')
  await namesOf(doorOf(gate, bob))

  await textFrom(door, 'own__grow')
  expect(await namesOf(door)).toContain('own__grown_tool')
  expect(await textFrom(door, 'own__grown_tool')).toBe('this is grown_tool')
  // The change was that of her own child.
  expect(await namesOf(doorOf(gate, bob))).not.toContain('own__grown_tool')
})

const LONG_NAMES = [
  'x'.repeat(64),
  `${'x'.repeat(63)}y`,
  'a_tool_whose_name_is_so_long_that_no_client_takes_it_with_a_prefix_before_it_and_then_some_more',
  'a_tool_whose_name_is_so_long_that_no_client_takes_it_with_a_prefix_before_it_and_then_some_less',
  'with.dots.and/slashes',
  'with_dots_and_slashes',
  'mit Umlauten äöü und 日本語',
  'q',
]

test('every name fits 64 characters behind mcp__sekisho__, no two are the same, and each reaches its own tool', async () => {
  const named = childServer({ ONLY_ARGS: 'yes' })
  const server = { ...named, args: [...named.args, ...LONG_NAMES] }
  const mcpServers = { short: server, 'a-name-of-24-characters0': server, 'a-name-of-24-characters1': server }
  await using gate = await startGate({ config: { mcpServers } })
  const ada = await addPerson(gate, 'ada')
  const door = doorOf(gate, ada)

  const names = (await namesOf(door)).slice(1)
  expect(names).toHaveLength(3 * LONG_NAMES.length)
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length)
  for (const name of names) expect(`mcp__sekisho__${name}`).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
  const answers = await Promise.all(names.map((name) => textFrom(door, name)))
  expect(answers).toEqual([...LONG_NAMES, ...LONG_NAMES, ...LONG_NAMES].map((name) => `this is ${name}`))
})
