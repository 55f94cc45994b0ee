import { createEverythingHandler } from '@sekisho/playground/everything'
import { describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { PLAIN_CLIENT, type ClientView } from '../../src/upstreams/client.ts'
import type { Caller, Exchange } from '../../src/upstreams/transport.ts'
import { createBuiltinTransport, type BuiltinServer } from '../../src/upstreams/transports/builtin.ts'
import {
  ada,
  bob,
  createWatcher,
  exchangeOf,
  failureOf,
  interestsOf,
  logInto,
  toolCall,
  until,
} from './children-harness.ts'

const asAda: Caller = { tenant: ada.tenant, userId: ada.userId, token: secret('old') }
const asBob: Caller = { ...asAda, userId: bob.userId }
const listing = () => exchangeOf('{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}', { era: 'modern' })

/** The everything server in this process; notes down which requests came, with which token. */
function openTransport(failures = 0, serverFor: () => BuiltinServer = createEverythingHandler) {
  let left = failures
  const came: string[] = []
  const told: string[] = []
  const transport = createBuiltinTransport({
    upstream: 'everything' as UpstreamId,
    eras: upstreamEras,
    log: logInto([]),
    settings: { answerBytes: 1_000_000, startMs: 5_000 },
    load: async () => {
      if (left-- > 0) throw new Error('no such module')
      const server = serverFor()
      const fetch: BuiltinServer['fetch'] = (request, options) => {
        came.push(`${request.headers.get('mcp-method')} ${options?.authInfo?.token}`)
        return server.fetch(request, options)
      }
      return { fetch, close: () => server.close() }
    },
    onNotification: ({ method }) => void told.push(method),
  })
  const send = async (exchange: Exchange, caller = asAda) => {
    const answer = await transport.send(exchange, caller)
    return answer.kind === 'whole' ? answer.bytes.toString() : ''
  }
  return {
    transport,
    came,
    told,
    send,
    tool: async (name: string, args: object = {}, client: ClientView = PLAIN_CLIENT) =>
      send(toolCall(name, args, { client })),
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

const asking = () => ({ era: 'modern' as const, client: PLAIN_CLIENT, signal: new AbortController().signal })

describe('a server of ours', () => {
  test('that could not be loaded says so, and is loaded by the next call', async () => {
    await using open = openTransport(1)
    const failure = await failureOf(open.transport.send(listing(), asAda))
    expect(failure).toMatchObject({ code: 'upstream.start_failed', cause: { message: 'no such module' } })
    expect(await open.transport.send(listing(), asAda)).toMatchObject({ kind: 'whole', status: 200 })
  })

  test('that was never loaded is closed all the same', async () => {
    const { transport } = openTransport(1)
    const failing = failureOf(transport.send(listing(), asAda))
    await transport.close()
    expect((await failing).code).toBe('upstream.start_failed')
  })

  test('says what it can do, and is asked for that once', async () => {
    await using open = openTransport()
    const handshake = await open.transport.describe(asking(), asAda)
    expect(handshake).toMatchObject({
      era: 'modern',
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
      serverInfo: { name: 'sekisho-everything' },
    })
    expect(await open.transport.describe(asking(), asBob)).toBe(handshake)
    expect(open.came).toEqual(['server/discover old'])
  })

  test('tells of its progress in mid-call, under the token of the client', async () => {
    await using open = openTransport()
    const heard: string[] = []
    const notify = (message: Buffer, method: string) => void heard.push(`${method} ${message.includes('"mine"')}`)
    const params = { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 'mine' } }
    await open.send(exchangeOf(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }), { notify }))
    expect(heard).toEqual(Array(3).fill('notifications/progress true'))
  })

  test('logs for a client that wants to see it, and for no other', async () => {
    await using open = openTransport()
    const heard: string[] = []
    const notify = (_message: Buffer, method: string) => void heard.push(method)
    await open.send(toolCall('test_tool_with_logging', {}, { notify }))
    expect(heard).toEqual([])
    await open.send(toolCall('test_tool_with_logging', {}, { notify, client: { ...PLAIN_CLIENT, logLevel: 'debug' } }))
    expect(new Set(heard)).toEqual(new Set(['notifications/message']))
  })

  test('knows what the client can do, and asks it in place of an answer', async () => {
    await using open = openTransport()
    const able = { ...PLAIN_CLIENT, capabilities: '{"sampling":{}}' }
    const asks = JSON.parse(await open.tool('test_input_required_result_sampling', {}, able))
    expect(asks).toMatchObject({ result: { resultType: 'input_required' } })
    const refuses = JSON.parse(await open.tool('test_missing_capability'))
    expect(refuses).toMatchObject({ error: { code: -32021 } })
  })
})

