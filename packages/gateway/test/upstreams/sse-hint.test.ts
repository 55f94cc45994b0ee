import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { UpstreamId } from '../../src/base/ids.ts'
import { createPools } from '../../src/http/outbound.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { createChildren } from '../../src/upstreams/children/pool.ts'
import { createBuiltinStore } from '../../src/upstreams/builtin-store.ts'
import type { UpstreamDefinition } from '../../src/upstreams/definition.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import { openTransport } from '../../src/upstreams/transports/open.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'
import { newDirectory } from '../stores/databases.ts'
import { failureOf, logInto, textOf, toolCall, usual } from './children-harness.ts'
import { callerOf, createHttpScene } from './http-scene.ts'
import { startEverythingSse, startScriptedSse } from './sse-harness.ts'

/** The transports as the gate opens them. */
async function openPlace() {
  const scene = await createHttpScene()
  const pools = createPools({ connections: 4, connectMs: 5_000 })
  const streamPools = createPools({ connections: 100, connectMs: 5_000 })
  const log = logInto([])
  const settings = { ...usual }
  const greet = createGreet(upstreamEras)
  const children = createChildren({ clock: systemClock, log, settings, stateDir: newDirectory().dataDir, greet })
  const open = openTransport({
    children,
    pools,
    streamPools,
    store: scene.store,
    builtinStore: createBuiltinStore({ storage: scene.storage, clock: systemClock }),
    eras: upstreamEras,
    clock: systemClock,
    random: randomBytes,
    log,
    answerBytes: 1_000_000,
    onNotification() {},
    onDone() {},
    builtins: {},
  })
  return {
    open: (url: string, more: { sse?: boolean } = {}) =>
      open({ ...common, kind: 'http', url: { kind: 'text', text: url }, ...more }),
    async [Symbol.asyncDispose]() {
      await Promise.all([pools.close(), streamPools.close(), children.close()])
      await scene[Symbol.asyncDispose]()
    },
  }
}

const common = {
  id: 'old' as UpstreamId,
  service: undefined,
  link: undefined,
  timeoutMs: 5_000,
  startTimeoutMs: 5_000,
  headers: {},
} satisfies Partial<UpstreamDefinition>

const me = callerOf()

describe('an address of HTTP+SSE', () => {
  test('whose type was left out is named as such, with what to write, and is not spoken with', async () => {
    await using place = await openPlace()
    await using server = await startEverythingSse()
    const transport = place.open(server.url)
    const failures = [
      await failureOf(transport.send(toolCall('echo', { message: 'x' }), me)),
      await failureOf(
        transport.describe({ era: 'modern', client: PLAIN_CLIENT, signal: new AbortController().signal }, me),
      ),
    ]
    for (const { code, fix } of failures) {
      expect(code).toBe('upstream.older_transport')
      expect(fix).toContain('"type": "sse"')
    }
    await transport.close()
  })

  test('is looked at once, not with every call', async () => {
    await using place = await openPlace()
    await using server = await startScriptedSse({ status: () => 405 })
    const transport = place.open(server.url)
    for (let count = 0; count < 3; count++) {
      expect((await failureOf(transport.send(toolCall('echo'), me))).code).toBe('upstream.older_transport')
    }
    expect(server.connections).toHaveLength(1)
    await transport.close()
  })

  test('that is configured as one is spoken with', async () => {
    await using place = await openPlace()
    await using server = await startEverythingSse()
    const transport = place.open(server.url, { sse: true })
    const answer = await transport.send(toolCall('echo', { message: 'hello' }), me)
    expect(answer.kind === 'whole' && textOf(answer.bytes.toString())).toBe('Echo: hello')
    expect(transport.startedAt(me)).toBe(0)
    await transport.close()
  })
})

test('an address of neither kind is as unknown as before', async () => {
  await using place = await openPlace()
  await using server = await startScriptedSse({
    status: () => 404,
    refuse(_request, response) {
      response.writeHead(404).end()
      return true
    },
  })
  const transport = place.open(server.url)
  expect((await failureOf(transport.send(toolCall('echo'), me))).code).toBe('upstream.unsupported')
  await transport.close()
})
