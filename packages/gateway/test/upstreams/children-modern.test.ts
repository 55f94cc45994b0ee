import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { createChildren } from '../../src/upstreams/children/pool.ts'
import type { Launch } from '../../src/upstreams/children/launch.ts'
import { PLAIN_CLIENT, type ClientView } from '../../src/upstreams/client.ts'
import type { Caller } from '../../src/upstreams/transport.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'
import { createStdioTransport } from '../../src/upstreams/transports/stdio.ts'
import { ada, createWatcher, interestsOf, logInto, odd, textOf, toolCall, until, usual } from './children-harness.ts'

const MODERN = fileURLToPath(new URL('fixtures/modern-server.mjs', import.meta.url))
const asAda: Caller = { tenant: ada.tenant, userId: ada.userId, token: undefined }

interface Seen {
  readonly id?: number
  readonly method: string
  readonly params: { readonly notifications?: object; readonly requestId?: number; readonly _meta?: object }
}

const modern: Launch = { command: process.execPath, args: [MODERN], env: {} }

function openTransport(launch = modern) {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-modern-'))
  const told: string[] = []
  const children = createChildren({
    clock: systemClock,
    log: logInto([]),
    settings: usual,
    stateDir,
    greet: createGreet(upstreamEras),
    onNotification: ({ method }) => void told.push(method),
  })
  const transport = createStdioTransport({ children, upstream: ada.upstream, shared: false, launchFor: () => launch })
  async function tool(name: string, args: object = {}, client: ClientView = PLAIN_CLIENT): Promise<unknown> {
    const answer = await transport.send(toolCall(name, args, { client }), asAda)
    if (answer.kind !== 'whole') return undefined
    const text = textOf(answer.bytes.toString())
    return /^[[{"]/.test(text) ? JSON.parse(text) : text
  }
  return {
    children,
    transport,
    told,
    tool,
    /** The gate's own requests and notifications that the server got, after its discovery. */
    seen: async (): Promise<Seen[]> => {
      const all = (await tool('seen')) as Seen[]
      return all.filter(({ method }) => method.startsWith('subscriptions/') || method === 'notifications/cancelled')
    },
    async [Symbol.asyncDispose]() {
      await children.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

describe('a child of the newer era', () => {
  test('is asked by one open request for all that is wanted, and by another for something else', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    const wanted = interestsOf(['tools', 'prompts'], ['odd://a'])
    expect(await watching.update(wanted)).toEqual(interestsOf(['tools'], ['odd://a']))
    await open.tool('change')
    await open.tool('update', { uri: 'odd://a' })
    await open.tool('update', { uri: 'odd://b' })
    await until(() => heard.length === 2)
    expect(heard).toEqual(['tools/list_changed', 'resources/updated odd://a'])

    await watching.update(interestsOf(['tools'], ['odd://b']))
    const before = await open.seen()
    expect(before.map(({ method }) => method)).toEqual([
      'subscriptions/listen',
      'subscriptions/listen',
      'notifications/cancelled',
    ])
    expect(before.map(({ params }) => params.notifications)).toEqual([
      { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['odd://a'] },
      { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['odd://b'] },
      undefined,
    ])
    expect(before[2]?.params.requestId).toBe(before[0]?.id)
    await open.tool('update', { uri: 'odd://b' })
    await until(() => heard.length === 3)
    watching.close()
    await until(async () => (await open.seen()).length === 5)
  })

  test('tells listeners without the id of the gate’s own request, which means nothing to them', async () => {
    await using open = openTransport()
    const messages: string[] = []
    const { watcher } = createWatcher(['tools'], ['odd://a'], {
      notify: (message) => void messages.push(message.toString()),
    })
    const watching = open.transport.watch(watcher, asAda)
    await watching.update(watcher.interests)
    await open.tool('change')
    await until(() => messages.length === 1)
    expect(messages[0]).not.toContain('subscriptionId')
  })

  test('tells the gate of its lists though nobody else listens', async () => {
    await using open = openTransport()
    await open.tool('change')
    await until(() => open.told.length === 1)
    expect(open.told).toEqual(['notifications/tools/list_changed'])
  })

  test('is asked again, for the same, when another takes its place', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    await watching.update(interestsOf(['tools'], ['odd://a']))
    process.kill(open.children.list()[0]?.pid ?? 0, 'SIGKILL')
    await until(() => heard.includes('tools/list_changed'))
    await open.tool('update', { uri: 'odd://a' })
    await until(() => heard.includes('resources/updated odd://a'))
    expect(heard).toEqual(['tools/list_changed', 'resources/updated odd://a'])
  })

  test('that ends what it was asked for is asked again, and its lists may have changed meanwhile', async () => {
    await using open = openTransport(odd('listening'))
    const { heard, watcher } = createWatcher(['tools'])
    open.transport.watch(watcher, asAda)
    await open.tool('endListens')
    expect(heard).toEqual([])
    await until(() => heard.length === 1)
    expect(heard).toEqual(['tools/list_changed'])
    expect(await open.tool('asked')).toEqual(['subscriptions/listen', 'subscriptions/listen'])
  })

  test('is told the level in each request that wants log messages, and by none of the gate’s own', async () => {
    await using open = openTransport()
    await open.tool('change', {}, { ...PLAIN_CLIENT, logLevel: 'debug' })
    const all = (await open.tool('seen')) as Seen[]
    expect(all.map(({ method }) => method)).not.toContain('logging/setLevel')
  })

  test('says what it can do', async () => {
    await using open = openTransport()
    const asking = { era: 'modern' as const, client: PLAIN_CLIENT, signal: new AbortController().signal }
    expect(await open.transport.describe(asking, asAda)).toMatchObject({
      era: 'modern',
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
      instructions: 'be modern',
      serverInfo: { name: 'modern' },
    })
  })

  test('is told nothing outside of requests', async () => {
    await using open = openTransport()
    await open.tool('change')
    open.transport.tell(
      Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'),
      PLAIN_CLIENT,
      asAda,
    )
    const all = (await open.tool('seen')) as Seen[]
    expect(all.map(({ method }) => method)).not.toContain('notifications/roots/list_changed')
  })
})
