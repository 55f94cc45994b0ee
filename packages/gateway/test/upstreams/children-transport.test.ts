import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { secret } from '../../src/base/secret.ts'
import type { UpstreamId } from '../../src/base/ids.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import type { Launch } from '../../src/upstreams/children/launch.ts'
import { createChildren } from '../../src/upstreams/children/pool.ts'
import type { Caller } from '../../src/upstreams/transport.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'
import { createStdioTransport } from '../../src/upstreams/transports/stdio.ts'
import { ada, bob, exchangeOf, failureOf, lives, logInto, odd, textOf, toolCall, usual } from './children-harness.ts'

const require = createRequire(import.meta.url)
const everything = require.resolve('@modelcontextprotocol/server-everything/dist/index.js')
const memory = require.resolve('@modelcontextprotocol/server-memory/dist/index.js')

const adaCalls: Caller = { tenant: ada.tenant, userId: ada.userId, token: secret('ada-token') }
const bobCalls: Caller = { tenant: bob.tenant, userId: bob.userId, token: secret('bob-token') }

function openTransport(launchFor: (caller: Caller) => Launch, shared = false) {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-stdio-'))
  const children = createChildren({
    clock: systemClock,
    log: logInto([]),
    settings: usual,
    stateDir,
    greet: createGreet(upstreamEras),
  })
  const transport = createStdioTransport({
    children,
    upstream: 'real' as UpstreamId,
    shared,
    launchFor,
  })
  return {
    children,
    transport,
    stateDir,
    async send(exchange: ReturnType<typeof exchangeOf>, caller: Caller) {
      const answer = await transport.send(exchange, caller)
      return answer.kind === 'whole' ? answer.bytes.toString() : Promise.reject(new Error('streamed'))
    },
    async [Symbol.asyncDispose]() {
      await children.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

const node = (script: string, env: Record<string, string> = {}): Launch => ({
  command: process.execPath,
  args: [script],
  env,
})

describe('real servers over stdio', () => {
  test('everything: tools are listed and called, each user with the token of their own child', async () => {
    await using open = openTransport((caller) => node(everything, { TOKEN: caller.token?.reveal() ?? '' }))
    const list = exchangeOf('{"jsonrpc":"2.0","id":"l","method":"tools/list","params":{}}')
    expect(JSON.parse(await open.send(list, adaCalls))).toMatchObject({ id: 'l', result: { tools: expect.any(Array) } })
    const envs = await Promise.all([adaCalls, bobCalls].map((caller) => open.send(toolCall('get-env'), caller)))
    expect(envs.map((env) => JSON.parse(textOf(env)).TOKEN)).toEqual(['ada-token', 'bob-token'])
    expect(open.children.list()).toMatchObject([{ state: 'ready' }, { state: 'ready' }])
  })

  test('everything: progress of a long operation reaches its client under the token it gave', async () => {
    await using open = openTransport(() => node(everything))
    const seen: string[] = []
    const params = {
      _meta: { progressToken: 'mine' },
      name: 'trigger-long-running-operation',
      arguments: { duration: 0.3, steps: 3 },
    }
    const json = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params })
    const answer = await open.send(
      exchangeOf(json, { notify: (message) => void seen.push(message.toString()) }),
      adaCalls,
    )
    expect(JSON.parse(answer)).toMatchObject({ id: 5, result: { content: [{ type: 'text' }] } })
    expect(seen.map((each) => JSON.parse(each).params)).toMatchObject(
      [1, 2, 3].map((progress) => ({ progressToken: 'mine', progress, total: 3 })),
    )
  })

  test('memory: what one user has it remember, another does not see', async () => {
    await using open = openTransport((caller) =>
      node(memory, { MEMORY_FILE_PATH: join(open.stateDir, `${caller.userId}.jsonl`) }),
    )
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote the first program'] }]
    await open.send(toolCall('create_entities', { entities }), adaCalls)
    expect(await open.send(toolCall('read_graph'), adaCalls)).toContain('first program')
    expect(await open.send(toolCall('read_graph'), bobCalls)).not.toContain('first program')
  })
})

describe('a server that speaks only the newer era', () => {
  test('is asked in it, each request with who asks, and the next child is greeted in it at once', async () => {
    await using open = openTransport(() => odd('modern'))
    const answer = await open.transport.send(toolCall('line', { kept: 'as it is' }), adaCalls)
    if (answer.kind !== 'whole') throw new Error('streamed')
    expect(answer.era).toBe('modern')
    const line: { params: object } = JSON.parse(textOf(answer.bytes.toString()))
    expect(line.params).toMatchObject({
      arguments: { kept: 'as it is' },
      _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
    })
    const next: { id: number } = JSON.parse(textOf(await open.send(toolCall('line'), bobCalls)))
    expect(next.id).toBe(2)
  })

  test('or speaks none the gate knows, is refused with that reason', async () => {
    await using open = openTransport(() => odd('no-era'))
    expect((await failureOf(open.send(toolCall('pid'), adaCalls))).code).toBe('upstream.unsupported')
  })
})

describe('the transport', () => {
  test('a shared child serves all users of a tenant', async () => {
    await using open = openTransport(() => odd(), true)
    const pids = await Promise.all([adaCalls, bobCalls].map((caller) => open.send(toolCall('pid'), caller)))
    expect(textOf(pids[0] ?? '')).toBe(textOf(pids[1] ?? ''))
    expect(open.children.list().map(({ userId }) => userId)).toEqual([undefined])
  })

  test('closes with all its children, after what was in flight', async () => {
    await using open = openTransport(() => odd())
    const pid = Number(textOf(await open.send(toolCall('pid'), adaCalls)))
    const slow = open.send(toolCall('slow', { ms: 200 }), adaCalls)
    await open.transport.close()
    expect(textOf(await slow)).toBe('done')
    expect(lives(pid)).toBe(false)
    expect((await failureOf(open.send(toolCall('pid'), adaCalls))).code).toBe('gate.stopping')
  })
})
