import { gzipSync } from 'node:zlib'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Answer, Question, Reply } from '../../src/upstreams/transport.ts'
import { cancelled, failureOf, toolCall, until } from './children-harness.ts'
import { callerOf, clientOf, createHttpScene, responseOf } from './http-scene.ts'
import { startHttpServer, type Call } from './http-server.ts'

const ASKING = clientOf({ capabilities: '{"elicitation":{}}' })

/** Opens a server of that kind, and calls one of its tools. */
async function openBoth(script: Parameters<typeof startHttpServer>[0]) {
  const scene = await createHttpScene()
  const server = await startHttpServer(script)
  const transport = scene.open(server.url)
  const send = (name: string, more = {}) => transport.send(toolCall(name, {}, { era: script.era, ...more }), callerOf())
  const close = async () => {
    await scene[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { scene, server, transport, send, [Symbol.asyncDispose]: close }
}

/** A tool that asks once, and says what it was told. */
const asking = (id: string | number, method: string) => async (call: Call) => {
  call.stream()
  const reply = await call.ask(id, method)
  call.answer({ said: reply.text, session: reply.session ?? 'none' })
}

test('what a server asks in mid-call, its client answers, in the session and under the id as it was written', async () => {
  const ask = async (call: Call) => {
    call.stream()
    call.response.write(
      'data: {"jsonrpc":"2.0","id":  "q\\u00e9-1","method":"elicitation/create","params":{"n":1.0}}\n\n',
    )
    const reply = await opened.server.reply('qé-1')
    call.answer({ said: reply.text, session: reply.session })
  }
  await using opened = await openBoth({ era: 'legacy', tools: { ask } })
  const questions: Question[] = []
  const answer = await opened.send('ask', {
    client: ASKING,
    ask(question: Question) {
      questions.push(question)
      return Promise.resolve('"result":{"action":"accept","big":12345678901234567890}' as Reply)
    },
  })
  const { result } = responseOf(answer)
  expect(questions).toEqual([{ method: 'elicitation/create', params: '{"n":1.0}' }])
  expect(result?.['said']).toBe(
    '{"jsonrpc":"2.0","id":"q\\u00e9-1","result":{"action":"accept","big":12345678901234567890}}',
  )
  expect([...opened.server.sessions]).toEqual([result?.['session']])
})

test('the upstream is told what the client can do when the session is opened', async () => {
  await using opened = await openBoth({ era: 'legacy' })
  await opened.send('echo', { client: ASKING })
  expect(opened.server.of('initialize')[0]?.params).toMatchObject({ capabilities: { elicitation: {} } })
})

test('a ping in mid-call is answered by the gate, and nobody is asked', async () => {
  await using opened = await openBoth({ era: 'legacy', tools: { ping: asking(7, 'ping') } })
  const { result } = responseOf(await opened.send('ping', { ask: () => Promise.reject(new Error('asked')) }))
  expect(result?.['said']).toBe('{"jsonrpc":"2.0","id":7,"result":{}}')
})

test('several questions of one call are thought about at once, and each gets its own answer', async () => {
  const ask = async (call: Call) => {
    call.stream()
    const replies = await Promise.all([1, 2, 3].map((id) => call.ask(id, 'roots/list')))
    call.answer({ said: replies.map(({ text }) => text) })
  }
  await using opened = await openBoth({ era: 'legacy', tools: { ask } })
  const waiting: (() => void)[] = []
  const askClient = () =>
    new Promise<Reply>((resolve) => {
      const at = waiting.length
      waiting.push(() => resolve(`"result":{"at":${at}}` as Reply))
      // The last that was asked is answered first.
      if (waiting.length === 3) for (const go of waiting.toReversed()) go()
    })
  const { result } = responseOf(await opened.send('ask', { ask: askClient }))
  expect(result?.['said']).toEqual([1, 2, 3].map((id) => `{"jsonrpc":"2.0","id":${id},"result":{"at":${id - 1}}}`))
})

test('answers to questions do not wait behind the calls they are for', async () => {
  const ask = (call: Call) => asking(`q-${String(call.id)}`, 'roots/list')(call)
  await using opened = await openBoth({ era: 'legacy', tools: { ask } })
  const reply = () => Promise.resolve('"result":{}' as Reply)
  // As many as there are connections for calls, and more.
  const answers = await Promise.all(Array.from({ length: 12 }, () => opened.send('ask', { ask: reply })))
  expect(answers.map((answer) => responseOf(answer).id)).toEqual(Array.from({ length: 12 }, () => 'a'))
})

test('a server of the modern era has nobody to ask in mid-call: the call fails, and says why', async () => {
  const ask = (call: Call) => {
    call.stream()
    call.event({ id: 1, method: 'elicitation/create', params: {} })
  }
  await using opened = await openBoth({ era: 'modern', tools: { ask } })
  const asked: unknown[] = []
  const failure = await failureOf(opened.send('ask', { ask: (question: Question) => void asked.push(question) }))
  expect([failure.code, failure.message]).toEqual([
    'upstream.bad_answer',
    expect.stringContaining('a request in mid-call'),
  ])
  expect(asked).toEqual([])
  expect(opened.server.seen.filter(({ method, http }) => method === '' && http === 'POST')).toEqual([])
})

test.for(['legacy', 'modern'] as const)(
  '%s: notifications come in order, before the answer, with their methods; lists that changed are noted',
  async (era) => {
    const methods = ['notifications/progress', 'notifications/message', 'notifications/tools/list_changed', 'x/other']
    const tells = (call: Call) => {
      call.stream()
      for (const method of methods) call.event({ method, params: { progressToken: 'p' } })
      call.answer()
    }
    await using opened = await openBoth({ era, tools: { tells } })
    const told: string[] = []
    const notify = (message: Buffer, method: string) => {
      expect(JSON.parse(message.toString())).toMatchObject({ method })
      told.push(method)
    }
    await opened.send('tells', { notify })
    expect(told).toEqual(methods)
    expect(opened.scene.noted).toContain('usr_ada notifications/tools/list_changed')
  },
)

test('the client’s own id comes back in the bytes it was written in, whatever the session calls it', async () => {
  await using opened = await openBoth({ era: 'legacy' })
  const answer = await opened.send('echo')
  expect(responseOf(answer).id).toBe('a')
  expect(opened.server.of('tools/call')[0]?.id).not.toBe('a')
})

test('who hangs up cancels: by a notification in a session, by hanging up where there is none', async () => {
  await using legacy = await openBoth({ era: 'legacy', tools: { wait: () => {} } })
  await using modern = await openBoth({ era: 'modern', tools: { wait: () => {} } })
  for (const { send, server } of [legacy, modern]) {
    const stop = new AbortController()
    const failure = failureOf(send('wait', { signal: stop.signal }))
    await until(() => server.of('tools/call').length === 1)
    stop.abort(cancelled())
    expect((await failure).code).toBe('request.cancelled')
    await until(() => server.of('tools/call')[0]?.hungUp === true)
  }
  await until(() => legacy.server.of('notifications/cancelled').length === 1)
  const [call] = legacy.server.of('tools/call')
  expect(legacy.server.of('notifications/cancelled')[0]?.params).toMatchObject({ requestId: call?.id })
  expect(modern.server.of('notifications/cancelled')).toEqual([])
})

const LONG = 'x'.repeat(200_000)
const long = (call: Call) => call.result({ content: [{ type: 'text', text: LONG }] })

/** What an answer is that comes in pieces. */
function textOf(answer: Answer): Promise<string> {
  if (answer.kind !== 'stream') throw new TypeError('it came whole')
  const chunks = [answer.head]
  return new Promise((resolve, reject) => {
    const end = () => resolve(Buffer.concat(chunks).toString())
    answer.pipe({ write: (chunk) => chunks.push(chunk) > 0, end, fail: reject })
  })
}

test('a long answer is passed on as it comes, unless it must be seen whole', async () => {
  await using opened = await openBoth({ era: 'modern', tools: { long } })
  expect(await textOf(await opened.send('long'))).toContain(LONG)
  const whole = await opened.send('long', { whole: true })
  expect(JSON.stringify(responseOf(whole).result)).toContain(LONG)
})

test('in a session a long answer is whole, since its id has to be put back', async () => {
  await using opened = await openBoth({ era: 'legacy', tools: { long } })
  expect(responseOf(await opened.send('long')).id).toBe('a')
})

test('a compressed body is refused: nobody asked for it, and it may hold more than any limit', async () => {
  const compressed = ({ response, text }: Call) =>
    response
      .writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      .end(gzipSync(Buffer.from(text)))
  await using opened = await openBoth({ era: 'modern', tools: { compressed } })
  expect((await failureOf(opened.send('compressed'))).message).toContain('compressed')
})

test('Mcp-Param headers and the request id go along', async () => {
  await using opened = await openBoth({ era: 'modern' })
  await opened.send('echo', { paramHeaders: ['Mcp-Param-Region', 'eu'], requestId: 'r-9' })
  expect(opened.server.of('tools/call')[0]?.headers).toMatchObject({ 'mcp-param-region': 'eu', 'x-request-id': 'r-9' })
})

test('a client that takes its time to answer holds up nobody else', async () => {
  await using opened = await openBoth({ era: 'legacy', tools: { ask: asking(1, 'roots/list') } })
  const said = Promise.withResolvers<Reply>()
  const slow = opened.send('ask', { ask: () => said.promise })
  await pause(20)
  expect(responseOf(await opened.send('echo')).id).toBe('a')
  said.resolve('"result":{}' as Reply)
  await slow
})

test('a refusal whose body never ends holds no connection', async () => {
  const refuse = ({ response }: Call) => void response.writeHead(404, { 'Content-Type': 'text/plain' }).write('No')
  await using opened = await openBoth({ era: 'legacy', tools: { refuse } })
  // As many as there are connections; a session that seems lost is opened anew, and the call made again.
  const calls = Array.from({ length: 4 }, () => failureOf(opened.send('refuse')))
  expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(Array(4).fill('upstream.bad_answer'))
  expect(responseOf(await opened.send('echo')).result).toBeDefined()
})
