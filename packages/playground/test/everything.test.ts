import { Client, StreamableHTTPClientTransport, type ClientCapabilities } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test, vi } from 'vitest'
import { createEverythingHandler } from '../src/everything/server.ts'
import { startEverything } from '../src/everything/http.ts'

describe('a 2026-07-28 client', () => {
  test('lists, calls and hears progress', async () => {
    await using everything = await startEverything({ port: 0 })
    await using client = await connect(everything.url)

    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toContain('test_simple_text')

    const heard: number[] = []
    const result = await client.callTool(
      { name: 'test_tool_with_progress' },
      { onprogress: ({ progress }) => heard.push(progress) },
    )
    expect(result.isError).not.toBe(true)
    expect(heard).toEqual([0, 50, 100])
  })

  test('answers questions in several rounds of one call, prompt or read', async () => {
    await using everything = await startEverything({ port: 0 })
    await using client = await connect(everything.url, { elicitation: {} })
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: params.message.includes('color')
        ? { color: 'blue' }
        : { name: 'Ada', context: 'tea', reason: 'curiosity' },
    }))

    expect(said(await client.callTool({ name: 'test_input_required_result_multi_round' }))).toBe('Ada likes blue.')
    expect((await client.getPrompt({ name: 'test_input_required_result_prompt' })).messages).toMatchObject([
      { content: { text: 'Context: tea' } },
    ])
    expect((await client.readResource({ uri: 'test://guarded-resource' })).contents).toMatchObject([
      { text: 'Read because: curiosity' },
    ])
  })

  test('is never asked for what it cannot do', async () => {
    await using everything = await startEverything({ port: 0 })
    await using client = await connect(everything.url)
    await expect(client.callTool({ name: 'test_sampling', arguments: { prompt: 'Hello' } })).rejects.toMatchObject({
      code: -32021,
    })
  })

  test('hears of a tool that came and went', async () => {
    await using everything = await startEverything({ port: 0 })
    await using client = await connect(everything.url)
    const changed = vi.fn<() => void>()
    client.setNotificationHandler('notifications/tools/list_changed', changed)
    await client.listen({ toolsListChanged: true })

    await client.callTool({ name: 'test_trigger_tool_change' })
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
    expect(said(await client.callTool({ name: 'comes_and_goes' }))).toBe('Here I am')

    await client.callTool({ name: 'test_trigger_tool_change' })
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2))
    expect((await client.listTools()).tools.map((tool) => tool.name)).not.toContain('comes_and_goes')
  })

  test('sees which credential arrived, and that a cancelled call stops', async () => {
    await using everything = await startEverything({ port: 0 })
    await using client = await connect(everything.url)

    const headers: unknown = JSON.parse(said(await client.callTool({ name: 'echo_headers' })))
    expect(headers).toMatchObject({ authorization: 'Bearer of-ada', 'mcp-name': 'echo_headers' })

    const impatience = new AbortController()
    const call = client.callTool(
      { name: 'slow', arguments: { ms: 60_000, label: 'modern' } },
      { signal: impatience.signal },
    )
    await vi.waitFor(async () => expect(await slowCalls(client)).toEqual([{ label: 'modern', outcome: 'running' }]))
    impatience.abort()
    await expect(call).rejects.toThrow(/abort/i)
    await vi.waitFor(async () => expect(await slowCalls(client)).toEqual([{ label: 'modern', outcome: 'stopped' }]))
  })
})

describe('a client of an older revision', () => {
  test('lists, calls and hears progress in its session', async () => {
    await using everything = await startEverything({ port: 0 })
    await using session = await connectOld(everything.url)

    const { tools } = await session.client.listTools()
    expect(tools.map((tool) => tool.name)).toContain('test_simple_text')

    const heard: number[] = []
    await session.client.callTool({ name: 'test_tool_with_progress' }, undefined, {
      onprogress: ({ progress }) => heard.push(progress),
    })
    expect(heard).toEqual([0, 50, 100])
  })

  test('is asked through a request on its session', async () => {
    await using everything = await startEverything({ port: 0 })
    await using session = await connectOld(everything.url)
    session.client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))

    const result = await session.client.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } })
    expect(result.content).toMatchObject([{ text: 'User response: action=decline, content={}' }])
  })

  test('hears of the resources it subscribed to, and of no others', async () => {
    await using everything = await startEverything({ port: 0 })
    await using watcher = await connectOld(everything.url)
    await using other = await connectOld(everything.url)
    const [heard, overheard] = [vi.fn<() => void>(), vi.fn<() => void>()]
    watcher.client.setNotificationHandler(ResourceUpdatedNotificationSchema, heard)
    other.client.setNotificationHandler(ResourceUpdatedNotificationSchema, overheard)

    await watcher.client.subscribeResource({ uri: 'test://watched-resource' })
    await other.client.callTool({ name: 'touch_resource' })

    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
    expect(overheard).not.toHaveBeenCalled()
  })

  test('stops a call by cancelling it', async () => {
    await using everything = await startEverything({ port: 0 })
    await using session = await connectOld(everything.url)
    await using observer = await connect(everything.url)

    const impatience = new AbortController()
    const slow = { name: 'slow', arguments: { ms: 60_000, label: 'old' } }
    const call = session.client.callTool(slow, undefined, { signal: impatience.signal })
    await vi.waitFor(async () => expect(await slowCalls(observer)).toEqual([{ label: 'old', outcome: 'running' }]))
    impatience.abort()
    await expect(call).rejects.toThrow(/abort/i)
    await vi.waitFor(async () => expect(await slowCalls(observer)).toEqual([{ label: 'old', outcome: 'stopped' }]))
  })

  test('finds its session gone after ending it', async () => {
    await using everything = await startEverything({ port: 0 })
    await using session = await connectOld(everything.url)
    const id = session.transport.sessionId ?? ''
    await session.transport.terminateSession()

    const answer = await post(everything.url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': id })
    expect(answer.status).toBe(404)
  })
})

test('a page whose name was rebound to this machine is refused', async () => {
  await using everything = await startEverything({ port: 0 })
  const answer = await post(
    everything.url,
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { origin: 'http://evil.example' },
  )
  expect(answer.status).toBe(403)
})

test('the handler alone answers 2026-07-28 in process, and nothing older', async () => {
  const handler = createEverythingHandler()
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://everything.invalid/mcp'), {
      fetch: (url, init) => handler.fetch(new Request(url, init)),
    }),
  )
  expect(said(await client.callTool({ name: 'test_simple_text' }))).toContain('simple text')
  await client.close()

  const old = new Request('http://everything.invalid/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
  expect((await handler.fetch(old)).status).toBe(400)
  await handler.close()
})

async function connect(url: string, capabilities: ClientCapabilities = {}) {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  )
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: 'Bearer of-ada' } } }),
  )
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

async function connectOld(url: string) {
  const client = new OldClient({ name: 'test', version: '1' }, { capabilities: { elicitation: {}, sampling: {} } })
  const transport = new OldTransport(new URL(url))
  await client.connect(transport)
  return { client, transport, [Symbol.asyncDispose]: () => client.close() }
}

function post(url: string, message: object, headers: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(message),
  })
}

function said({ content }: { content: readonly { type: string; text?: unknown }[] }): string {
  return content.map((block) => String(block.text)).join('')
}

async function slowCalls(client: Client): Promise<unknown> {
  return JSON.parse(said(await client.callTool({ name: 'slow_calls' })))
}
