import { describe, expect, test } from 'vitest'
import type { ClientView } from '../../src/upstreams/client.ts'
import type { Exchange, Question, Reply } from '../../src/upstreams/transport.ts'
import { ada, cancelled, exchangeOf, failureOf, odd, openPlace, refusal, textOf, until } from './children-harness.ts'

const SAMPLES = '{"sampling":{}}'
const FORMS = '{"elicitation":{}}'
const URLS = '{"elicitation":{"url":{}}}'

const sampling = { method: 'sampling/createMessage', params: { maxTokens: 5 } }
const ofSampler = { ...ada, capabilities: SAMPLES }

function clientOf(capabilities: string, session = 's-1'): ClientView {
  return { capabilities, session, logLevel: undefined }
}

/** A client that keeps what it is asked and says the same each time. */
function createClient(capabilities: string, says = '"result":{"said":"yes"}', session?: string) {
  const asked: Question[] = []
  const client = clientOf(capabilities, session)
  return {
    asked,
    client,
    ask: (question: Question) => {
      asked.push(question)
      return Promise.resolve(says as Reply)
    },
  }
}

/** A client that says nothing until it is told what. */
function createThinker() {
  const asked = Promise.withResolvers<void>()
  const reply = Promise.withResolvers<Reply>()
  const ask = () => {
    asked.resolve()
    return reply.promise
  }
  return { client: clientOf(SAMPLES), ask, isAsked: asked.promise, say: (text: string) => reply.resolve(text as Reply) }
}

/** A call of a tool by that client; with a token, it wants to hear of progress. */
function callBy(client: Partial<Exchange>, name: string, args: object = {}, token?: string): Exchange {
  const _meta = token === undefined ? undefined : { progressToken: token }
  const params = { name, arguments: args, _meta }
  return exchangeOf(JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params }), client)
}

