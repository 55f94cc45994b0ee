import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { createChildren } from '../../src/upstreams/children/pool.ts'
import type { ChildrenSettings } from '../../src/upstreams/children/settings.ts'
import { PLAIN_CLIENT, type ClientView, type LogLevel } from '../../src/upstreams/client.ts'
import type { Caller, Exchange } from '../../src/upstreams/transport.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'
import { createStdioTransport } from '../../src/upstreams/transports/stdio.ts'
import {
  ada,
  bob,
  createWatcher,
  failureOf,
  interestsOf,
  lives,
  logInto,
  odd,
  textOf,
  toolCall,
  until,
  usual,
} from './children-harness.ts'

const asAda: Caller = { tenant: ada.tenant, userId: ada.userId, token: secret('old') }
const asBob: Caller = { ...asAda, userId: bob.userId }
const changed = 'tools/list_changed'

/** A transport whose children are odd servers that hold their caller's token. */
function openTransport(settings: Partial<ChildrenSettings> = {}, { shared = false, start = 'normal' } = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-watch-'))
  const children = createChildren({
    clock: systemClock,
    log: logInto([]),
    settings: { ...usual, ...settings },
    stateDir,
    greet: createGreet(upstreamEras),
  })
  const transport = createStdioTransport({
    children,
    upstream: ada.upstream,
    shared,
    launchFor: ({ token }) => odd(start, shared ? {} : { TOKEN: token?.reveal() ?? '' }),
  })
  const send = async (exchange: Exchange, caller = asAda) => {
    const answer = await transport.send(exchange, caller)
    return answer.kind === 'whole' ? answer.bytes.toString() : ''
  }
  return {
    children,
    transport,
    send,
    tool: async (name: string, args: object = {}, caller = asAda, client: ClientView = PLAIN_CLIENT) =>
      textOf(await send(toolCall(name, args, { client }), caller)),
    /** What the gate asked of the child that runs now, on its own account. */
    asked: async (caller = asAda): Promise<string[]> => JSON.parse(textOf(await send(toolCall('asked'), caller))),
    async [Symbol.asyncDispose]() {
      await children.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  }
}

function wants(logLevel: LogLevel): ClientView {
  return { ...PLAIN_CLIENT, logLevel }
}

const say = (...methods: string[]) => ({ messages: methods.map((method) => ({ method: `notifications/${method}` })) })
const updated = (...uris: string[]) => ({
  messages: uris.map((uri) => ({ method: 'notifications/resources/updated', params: { uri } })),
})
const log = (data: string) => ({ messages: [{ method: 'notifications/message', params: { level: 'info', data } }] })

describe('whoever wants to hear of lists', () => {
  test('starts nothing, and hears as soon as something runs', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    expect(await watching.update(interestsOf(['tools', 'prompts']))).toEqual(interestsOf(['tools', 'prompts']))
    expect(open.children.list()).toEqual([])
    await open.tool('say', say(changed, 'prompts/list_changed', 'resources/list_changed'))
    expect(heard).toEqual([changed, 'prompts/list_changed'])
    watching.close()
    await open.tool('say', say(changed))
    expect(heard).toHaveLength(2)
  })

  test('is told by the handshake what can be told', async () => {
    await using open = openTransport()
    await open.tool('pid')
    const watching = open.transport.watch(createWatcher([]).watcher, asAda)
    expect(await watching.update(interestsOf(['tools', 'prompts']))).toEqual(interestsOf(['tools']))
  })

  test('keeps no child from ending, and hears that the lists may have changed when another runs', async () => {
    await using open = openTransport({ idleMs: 50 })
    const { heard, watcher } = createWatcher(['tools'])
    open.transport.watch(watcher, asAda)
    const pid = Number(await open.tool('pid'))
    await until(() => !lives(pid))
    expect(heard).toEqual([])
    await until(() => open.children.list().length === 0)
    await open.tool('pid')
    expect(heard).toEqual([changed])
  })

  test('hears only of their own child', async () => {
    await using open = openTransport()
    const [own, other] = [createWatcher(['tools']), createWatcher(['tools'])]
    open.transport.watch(own.watcher, asAda)
    open.transport.watch(other.watcher, asBob)
    await open.tool('say', say(changed))
    await open.tool('pid', {}, asBob)
    expect([own.heard, other.heard]).toEqual([[changed], []])
  })
})

