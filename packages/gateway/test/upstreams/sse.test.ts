import { describe, expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { PLAIN_CLIENT } from '../../src/upstreams/client.ts'
import type { Exchange, Question, Reply, Transport } from '../../src/upstreams/transport.ts'
import { cancelled, createWatcher, failureOf, interestsOf, textOf, toolCall, until } from './children-harness.ts'
import { asAda, asBob, openSse, startScriptedSse, startSimpleSse, type Posted } from './sse-harness.ts'

async function bytesOf(transport: Transport, exchange: Exchange, caller = asAda): Promise<string> {
  const answer = await transport.send(exchange, caller)
  return answer.kind === 'whole' ? answer.bytes.toString() : ''
}

const methodsOf = (posted: readonly Posted[] | undefined) => posted?.map(({ method }) => method)

describe('the SDK’s example of HTTP+SSE', () => {
  test('is called, and its log messages come in mid-call', async () => {
    await using server = await startSimpleSse()
    await using open = openSse(server.url)
    const heard: string[] = []
    const notify = (message: Buffer, method: string) =>
      void heard.push(`${method} ${message.includes('Notification #')}`)
    const client = { ...PLAIN_CLIENT, logLevel: 'info' as const }
    const call = toolCall('start-notification-stream', { interval: 10, count: 3 }, { notify, client })
    expect(textOf(await bytesOf(open.transport, call))).toBe('Completed sending 3 notifications every 10ms')
    expect(heard).toEqual(['notifications/message false', ...Array(3).fill('notifications/message true')])
  })
})

describe('a connection', () => {
  test('is one for all calls of a user, with their own credential in it and at every message', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(
      { kind: 'userToken', pattern: `${server.url}?key={{token}}` },
      { headers: { Authorization: { kind: 'userToken', pattern: 'Bearer {{token}}' } } },
    )
    await Promise.all([1, 2, 3].map(() => bytesOf(open.transport, toolCall('one'))))
    await bytesOf(open.transport, toolCall('one'), asBob)
    expect(
      server.connections.map(({ request: { url, headers } }) => [url, headers.authorization, headers.accept]),
    ).toEqual([
      ['/events?key=ada-token', 'Bearer ada-token', 'text/event-stream'],
      ['/events?key=bob-token', 'Bearer bob-token', 'text/event-stream'],
    ])
    expect(methodsOf(server.connections[0]?.posted)).toEqual([
      'initialize',
      'notifications/initialized',
      ...Array(3).fill('tools/call'),
    ])
    expect(open.logged.join('\n')).not.toContain('-token')
  })

  test('is opened anew with another token, and for another kind of client', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(server.url, { headers: { A: { kind: 'userToken', pattern: '{{token}}' } } })
    await bytesOf(open.transport, toolCall('one'))
    await bytesOf(open.transport, toolCall('one'), { ...asAda, token: secret('newer') })
    const client = { ...PLAIN_CLIENT, capabilities: '{"sampling":{}}' }
    await bytesOf(open.transport, toolCall('one', {}, { client }), { ...asAda, token: secret('newer') })
    expect(server.connections.map(({ request }) => request.headers['a'])).toEqual(['ada-token', 'newer', 'newer'])
  })

  test('that ends fails the calls in flight, and the next call opens another', async () => {
    await using server = await startScriptedSse({
      take({ params }, connection) {
        if (params?.name !== 'end') return undefined
        connection.end()
        return 'no answer'
      },
    })
    await using open = openSse(server.url)
    const slow = failureOf(open.transport.send(toolCall('end'), asAda))
    expect((await slow).code).toBe('upstream.died')
    expect(textOf(await bytesOf(open.transport, toolCall('again')))).toBe('again')
    expect(server.connections).toHaveLength(2)
  })

  test('that breaks does the same', async () => {
    await using server = await startScriptedSse({
      take({ params }, { request }) {
        if (params?.name !== 'break') return undefined
        request.socket.destroy()
        return 'no answer'
      },
    })
    await using open = openSse(server.url)
    expect((await failureOf(open.transport.send(toolCall('break'), asAda))).code).toBe('upstream.died')
    expect(textOf(await bytesOf(open.transport, toolCall('again')))).toBe('again')
  })

  test('that the server has forgotten is opened anew', async () => {
    let forgets = false
    await using server = await startScriptedSse({ status: () => (forgets ? 404 : undefined) })
    await using open = openSse(server.url)
    await bytesOf(open.transport, toolCall('one'))
    forgets = true
    expect((await failureOf(open.transport.send(toolCall('two'), asAda))).code).toBe('upstream.died')
    forgets = false
    expect(textOf(await bytesOf(open.transport, toolCall('three')))).toBe('three')
  })

  test('ends when its user is forgotten', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(server.url)
    await bytesOf(open.transport, toolCall('one'))
    const ended = new Promise((resolve) => server.connections[0]?.request.socket.once('close', resolve))
    await open.transport.forget(asAda)
    await ended
    expect(server.connections).toHaveLength(1)
  })

  test('says what the server said of itself', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(server.url)
    const asking = { era: 'legacy' as const, client: PLAIN_CLIENT, signal: new AbortController().signal }
    expect(await open.transport.describe(asking, asAda)).toMatchObject({
      version: '2024-11-05',
      serverInfo: { name: 'scripted' },
    })
  })
})

