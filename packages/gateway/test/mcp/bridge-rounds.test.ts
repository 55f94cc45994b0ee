import { startEverything } from '@sekisho/playground/everything/http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { notAsked } from '../../src/mcp/bridge/askable.ts'
import { completeRounds } from '../../src/mcp/bridge/rounds.ts'
import type { RpcRequest } from '../../src/base/json-rpc.ts'
import type { Answer, Question, Reply } from '../../src/upstreams/transport.ts'
import { codeOf } from '../stores/outcome.ts'
import { request } from './bridge-scene.ts'

const server = 'travel' as UpstreamId
const { signal } = new AbortController()

function whole(text: string): Answer & { kind: 'whole' } {
  return { kind: 'whole', bytes: Buffer.from(text), era: 'modern', status: 200 }
}

function textOf(answer: Answer): string {
  return answer.kind === 'whole' ? answer.bytes.toString() : 'a stream'
}

/** Rounds with an upstream that answers with these, one after the other, and the last one for ever. */
function rounds(answers: readonly string[], ask: (question: Question) => string) {
  const sent: RpcRequest[] = []
  const asked: Question[] = []
  const outcome = completeRounds({
    answer: whole(answers[0] ?? ''),
    request: request('{"name":"book","arguments":{"n":1.50}}', { id: 7 }),
    ask: async (question) => {
      asked.push(question)
      return ask(question) as Reply
    },
    again: async (message) => {
      sent.push(message)
      return whole(answers[Math.min(sent.length, answers.length - 1)] ?? '')
    },
    server,
    signal,
  })
  return { outcome, sent, asked }
}

const wants = (inside: string) => `{"jsonrpc":"2.0","id":7,"result":{"resultType":"input_required",${inside}}}`
const question = (method: string, params = '{"message":"?"}') => `{"method":"${method}","params":${params}}`
const done = '{"jsonrpc":"2.0","id":"7.1","result":{"content":[ ]}}'

describe('an older client in front of a newer server', () => {
  test('is asked all at once, and what it says goes back with the state, byte for byte', async () => {
    const params = '{ "message":"é\\u00e9","max": 1.0,"big":12345678901234567890 }'
    const first = wants(
      `"requestState":"a\\/b\\u0000\\ud800","inputRequests":{"x y":${question('elicitation/create', params)},"z":{"method":"roots/list"}}`,
    )
    const { outcome, sent, asked } = rounds([first, done], ({ method }) =>
      method === 'roots/list' ? '"result": {"roots":[1e400]}' : '"result":{"action":"accept", "content":{"n":2.0}}',
    )
    expect(textOf(await outcome)).toBe('{"jsonrpc":"2.0","id":7,"result":{"content":[ ]}}')
    expect(asked).toEqual([
      { method: 'elicitation/create', params },
      { method: 'roots/list', params: '' },
    ])
    expect(sent.map(({ bytes }) => bytes.toString())).toEqual([
      '{"jsonrpc":"2.0","id":"7.1","method":"tools/call","params":{"name":"book","arguments":{"n":1.50},' +
        '"inputResponses":{"x y":{"action":"accept", "content":{"n":2.0}},"z":{"roots":[1e400]}},"requestState":"a\\/b\\u0000\\ud800"}}',
    ])
  })

  test('is not asked anything by an answer that only speaks of it', async () => {
    for (const text of [
      done,
      '{"id":7,"result":{"content":[{"text":"\\"resultType\\":\\"input_required\\""}],"status":"input_required"}}',
      '{"id":7,"result":{"structuredContent":{"resultType":"input_required"}}}',
      '{"id":7,"error":{"code":1,"message":"x","data":{"resultType":"input_required"}}}',
      '{"id":7,"result":"input_required"}',
    ]) {
      const answer = whole(text)
      const again = () => Promise.reject(new Error('asked again'))
      const ask = again
      expect(await completeRounds({ answer, request: request('{}'), ask, again, server, signal })).toBe(answer)
    }
  })

  test('comes with the state of the last answer alone, and with no other', async () => {
    const { outcome, sent } = rounds(
      [wants('"requestState":"one"'), wants(`"inputRequests":{"q":${question('elicitation/create')}}`), done],
      () => '"result":{"action":"accept"}',
    )
    await outcome
    expect(sent.map(({ id, paramsValue }) => ({ id, ...paramsValue }))).toEqual([
      { id: '7.1', name: 'book', arguments: { n: 1.5 }, requestState: 'one' },
      { id: '7.2', name: 'book', arguments: { n: 1.5 }, inputResponses: { q: { action: 'accept' } } },
    ])
  })

  test('that cannot be asked has turned the form away; what cannot be said instead fails the call and says what is missing', async () => {
    const refuse = () => '"error":{"code":-32601,"message":"no"}'
    const form = rounds([wants(`"inputRequests":{"q":${question('elicitation/create')}}`), done], refuse)
    await form.outcome
    expect(form.sent[0]?.paramsValue?.['inputResponses']).toEqual({ q: { action: 'cancel' } })
    for (const method of ['sampling/createMessage', 'roots/list']) {
      const { outcome, sent } = rounds([wants(`"inputRequests":{"q":${question(method)}}`), done], refuse)
      await expect(outcome).rejects.toMatchObject({
        code: 'client.not_asked',
        message: expect.stringContaining(method),
      })
      expect(sent).toEqual([])
    }
  })

  test('that cancels while it is asked has cancelled, and lacks nothing', async () => {
    for (const method of ['elicitation/create', 'sampling/createMessage', 'roots/list']) {
      const cancelling = new AbortController()
      const outcome = completeRounds({
        answer: whole(wants(`"inputRequests":{"q":${question(method)}}`)),
        request: request('{}'),
        async ask(asked) {
          cancelling.abort(problem('request.cancelled'))
          return notAsked(asked)
        },
        again: () => Promise.reject(new Error('asked again')),
        server,
        signal: cancelling.signal,
      })
      expect([method, await codeOf(outcome)]).toEqual([method, 'request.cancelled'])
    }
  })

  test('is given an id with an address that is to be opened, as its revision has it', async () => {
    const url = question('elicitation/create', '{"mode":"url","url":"https://x.example","message":"?"}')
    const own = question('elicitation/create', '{"mode":"url","elicitationId":"own","url":"https://x.example"}')
    const { outcome, asked } = rounds(
      [wants(`"inputRequests":{"a":${url},"b":${own}}`), done],
      () => '"result":{"action":"accept"}',
    )
    await outcome
    expect(JSON.parse(asked[0]?.params ?? '')).toEqual({
      mode: 'url',
      url: 'https://x.example',
      message: '?',
      elicitationId: expect.stringMatching(/^[\da-f-]{36}$/),
    })
    expect(asked[1]?.params).toBe('{"mode":"url","elicitationId":"own","url":"https://x.example"}')
  })

  test('is not asked for ever', async () => {
    const { outcome, sent } = rounds([wants('"requestState":"on"')], () => '')
    await expect(outcome).rejects.toMatchObject({ code: 'upstream.asks_on', details: { server, rounds: 16 } })
    expect(sent).toHaveLength(16)
  })

  test.each([
    '"inputRequests":{"q":{"params":{}}}',
    '"inputRequests":{"q":7}',
    '"inputRequests":[1]',
    '"inputRequests":{"q":{"method":"x"',
  ])('has a server in front of it that asks badly: %s', async (inside) => {
    expect(await codeOf(rounds([wants(inside), done], () => '"result":{}').outcome)).toBe('upstream.bad_answer')
  })

  test('that goes while it is asked is asked nothing more', async () => {
    const controller = new AbortController()
    const outcome = completeRounds({
      answer: whole(wants(`"inputRequests":{"q":${question('elicitation/create')}}`)),
      request: request('{}'),
      ask: async () => {
        controller.abort(problem('request.cancelled'))
        return '"error":{}' as Reply
      },
      again: () => Promise.reject(new Error('asked again')),
      server,
      signal: controller.signal,
    })
    expect(await codeOf(outcome)).toBe('request.cancelled')
  })
})

