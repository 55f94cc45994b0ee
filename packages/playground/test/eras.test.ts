import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, test, vi } from 'vitest'
import { startEverything, type Eras } from '../src/everything/http.ts'
import { createCaller } from './modern-calls.ts'

const BIN = join(import.meta.dirname, '../src/everything/bin.ts')

describe('a server of one era', () => {
  test('with sessions only has never heard of 2026-07-28', async () => {
    await using everything = await startEverything({ port: 0, era: 'legacy' })
    expect(await createCaller(everything.url, {}).error('server/discover', {})).toMatchObject({ code: -32000 })

    await using client = await connect(everything.url, 'auto')
    expect(client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
  })

  test('without sessions refuses initialize, naming what it speaks', async () => {
    await using everything = await startEverything({ port: 0, era: 'modern' })
    await expect(connect(everything.url, 'legacy')).rejects.toThrow(/-32022|Unsupported protocol version/)

    await using client = await connect(everything.url, 'auto')
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  })
})

describe('over pipes', () => {
  test.each([
    ['legacy', '2025-11-25'],
    ['modern', '2026-07-28'],
  ] as const)('a server of the era %s asks its client in mid-call', async (era, revision) => {
    await using client = await connectStdio(era)
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }))
    const result = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who are you?' } })
    expect(result.content).toMatchObject([{ text: 'User response: action=decline, content={}' }])
  })

  test.each(['legacy', 'modern'] as const)('a server of the era %s tells what changed', async (era) => {
    await using client = await connectStdio(era)
    const changed = vi.fn<() => void>()
    client.setNotificationHandler('notifications/tools/list_changed', changed)
    if (era === 'modern') await client.listen({ toolsListChanged: true })
    await client.callTool({ name: 'test_trigger_tool_change' })
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
  })
})

test.each(['legacy', 'modern'] as const)('skills are offered in the era %s', async (era) => {
  await using everything = await startEverything({ port: 0, era })
  await using client = await connect(everything.url, 'auto')
  const { resources } = await client.listResources()
  expect(resources.map(({ uri }) => uri)).toContain('skill://tea-making/SKILL.md')
  const { contents } = await client.readResource({ uri: 'skill://tea-making/references/LEAVES.md' })
  expect(contents).toMatchObject([{ text: expect.stringContaining('Green: two minutes') }])
})

async function connect(url: string, mode: 'auto' | 'legacy') {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

async function connectStdio(era: Eras) {
  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities: { elicitation: {} },
      versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
    },
  )
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [BIN, '--stdio', '--era', era] }))
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}