describe('what cannot be connected with', () => {
  test('is a server that sends messages elsewhere, where no credential may go', async () => {
    for (const endpoint of ['http://127.0.0.1:9/post', '//example.com/post', 'https://127.0.0.1/post']) {
      await using server = await startScriptedSse({ endpoint: () => endpoint })
      await using open = openSse(server.url)
      const failure = await failureOf(open.transport.send(toolCall('one'), asAda))
      expect(failure).toMatchObject({
        code: 'upstream.bad_answer',
        details: { reason: 'an endpoint at another place' },
      })
    }
  })

  test('is not one that names its own address in full', async () => {
    const origin = { text: '' }
    await using server = await startScriptedSse({ endpoint: (number) => `${origin.text}/post?number=${number}` })
    origin.text = server.origin
    await using open = openSse(server.url)
    expect(textOf(await bytesOf(open.transport, toolCall('one')))).toBe('one')
  })

  test.for([
    [401, 'upstream.refused'],
    [403, 'upstream.refused'],
    [429, 'upstream.busy'],
    [404, 'upstream.bad_answer'],
    [302, 'upstream.bad_answer'],
    [200, 'upstream.bad_answer'],
  ] as const)('is one that answers with %i', async ([status, code]) => {
    await using server = await startScriptedSse({
      refuse(_request, response) {
        response.writeHead(status, { 'Content-Type': 'text/plain', Location: '/events' }).end('no')
        return true
      },
    })
    await using open = openSse(server.url)
    expect((await failureOf(open.transport.send(toolCall('one'), asAda))).code).toBe(code)
  })

  test('is one that never says where to send, or is not there', async () => {
    await using silent = await startScriptedSse({
      refuse(_request, response) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': hello\n\n')
        return true
      },
    })
    await using open = openSse(silent.url, { startMs: 200 })
    expect((await failureOf(open.transport.send(toolCall('one'), asAda))).code).toBe('upstream.timeout')
    await using nobody = openSse('http://127.0.0.1:9/events')
    expect((await failureOf(nobody.transport.send(toolCall('one'), asAda))).code).toBe('upstream.unreachable')
  })

  test('is tried again with a credential that was renewed, by whoever listens', async () => {
    let taken = 'first'
    await using server = await startScriptedSse({
      refuse({ headers }, response) {
        if (headers['a'] === taken) return false
        response.writeHead(401).end()
        return true
      },
    })
    await using open = openSse(server.url, { headers: { A: { kind: 'userToken', pattern: '{{token}}' } } })
    const renew = () => Promise.resolve({ ...asAda, token: secret('second') })
    const { watcher } = createWatcher([], ['odd://a'], { renew })
    open.transport.watch(watcher, { ...asAda, token: secret('first') })
    await until(() => server.connections.length === 1)
    taken = 'second'
    server.connections[0]?.end()
    await until(() => server.connections.length === 2)
    expect(server.connections[1]?.request.headers['a']).toBe('second')
  })
})

