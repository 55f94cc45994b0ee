import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { createChildren } from '../../src/upstreams/children/pool.ts'
import type { ClientView } from '../../src/upstreams/client.ts'
import type { Question, Reply, Transport } from '../../src/upstreams/transport.ts'
import { createGreet } from '../../src/upstreams/transports/stdio-greet.ts'
import { createStdioTransport } from '../../src/upstreams/transports/stdio.ts'
import { ada, createWatcher, interestsOf, logInto, textOf, toolCall, until, usual } from './children-harness.ts'
import { asAda, openSse, startEverythingSse } from './sse-harness.ts'

const require = createRequire(import.meta.url)
const EVERYTHING = require.resolve('@modelcontextprotocol/server-everything/dist/index.js')

interface Open extends AsyncDisposable {
  readonly transport: Transport
}

function openStdio(): Promise<Open> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekisho-everything-'))
  const greet = createGreet(upstreamEras)
  const children = createChildren({ clock: systemClock, log: logInto([]), settings: usual, stateDir, greet })
  const launch = { command: process.execPath, args: [EVERYTHING], env: {} }
  const transport = createStdioTransport({ children, upstream: ada.upstream, shared: false, launchFor: () => launch })
  return Promise.resolve({
    transport,
    async [Symbol.asyncDispose]() {
      await children.close()
      rmSync(stateDir, { recursive: true, force: true })
    },
  })
}

async function openHttp(): Promise<Open> {
  const server = await startEverythingSse()
  const open = openSse(server.url)
  return {
    transport: open.transport,
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const able: ClientView = {
  capabilities: '{"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true},"sampling":{}}',
  session: 's-1',
  logLevel: undefined,
}

const REPLIES: Readonly<Record<string, string>> = {
  'sampling/createMessage':
    '"result":{"role":"assistant","model":"a model","content":{"type":"text","text":"said by a model"}}',
  'elicitation/create': '"result":{"action":"accept","content":{"name":"Ada"}}',
  'roots/list': '"result":{"roots":[{"uri":"file:///home/ada","name":"Ada’s home"}]}',
}

/** Calls a tool as a client that can be asked everything; answers with its text, and with what was asked. */
async function call({ transport }: Open, name: string, args: object = {}, client = able) {
  const asked: Question[] = []
  const ask = (question: Question) => {
    asked.push(question)
    return Promise.resolve((REPLIES[question.method] ?? '') as Reply)
  }
  const answer = await transport.send(toolCall(name, args, { client, ask }), asAda)
  return { asked, text: answer.kind === 'whole' ? textOf(answer.bytes.toString()) : '' }
}

describe.for([
  ['stdio', openStdio],
  ['HTTP+SSE', openHttp],
] as const)('the reference server over %s', ([, openServer]) => {
  test('has a model say something in mid-call', async () => {
    await using open = await openServer()
    const { asked, text } = await call(open, 'trigger-sampling-request', { prompt: 'hello', maxTokens: 7 })
    expect(asked.map(({ method, params }) => [method, JSON.parse(params).maxTokens])).toEqual([
      ['sampling/createMessage', 7],
    ])
    expect(text).toContain('said by a model')
  })

  test('asks a person in mid-call, by a form and by an address', async () => {
    await using open = await openServer()
    expect((await call(open, 'trigger-elicitation-request')).text).toContain('provided the requested information')
    const { asked, text } = await call(open, 'trigger-url-elicitation', { url: 'https://example.com/open' })
    expect(asked.map(({ params }) => JSON.parse(params))).toMatchObject([
      { mode: 'url', url: 'https://example.com/open' },
    ])
    expect(text).toMatch(/accept|complet/i)
  })

  test('asks for the roots of a client that has some', async () => {
    await using open = await openServer()
    const { asked, text } = await call(open, 'get-roots-list')
    expect(asked.map(({ method }) => method)).toEqual(['roots/list'])
    expect(text).toContain('file:///home/ada')
  })

  test('asks for them again when it is told that they have changed', async () => {
    await using open = await openServer()
    await call(open, 'get-roots-list')
    const asked: string[] = []
    const ask = ({ method }: Question) => {
      asked.push(method)
      return Promise.resolve('"result":{"roots":[{"uri":"file:///moved","name":"moved"}]}' as Reply)
    }
    open.transport.watch(createWatcher([], [], { client: able, ask }).watcher, asAda)
    open.transport.tell(Buffer.from('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'), able, asAda)
    await until(() => asked.includes('roots/list'))
    await until(async () => (await call(open, 'get-roots-list')).text.includes('file:///moved'))
    expect(asked).toEqual(['roots/list'])
  })

  test('offers a client that can do nothing none of that', async () => {
    await using open = await openServer()
    const plain = { ...able, capabilities: '{}' }
    expect((await call(open, 'trigger-sampling-request', { prompt: 'x' }, plain)).text).toContain('not found')
  })

  test('logs at the level that is wanted', async () => {
    await using open = await openServer()
    const heard: string[] = []
    const notify = (message: Buffer, method: string) => {
      if (method === 'notifications/message') heard.push(message.toString())
    }
    const client = { ...able, logLevel: 'info' as const }
    await call(open, 'echo', { message: 'hello' }, client)
    const subscribing = open.transport.watch(createWatcher([], [], { client, notify }).watcher, asAda)
    await subscribing.update(interestsOf([], ['demo://resource/dynamic/text/1']))
    await until(() => heard.length > 0)
    expect(heard[0]).toContain('Received Subscribe Resource request')
  })

  test('tells of a resource that was subscribed to', async () => {
    await using open = await openServer()
    const { heard, watcher } = createWatcher([], [], { client: able })
    const watching = open.transport.watch(watcher, asAda)
    const wanted = interestsOf(['tools'], ['demo://resource/dynamic/text/1'])
    expect(await watching.update(wanted)).toEqual(wanted)
    await call(open, 'toggle-subscriber-updates')
    await until(() => heard.includes('resources/updated demo://resource/dynamic/text/1'))
  })
})