describe('in front of a real server of the newer era', () => {
  let everything: Awaited<ReturnType<typeof startEverything>>
  beforeAll(async () => {
    everything = await startEverything({ port: 0, era: 'modern' })
  })
  afterAll(() => everything.close())

  const META =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":' +
    '{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}}'

  async function send({ bytes, method, name }: RpcRequest): Promise<Answer> {
    const headers = {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': method,
      'Mcp-Name': name ?? '',
    }
    const response = await fetch(everything.url, { method: 'POST', headers, body: new Uint8Array(bytes) })
    return whole(await response.text())
  }

  const replies: Readonly<Record<string, string>> = {
    'What is your name?': '{"action":"accept","content":{"name":"Ada"}}',
    'Step 1: What is your name?': '{"action":"accept","content":{"name":"Ada"}}',
    'Step 2: What is your favorite color?': '{"action":"accept","content":{"color":"red"}}',
    'Please confirm': '{"action":"accept","content":{"ok":true}}',
  }
  async function ask({ method, params }: Question): Promise<Reply> {
    if (method === 'roots/list') return '"result":{"roots":[{"uri":"file:///home/ada"}]}' as Reply
    const { message } = JSON.parse(params) as { message?: string }
    const said = replies[message ?? ''] ?? '{"role":"assistant","model":"m","content":{"type":"text","text":"Hello"}}'
    return `"result":${said}` as Reply
  }

  test.each([
    ['elicitation', 'Hello, Ada!'],
    ['sampling', 'Hello'],
    ['list_roots', 'Roots: file:///home/ada'],
    ['request_state', 'state-ok, confirmed: true'],
    ['multiple_inputs', 'Hello Ada has 1 roots.'],
    ['multi_round', 'Ada likes red.'],
  ])('a call of %s is completed', async (tool, expected) => {
    const first = request(`{"name":"test_input_required_result_${tool}","arguments":{},${META}}`, { id: 3 })
    const answer = await completeRounds({ answer: await send(first), request: first, ask, again: send, server, signal })
    expect(JSON.parse(textOf(answer))).toMatchObject({ id: 3, result: { content: [{ text: expected }] } })
  })
})