describe('a message', () => {
  test('goes out after the one before it', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(server.url)
    const names = Array.from({ length: 30 }, (_, index) => `t${index}`)
    await Promise.all(names.map((name) => bytesOf(open.transport, toolCall(name))))
    const calls = server.connections[0]?.posted.slice(2)
    expect(calls?.map(({ params }) => params?.name)).toEqual(names)
  })

  test('waits not for ever for a server that takes one only when its work is done', async () => {
    const release = Promise.withResolvers<undefined>()
    await using server = await startScriptedSse({
      status: ({ params }) => (params?.name === 'slow' ? release.promise : undefined),
    })
    await using open = openSse(server.url)
    await bytesOf(open.transport, toolCall('first'))
    const slow = bytesOf(open.transport, toolCall('slow'))
    expect(textOf(await bytesOf(open.transport, toolCall('quick')))).toBe('quick')
    release.resolve(undefined)
    expect(textOf(await slow)).toBe('slow')
  })

  test.for([
    [401, 'upstream.refused'],
    [503, 'upstream.busy'],
    [400, 'upstream.bad_answer'],
    [500, 'upstream.bad_answer'],
    [307, 'upstream.bad_answer'],
  ] as const)('that is refused with %i fails its own call alone', async ([status, code]) => {
    await using server = await startScriptedSse({
      status: ({ params }) => (params?.name === 'bad' ? status : undefined),
    })
    await using open = openSse(server.url)
    const good = bytesOf(open.transport, toolCall('good'))
    expect((await failureOf(open.transport.send(toolCall('bad'), asAda))).code).toBe(code)
    expect(textOf(await good)).toBe('good')
    expect(server.connections).toHaveLength(1)
  })

  test('is not sent while too much waits that the server does not take, and waits no longer than its call', async () => {
    const release = Promise.withResolvers<undefined>()
    await using server = await startScriptedSse({
      status: ({ method }) => (method === 'tools/call' ? release.promise : undefined),
    })
    await using open = openSse(server.url)
    const signal = AbortSignal.timeout(400)
    const calls = Array.from({ length: 10 }, () =>
      open.transport.send(toolCall('big', { big: 'x'.repeat(200_000) }, { signal }), asAda),
    )
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual(Array(10).fill('rejected'))
    expect(server.connections[0]?.posted.filter(({ method }) => method === 'tools/call')).toHaveLength(2)
    release.resolve(undefined)
  })

  test('that is never taken holds no connection once nobody waits for its answer', async () => {
    const never = new Promise<undefined>(() => {})
    await using server = await startScriptedSse({
      status: ({ params }) => (params?.name === 'hang' ? never : undefined),
    })
    await using open = openSse(server.url)
    await bytesOf(open.transport, toolCall('first'))
    // As many as there are connections for both users.
    const hanging = Array.from({ length: 4 }, () => toolCall('hang'))
    const failures = hanging.map((exchange) => failureOf(open.transport.send(exchange, asAda)))
    await until(() => server.connections[0]?.posted.filter(({ params }) => params?.name === 'hang').length === 4)
    for (const exchange of hanging) exchange.abort(cancelled())
    expect((await Promise.all(failures)).map(({ code }) => code)).toEqual(Array(4).fill('request.cancelled'))
    expect(textOf(await bytesOf(open.transport, toolCall('quick'), asBob))).toBe('quick')
    expect(textOf(await bytesOf(open.transport, toolCall('quick')))).toBe('quick')
  })

  test('that is larger than allowed ends the connection and says so', async () => {
    await using server = await startScriptedSse({
      take: ({ params }) => (params?.name === 'huge' ? { text: 'x'.repeat(200_000) } : undefined),
    })
    await using open = openSse(server.url, { answerBytes: 100_000 })
    expect((await failureOf(open.transport.send(toolCall('huge'), asAda))).code).toBe('upstream.too_large')
  })

  test('of a call that is given up is followed by word of that', async () => {
    await using server = await startScriptedSse({
      take: ({ params }) => (params?.name === 'ask' ? 'no answer' : undefined),
    })
    await using open = openSse(server.url)
    const exchange = toolCall('ask')
    await bytesOf(open.transport, toolCall('first'))
    const connection = server.connections[0]
    const failing = failureOf(open.transport.send(exchange, asAda))
    exchange.abort(cancelled())
    expect((await failing).code).toBe('request.cancelled')
    await until(() => methodsOf(connection?.posted)?.at(-1) === 'notifications/cancelled')
  })
})