describe('whoever subscribes to resources', () => {
  test('has a child started, subscribed to them once, and kept until the last has left', async () => {
    await using open = openTransport({ idleMs: 50 })
    const [one, other] = [createWatcher([], ['odd://a']), createWatcher([])]
    const watching = open.transport.watch(one.watcher, asAda)
    const second = open.transport.watch(other.watcher, asAda)
    expect(await second.update(interestsOf([], ['odd://a', 'odd://b']))).toEqual(
      interestsOf([], ['odd://a', 'odd://b']),
    )
    const pid = open.children.list()[0]?.pid ?? 0
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await open.asked()).toEqual(['resources/subscribe odd://a', 'resources/subscribe odd://b'])

    await open.tool('say', updated('odd://a', 'odd://b', 'odd://b/part', 'odd://bc', 'odd://c'))
    expect(one.heard).toEqual(['resources/updated odd://a'])
    expect(other.heard).toEqual(['a', 'b', 'b/part'].map((name) => `resources/updated odd://${name}`))

    await second.update(interestsOf([], ['odd://b']))
    watching.close()
    expect((await open.asked()).slice(2)).toEqual(['resources/unsubscribe odd://a'])
    expect(lives(pid)).toBe(true)
    second.close()
    await until(() => !lives(pid))
  })

  test('is told which of them the server does not know', async () => {
    await using open = openTransport()
    const watching = open.transport.watch(createWatcher([]).watcher, asAda)
    const wanted = interestsOf([], ['odd://refused', 'odd://a'])
    expect(await watching.update(wanted)).toEqual(interestsOf([], ['odd://a']))
  })

  test('of a server that can tell of none is told so, and keeps no child from ending', async () => {
    await using open = openTransport({ idleMs: 50 }, { start: 'modern' })
    const watching = open.transport.watch(createWatcher([]).watcher, asAda)
    expect(await watching.update(interestsOf(['tools'], ['odd://a']))).toEqual(interestsOf([]))
    await until(() => open.children.list().length === 0)
    expect(await watching.update(interestsOf([], ['odd://a']))).toEqual(interestsOf([]))
    expect(open.children.list()).toEqual([])
  })

  test('is told why there is no child, and hears on of what they wanted before', async () => {
    await using open = openTransport({}, { start: 'exit' })
    const { watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    expect((await failureOf(watching.update(interestsOf([], ['odd://a'])))).code).toBe('upstream.start_failed')
    expect(await watching.update(interestsOf(['tools']))).toEqual(interestsOf(['tools']))
  })

  test('has another child subscribed, at the same log level, when the first was killed', async () => {
    await using open = openTransport()
    const client = wants('warning')
    const { heard, watcher } = createWatcher(['tools'], [], { client })
    const watching = open.transport.watch(watcher, asAda)
    await watching.update(interestsOf(['tools'], ['odd://a']))
    const pid = Number(await open.tool('pid'))
    expect(await open.asked()).toEqual(['logging/setLevel warning', 'resources/subscribe odd://a'])
    process.kill(pid, 'SIGKILL')
    await until(() => heard.includes(changed))
    expect(Number(await open.tool('pid'))).not.toBe(pid)
    expect(await open.asked()).toEqual(['logging/setLevel warning', 'resources/subscribe odd://a'])
    await open.tool('say', updated('odd://a'))
    expect(heard).toEqual([changed, 'resources/updated odd://a'])
  })

  test('goes over to the child that takes the place of one with an older token', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher(['tools'])
    const watching = open.transport.watch(watcher, asAda)
    await watching.update(interestsOf(['tools'], ['odd://a']))
    const old = Number(await open.tool('pid'))
    const newer = { ...asAda, token: secret('new') }
    expect(await open.tool('env', {}, newer)).toContain('"TOKEN":"new"')
    await until(() => !lives(old))
    expect(await open.asked(newer)).toEqual(['resources/subscribe odd://a'])
    expect(heard).toEqual([changed])
    // What is wanted besides is asked of the child that runs, not of one with the token it began with.
    await watching.update(interestsOf(['tools'], ['odd://a', 'odd://b']))
    expect(await open.asked(newer)).toEqual(['resources/subscribe odd://a', 'resources/subscribe odd://b'])
  })

  test('goes on with another credential when the first is forgotten, and starts nothing without', async () => {
    await using open = openTransport()
    const renewed = Promise.withResolvers<Caller>()
    const renew = () => renewed.promise
    const [with_, without] = [createWatcher([], ['odd://a'], { renew }), createWatcher([], ['odd://b'])]
    open.transport.watch(with_.watcher, asAda)
    open.transport.watch(without.watcher, asBob)
    await until(() => open.children.list().filter(({ state }) => state === 'ready').length === 2)
    await Promise.all([open.transport.forget(asAda), open.transport.forget(asBob)])
    expect(open.children.list()).toEqual([])
    renewed.resolve({ ...asAda, token: secret('renewed') })
    await until(() => open.children.list().some(({ state }) => state === 'ready'))
    expect(open.children.list().map(({ userId }) => userId)).toEqual([ada.userId])
    const caller = { ...asAda, token: secret('renewed') }
    expect(await open.tool('env', {}, caller)).toContain('"TOKEN":"renewed"')
    expect(await open.asked(caller)).toEqual(['resources/subscribe odd://a'])
  })

  test('uses no credential that went while it was fetched', async () => {
    await using open = openTransport()
    const fetching: PromiseWithResolvers<Caller>[] = []
    const renew = () => {
      const fetched = Promise.withResolvers<Caller>()
      fetching.push(fetched)
      return fetched.promise
    }
    open.transport.watch(createWatcher([], ['odd://a'], { renew }).watcher, asAda)
    await until(() => open.children.list()[0]?.state === 'ready')
    await open.transport.forget(asAda)
    await until(() => fetching.length === 1)
    await open.transport.forget(asAda)
    fetching[0]?.resolve({ ...asAda, token: secret('second') })
    await until(() => fetching.length === 2 || open.children.list().length > 0)
    expect(open.children.list()).toEqual([])
    fetching[1]?.resolve({ ...asAda, token: secret('third') })
    await until(() => open.children.list()[0]?.state === 'ready')
    const pid = open.children.list()[0]?.pid
    expect(Number(await open.tool('pid', {}, { ...asAda, token: secret('third') }))).toBe(pid)
  })

  test('is let go of when the gate closes', async () => {
    const open = openTransport({ drainMs: 60_000 })
    open.transport.watch(createWatcher([], ['odd://a']).watcher, asAda)
    await until(() => open.children.list()[0]?.state === 'ready')
    const pid = open.children.list()[0]?.pid ?? 0
    await open.transport.close()
    expect(lives(pid)).toBe(false)
    await open[Symbol.asyncDispose]()
  })
})