describe('whoever listens to a server of ours', () => {
  test('to lists alone has it not loaded, and hears as soon as it is', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    expect(await watching.update(interestsOf(['tools']))).toEqual(interestsOf(['tools']))
    expect(open.came).toEqual([])
    await open.transport.describe(asking(), asAda)
    expect(await watching.update(interestsOf(['tools']))).toEqual(interestsOf(['tools']))
    await open.tool('test_trigger_tool_change')
    await until(() => heard.length === 1)
    expect(heard).toEqual(['tools/list_changed'])
    expect(open.told).toEqual(['notifications/tools/list_changed'])
    watching.close()
  })

  test('to a resource has it loaded, and hears of that one; others of the same user share the request', async () => {
    await using open = openTransport()
    const [one, other] = [createWatcher([]), createWatcher(['prompts'])]
    const watching = open.transport.watch(one.watcher, asAda)
    const wanted = interestsOf([], ['test://watched-resource'])
    expect(await watching.update(wanted)).toEqual(wanted)
    const second = open.transport.watch(other.watcher, asAda)
    await second.update(interestsOf(['prompts']))
    expect(open.came).toEqual(['server/discover old', 'subscriptions/listen old'])
    await open.tool('test_trigger_prompt_change')
    await open.tool('touch_resource', { uri: 'test://watched-resource' })
    await until(() => one.heard.length + other.heard.length === 2)
    expect([one.heard, other.heard]).toEqual([['resources/updated test://watched-resource'], ['prompts/list_changed']])
    watching.close()
    second.close()
  })

  test('that cannot tell anything asks it nothing', async () => {
    const quiet: BuiltinServer = {
      async fetch(request) {
        const { id } = (await request.json()) as { id: number }
        const result = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
        return Response.json({ jsonrpc: '2.0', id, result })
      },
      close: () => Promise.resolve(),
    }
    await using open = openTransport(0, () => quiet)
    const watching = open.transport.watch(createWatcher(['tools']).watcher, asAda)
    await open.transport.describe(asking(), asAda)
    expect(await watching.update(interestsOf(['tools'], ['test://watched-resource']))).toEqual(interestsOf([]))
    expect(open.came).toEqual(['server/discover old'])
    watching.close()
  })

  test('goes on with another credential when the first is gone', async () => {
    await using open = openTransport()
    const renew = () => Promise.resolve({ ...asAda, token: secret('new') })
    const { heard, watcher } = createWatcher(['tools'], [], { renew })
    const watching = open.transport.watch(watcher, asAda)
    await open.transport.describe(asking(), asAda)
    await watching.update(interestsOf(['tools']))
    await open.transport.forget(asAda)
    await watching.update(interestsOf(['tools']))
    expect(open.came.filter((each) => each.startsWith('subscriptions/'))).toEqual([
      'subscriptions/listen old',
      'subscriptions/listen new',
    ])
    await open.tool('test_trigger_tool_change')
    await until(() => heard.length === 1)
    watching.close()
  })

  test('uses no credential that went while it was fetched, and none where nobody listens any more', async () => {
    await using open = openTransport()
    const fetching: PromiseWithResolvers<Caller>[] = []
    const renew = () => {
      const fetched = Promise.withResolvers<Caller>()
      fetching.push(fetched)
      return fetched.promise
    }
    const { watcher } = createWatcher(['tools'], [], { renew })
    const watching = open.transport.watch(watcher, asAda)
    await open.transport.describe(asking(), asAda)
    await watching.update(interestsOf(['tools']))
    const forgotten = [open.transport.forget(asAda), open.transport.forget(asAda)]
    fetching[0]?.resolve({ ...asAda, token: secret('second') })
    await forgotten[0]
    fetching[1]?.resolve({ ...asAda, token: secret('third') })
    await forgotten[1]
    const last = open.transport.forget(asAda)
    watching.close()
    fetching[2]?.resolve({ ...asAda, token: secret('fourth') })
    await last
    expect(open.came.filter((each) => each.startsWith('subscriptions/'))).toEqual([
      'subscriptions/listen old',
      'subscriptions/listen third',
    ])
  })
})