describe('a server of HTTP+SSE', () => {
  const client = { ...PLAIN_CLIENT, capabilities: '{"sampling":{}}', logLevel: 'info' as const }

  test('asks in mid-call, and is answered under the id it used', async () => {
    let call: Posted['id']
    await using server = await startScriptedSse({
      take({ method, params, id }, connection) {
        const thanks = { content: [{ type: 'text', text: 'thanks' }] }
        if (method === undefined) connection.send({ id: call, result: thanks })
        if (params?.name !== 'ask') return undefined
        call = id
        connection.send({ id: 'mine', method: 'sampling/createMessage', params: { maxTokens: 1 } })
        return 'no answer'
      },
    })
    await using open = openSse(server.url)
    const asked: Question[] = []
    const ask = (question: Question) => {
      asked.push(question)
      return Promise.resolve('"result":{"by":"ada"}' as Reply)
    }
    const calling = bytesOf(open.transport, toolCall('ask', {}, { client, ask }))
    await until(() => asked.length === 1)
    await until(() => server.connections[0]?.posted.some(({ id }) => id === 'mine') ?? false)
    expect(server.connections[0]?.posted.find(({ id }) => id === 'mine')).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: { by: 'ada' },
    })
    expect(textOf(await calling)).toBe('thanks')
  })

  test('is subscribed to again, at the same log level, when its connection was lost', async () => {
    await using server = await startScriptedSse()
    await using open = openSse(server.url)
    const { heard, watcher } = createWatcher(['tools'], [], { client })
    const watching = open.transport.watch(watcher, asAda)
    expect(await watching.update(interestsOf(['tools'], ['odd://a']))).toEqual(interestsOf(['tools'], ['odd://a']))
    const told = ['initialize', 'notifications/initialized', 'logging/setLevel', 'resources/subscribe']
    expect(methodsOf(server.connections[0]?.posted)).toEqual(told)
    server.connections[0]?.end()
    await until(() => heard.includes('tools/list_changed'))
    await until(() => server.connections[1]?.posted.length === 4)
    expect(methodsOf(server.connections[1]?.posted)).toEqual(told)
    server.connections[1]?.send({ method: 'notifications/resources/updated', params: { uri: 'odd://a' } })
    server.connections[1]?.send({ method: 'notifications/tools/list_changed' })
    await until(() => open.told.length === 2)
    expect(heard).toEqual(['tools/list_changed', 'resources/updated odd://a', 'tools/list_changed'])
    expect(open.told).toEqual(['usr_ada notifications/resources/updated', 'usr_ada notifications/tools/list_changed'])
  })

  test('that floods is slowed down, and costs nobody else a call', async () => {
    await using server = await startScriptedSse({
      take({ params }, connection) {
        if (params?.name === 'flood')
          for (let count = 0; count < 20_000; count++) connection.send({ method: 'notifications/none' })
        return undefined
      },
    })
    await using open = openSse(server.url)
    const flooded = bytesOf(open.transport, toolCall('flood'))
    expect(textOf(await bytesOf(open.transport, toolCall('calm'), asBob))).toBe('calm')
    expect(textOf(await flooded)).toBe('flood')
  })

  test('whose one message is a million of them keeps nobody waiting', async () => {
    await using server = await startScriptedSse({
      take({ params }, connection) {
        if (params?.name === 'flood') connection.sendText(`[${'{},'.repeat(1_000_000)}{}]`)
        return undefined
      },
    })
    await using open = openSse(server.url)
    await bytesOf(open.transport, toolCall('first'))
    const begun = performance.now()
    expect(textOf(await bytesOf(open.transport, toolCall('flood')))).toBe('flood')
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})