describe('log messages', () => {
  test('are asked for once per change, before the call that wants them, and go to every call in flight', async () => {
    await using open = openTransport()
    await open.tool('pid')
    expect(await open.asked()).toEqual([])
    const heard: string[] = []
    const notify = (message: Buffer, method: string) => void heard.push(`${method} ${message.includes('hello')}`)
    const slow = open.send(toolCall('slow', { ms: 300 }, { notify }))
    const saying = open.send(toolCall('say', log('hello'), { notify, client: wants('info') }))
    await Promise.all([slow, saying])
    expect(heard).toEqual(['notifications/message true', 'notifications/message true'])
    for (const level of ['warning', 'info', 'debug'] as const) await open.tool('pid', {}, asAda, wants(level))
    expect(await open.asked()).toEqual(['logging/setLevel info', 'logging/setLevel debug'])
  })

  test('go to those who listen where no call waits', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher([])
    open.transport.watch(watcher, asAda)
    await open.tool('say', log('in a call'))
    await open.tool('sayLater', { ...log('after it'), ms: 50 })
    await until(() => heard.length > 0)
    expect(heard).toEqual(['message after it'])
  })

  test('of a shared child reach no user, since they may be about another; lists and resources do', async () => {
    await using open = openTransport({}, { shared: true })
    const { heard, watcher } = createWatcher(['tools'], ['odd://a'])
    open.transport.watch(watcher, asBob)
    const told: string[] = []
    const messages = [
      ...log('about Ada').messages,
      ...say('tasks/status', changed).messages,
      ...updated('odd://a').messages,
    ]
    await until(() => open.children.list()[0]?.state === 'ready')
    const notify = (_message: Buffer, method: string) => void told.push(method)
    await open.send(toolCall('say', { messages }, { notify, client: wants('debug') }))
    await open.tool('sayLater', { messages: log('about Ada').messages, ms: 0 })
    await until(async () => (await open.tool('pid')) !== '')
    expect([told, heard]).toEqual([[], [changed, 'resources/updated odd://a']])
    expect(await open.asked()).toEqual(['resources/subscribe odd://a'])
  })
})