describe('what a server asks in mid-call', () => {
  test('is answered by the client whose call it is, under the very id the server used', async () => {
    await using place = openPlace()
    const client = createClient(SAMPLES, '"result":{"n":12345678901234567890, "é":"\\u00e9"}')
    for (const raw of ['7', '"seven"', '"\\u0073even"', '9007199254740991']) {
      const line = textOf(await place.call(ofSampler, odd(), callBy(client, 'question', { ...sampling, raw })))
      expect(line).toBe(`{"jsonrpc":"2.0","id":${raw},"result":{"n":12345678901234567890, "é":"\\u00e9"}}`)
    }
    expect(client.asked).toHaveLength(4)
    expect(client.asked[0]).toEqual({ method: 'sampling/createMessage', params: '{"maxTokens":5}' })
  })

  test('goes to the call that was begun last, of those whose client can be asked', async () => {
    await using place = openPlace()
    const first = createClient(SAMPLES, '"result":{"by":"first"}', 's-1')
    const last = createClient(SAMPLES, '"result":{"by":"last"}', 's-2')
    const silent = place.call(ofSampler, odd(), callBy(first, 'slow', { ms: 400 }))
    await until(() => place.children.find(ofSampler)?.pending === 1)
    expect(textOf(await place.call(ofSampler, odd(), callBy(last, 'question', sampling)))).toContain('"by":"last"')
    await silent
    expect([first.asked.length, last.asked.length]).toEqual([0, 1])
  })

  test('goes on to another call that waits where the one it was taken to ended without a reply', async () => {
    await using place = openPlace()
    const waits = createClient(SAMPLES)
    const ends = createThinker()
    const waiting = place.call(ofSampler, odd(), callBy(waits, 'slow', { ms: 400 }))
    await until(() => place.children.find(ofSampler)?.pending === 1)
    await place.call(ofSampler, odd(), callBy(ends, 'askAndLeave', sampling))
    await ends.isAsked
    ends.say('"error":{"code":-32601,"message":"not now"}')
    await until(() => waits.asked.length === 1)
    await waiting
    expect(waits.asked[0]?.method).toBe('sampling/createMessage')
  })

  test('goes to the call it names, though another was begun later', async () => {
    await using place = openPlace()
    const first = createClient(SAMPLES, '"result":{"by":"first"}', 's-1')
    const last = createClient(SAMPLES, '"result":{"by":"last"}', 's-2')
    const calls = [first, last].map((client, index) =>
      place.call(ofSampler, odd(), callBy(client, 'question', sampling, `token-${index}`)),
    )
    const replies = (await Promise.all(calls)).map(textOf)
    expect(replies[0]).toContain('"by":"first"')
    expect(replies[1]).toContain('"by":"last"')
  })

  test('reaches a client that declared what it needs, and no other', async () => {
    await using place = openPlace()
    const withTools = { ...sampling, params: { ...sampling.params, tools: [] } }
    for (const [capabilities, question, asked] of [
      [SAMPLES, withTools, 0],
      ['{"sampling":{"tools":{}}}', withTools, 1],
      [FORMS, { method: 'elicitation/create', params: { mode: 'url' } }, 0],
      [URLS, { method: 'elicitation/create', params: { mode: 'url' } }, 1],
      [URLS, { method: 'elicitation/create', params: { message: 'who?' } }, 0],
      [SAMPLES, { method: 'roots/list' }, 0],
    ] as const) {
      const client = createClient(capabilities)
      await place.call({ ...ada, capabilities }, odd(), callBy(client, 'question', question))
      expect([capabilities, question.method, client.asked.length]).toEqual([capabilities, question.method, asked])
    }
  })

  test('goes to the call that waits for its task', async () => {
    await using place = openPlace()
    const waits = createClient(FORMS, '"result":{"by":"the one who waits"}', 's-1')
    const other = createClient(FORMS, '"result":{"by":"another"}', 's-2')
    const owner = { ...ada, capabilities: FORMS }
    const stop = new AbortController()
    const tasks = exchangeOf(
      '{"jsonrpc":"2.0","id":"t","method":"tools/call","params":{"taskId":"t-1","name":"silent"}}',
      {
        ...waits,
        signal: stop.signal,
      },
    )
    const waiting = failureOf(place.call(owner, odd(), tasks))
    await until(() => place.children.find(owner)?.pending === 1)
    const params = { message: 'who?', _meta: { 'io.modelcontextprotocol/related-task': { taskId: 't-1' } } }
    const line = await place.call(owner, odd(), callBy(other, 'question', { method: 'elicitation/create', params }))
    expect(textOf(line)).toContain('the one who waits')
    stop.abort(cancelled())
    await waiting
  })

  test('takes its own progress token for nobody’s call', async () => {
    await using place = openPlace()
    const first = createClient(SAMPLES, '"result":{"by":"first"}', 's-1')
    const last = createClient(SAMPLES, '"result":{"by":"last"}', 's-2')
    const silent = place.call(ofSampler, odd(), callBy(first, 'slow', { ms: 400 }, 'mine'))
    await until(() => place.children.find(ofSampler)?.pending === 1)
    // The call in flight is the second request of this pipe, after the opening; servers count their own the same way.
    const asks = callBy(last, 'question', { ...sampling, raw: '2', call: 2 })
    expect(textOf(await place.call(ofSampler, odd(), asks))).toContain('"by":"last"')
    await silent
  })

  test('holds up nobody else’s answer, however long the client thinks', async () => {
    await using place = openPlace()
    const thinker = createThinker()
    const thinking = place.call(ofSampler, odd(), callBy(thinker, 'question', sampling))
    await thinker.isAsked
    expect(textOf(await place.call(ofSampler, odd(), callBy(createClient(SAMPLES), 'pid')))).toMatch(/^\d+$/)
    thinker.say('"result":{"after":"a while"}')
    expect(textOf(await thinking)).toContain('a while')
  })
})