describe('what else a server tells', () => {
  test('goes to everybody who listens, and to no call', async () => {
    await using open = openTransport()
    const { heard, watcher } = createWatcher([])
    open.transport.watch(watcher, asAda)
    const told: string[] = []
    const notify = (_message: Buffer, method: string) => void told.push(method)
    await open.send(toolCall('say', say('elicitation/complete', 'something/new'), { notify }))
    expect([told, heard]).toEqual([[], ['elicitation/complete', 'something/new']])
  })
})

describe('a transport of children', () => {
  test('says what a server said of itself, which is started for that', async () => {
    await using open = openTransport()
    const asking = { era: 'legacy' as const, client: PLAIN_CLIENT, signal: new AbortController().signal }
    expect(await open.transport.describe(asking, asAda)).toMatchObject({
      era: 'legacy',
      version: '2025-11-25',
      capabilities: { logging: {}, resources: { subscribe: true } },
      instructions: 'be odd',
      serverInfo: { name: 'odd', version: '1' },
    })
    expect(open.children.list()).toHaveLength(1)
  })

  test('has a child for each kind of client, promised what that client has declared', async () => {
    await using open = openTransport()
    const kinds = ['{}', '{"sampling":{}}', '{"elicitation":{"url":{}},"roots":{}}']
    const promised = await Promise.all(
      kinds.map((capabilities) => open.tool('promised', {}, asAda, { ...PLAIN_CLIENT, capabilities })),
    )
    expect(promised).toEqual(kinds)
    const views = open.children.list().map(({ capabilities }) => capabilities)
    expect(views).toEqual([[], ['sampling'], ['elicitation', 'roots']])
    const own = { ...PLAIN_CLIENT, capabilities: kinds[1] ?? '' }
    expect(open.transport.startedAt(asAda, own)).toBe(open.children.list()[1]?.since)
    await open.transport.forget(asAda)
    expect(open.children.list()).toEqual([])
  })

  test('counts all of a user’s children, whatever their clients can do', async () => {
    await using open = openTransport({ maxChildrenPerUser: 1 })
    const slow = open.tool('slow', { ms: 300 })
    await until(() => open.children.list()[0]?.pending === 1)
    const other = { ...PLAIN_CLIENT, capabilities: '{"roots":{}}' }
    expect((await failureOf(open.tool('pid', {}, asAda, other))).code).toBe('upstream.capacity')
    await slow
  })

  test('tells only what runs, and never by ids that are a client’s own', async () => {
    await using open = openTransport()
    const tell = (method: string, params: object = {}) =>
      open.transport.tell(Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params })), PLAIN_CLIENT, asAda)
    tell('notifications/roots/list_changed')
    expect(open.children.list()).toEqual([])
    await open.tool('pid')
    tell('notifications/roots/list_changed')
    tell('notifications/cancelled', { requestId: 3 })
    tell('notifications/progress', { progressToken: 3, progress: 1 })
    const seen: { method: string }[] = JSON.parse(await open.tool('seen'))
    expect(seen.map(({ method }) => method)).toEqual(['notifications/initialized', 'notifications/roots/list_changed'])
  })

  test('tells a shared child nothing, since nobody could tell whom it is about', async () => {
    await using open = openTransport({}, { shared: true })
    await open.tool('pid')
    open.transport.tell(
      Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'),
      PLAIN_CLIENT,
      asAda,
    )
    expect(await open.tool('seen')).not.toContain('roots')
  })

  test('whose session is forgotten goes on: sessions share what runs', async () => {
    await using open = openTransport()
    const pid = await open.tool('pid')
    await open.transport.forgetSession('s-1', asAda)
    expect(await open.tool('pid')).toBe(pid)
  })

  test('that is closed starts nothing for those who still listen', async () => {
    await using open = openTransport()
    const renew = () => Promise.reject(problem('gate.stopping'))
    const watching = open.transport.watch(createWatcher([], ['odd://a'], { renew }).watcher, asAda)
    await open.transport.close()
    open.transport.watch(createWatcher([], ['odd://b']).watcher, asAda)
    watching.close()
    expect(open.children.list()).toEqual([])
  })
})