describe('a client', () => {
  test.for([
    ['sampling/createMessage', '{"roots":{}}'],
    ['roots/list', SAMPLES],
    ['elicitation/create', SAMPLES],
    ['tasks/get', '{"sampling":{},"roots":{},"elicitation":{}}'],
  ])('is not asked %s with nothing but %s', async ([method = '', capabilities = '']) => {
    await using place = openPlace()
    const client = createClient(capabilities)
    const owner = { ...ada, capabilities }
    const line = textOf(await place.call(owner, odd(), callBy(client, 'question', { method, params: {} })))
    expect(JSON.parse(line)).toMatchObject({ error: { code: -32601 } })
    expect(client.asked).toEqual([])
  })

  test.for([
    [FORMS, 'form', true],
    [FORMS, undefined, true],
    [FORMS, 'url', false],
    [URLS, 'url', true],
    [URLS, 'form', false],
    ['{"elicitation":{"form":{},"url":{}}}', undefined, true],
  ] as const)('with %s is asked in the mode %s: %s', async ([capabilities, mode, isAsked]) => {
    await using place = openPlace()
    const client = createClient(capabilities)
    const question = { method: 'elicitation/create', params: { mode, message: 'who?' } }
    await place.call({ ...ada, capabilities }, odd(), callBy(client, 'question', question))
    expect(client.asked).toHaveLength(isAsked ? 1 : 0)
  })

  test('that fails to answer has refused', async () => {
    await using place = openPlace()
    const broken = { client: clientOf(SAMPLES), ask: () => Promise.reject(new Error('gone')) }
    const line = textOf(await place.call(ofSampler, odd(), callBy(broken, 'question', sampling)))
    expect(JSON.parse(line)).toMatchObject({ id: 'q1', error: { code: -32601 } })
  })

  test('of a shared child is promised nothing and asked nothing, whatever it could do', async () => {
    await using place = openPlace()
    const shared = { ...ada, userId: undefined }
    const client = createClient(SAMPLES)
    expect(textOf(await place.call(shared, odd(), callBy(client, 'promised')))).toBe('{}')
    const line = textOf(await place.call(shared, odd(), callBy(client, 'question', sampling)))
    expect(JSON.parse(line)).toMatchObject({ error: { code: -32601 } })
    expect(client.asked).toEqual([])
  })
})

describe('a reply', () => {
  const repliesAt = async (place: ReturnType<typeof openPlace>) =>
    textOf(await place.call(ofSampler, odd(), callBy(createClient(SAMPLES), 'replies')))

  test('that comes when its call is over reaches nobody', async () => {
    await using place = openPlace()
    const thinker = createThinker()
    await place.call(ofSampler, odd(), callBy(thinker, 'askAndLeave', sampling))
    await thinker.isAsked
    thinker.say('"result":{}')
    expect(await repliesAt(place)).toBe('[]')
  })

  test('that comes when its call was cancelled reaches nobody', async () => {
    await using place = openPlace()
    const thinker = createThinker()
    const exchange = callBy(thinker, 'question', sampling)
    const asking = failureOf(place.call(ofSampler, odd(), exchange))
    await thinker.isAsked
    exchange.abort(cancelled())
    await asking
    thinker.say('"result":{}')
    expect(await repliesAt(place)).toBe('[]')
  })

  test('to a question that the server has taken back reaches nobody', async () => {
    await using place = openPlace()
    const thinker = createThinker()
    const other = place.call(ofSampler, odd(), callBy(createClient(SAMPLES), 'slow', { ms: 300 }))
    await place.call(ofSampler, odd(), callBy(thinker, 'askAndCancel', sampling))
    await thinker.isAsked
    thinker.say('"result":{}')
    expect(await repliesAt(place)).toBe('[]')
    await other
  })
})

describe('what a server asks when no call waits', () => {
  const askLater = { ...sampling, ms: 50 }

  test('is answered by whoever listens there and can be asked, and by nobody else', async () => {
    await using place = openPlace()
    const lists = { lists: new Set<never>(), uris: new Set<string>() }
    const idle = createClient('{}', refusal)
    const listening = createClient(SAMPLES, '"result":{"by":"a listener"}')
    for (const one of [idle, listening]) {
      const starting = { placement: undefined, renew: () => Promise.reject(new Error('none')) }
      place.children.watch(ofSampler, { ...one, interests: lists, notify() {} }, starting)
    }
    await place.call(ofSampler, odd(), callBy(createClient(SAMPLES), 'askLater', askLater))
    await until(() => listening.asked.length === 1)
    await until(async () => (await place.call(ofSampler, odd(), callBy(idle, 'replies'))).includes('a listener'))
    expect(idle.asked).toEqual([])
  })

  test('is refused where nobody listens', async () => {
    await using place = openPlace()
    const gone = createClient(SAMPLES)
    await place.call(ofSampler, odd(), callBy(gone, 'askLater', askLater))
    await until(async () => {
      const replies = await place.call(ofSampler, odd(), callBy({ client: clientOf('{}') }, 'replies'))
      return textOf(replies).includes('-32601')
    })
    expect(gone.asked).toEqual([])
  })
})
