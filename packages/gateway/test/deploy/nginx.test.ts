import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { startEverything } from '@sekisho/playground/everything/http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { envelopeOf, headersOf } from '../e2e/eras.ts'
import { NGINX, startNginx, type Nginx } from './nginx.ts'

if (NGINX === undefined) console.warn('nginx is not installed: its tests are left out, or fail in CI.')

/** A gate behind nginx as `deploy/nginx` has it, and a server of many features behind the gate. */
describe.skipIf(NGINX === undefined && process.env['CI'] !== 'true')('behind nginx, a client', () => {
  const opened = new AsyncDisposableStack()
  let gate: Gate
  let nginx: Nginx
  let key: string
  afterAll(() => opened.disposeAsync())
  beforeAll(async () => {
    const everything = opened.use(await startEverything({ port: 0 }))
    const [port, gatePort] = [await freePort(), await freePort()]
    const config = {
      publicUrl: `https://localhost:${port}`,
      trustProxy: ['loopback'],
      limits: { perMinute: { register: 3 } },
      mcpServers: { everything: { url: everything.url } },
    }
    gate = opened.use(await startGate({ port: gatePort, config }))
    nginx = opened.use(await startNginx(port, gatePort))
    key = (await gate.addUser('ada')).key
  })

  interface Asking {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    /** The address it is asked from. */
    readonly localAddress?: string
  }

  async function ask(path: string, { body, ...asking }: Asking = {}): Promise<IncomingMessage> {
    const sent = secureRequest(`${nginx.origin}${path}`, { ...asking, ca: nginx.certificate, agent: false })
    const [answer] = await once(sent.end(body), 'response')
    return answer
  }

  function call(name: string, args: object = {}, meta: object = {}): Promise<IncomingMessage> {
    return send('tools/call', { name, arguments: args, _meta: meta })
  }

  function send(method: string, given: object): Promise<IncomingMessage> {
    const params = envelopeOf('modern', given)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const own = { Authorization: `Bearer ${key}`, Accept: 'application/json, text/event-stream' }
    const headers = { ...headersOf('modern', method, given), ...own, 'Content-Type': 'application/json' }
    return ask('/mcp/everything', { method: 'POST', headers, body })
  }

  test('reaches the gate over TLS, and is sent there where it came without', async () => {
    const answer = await ask('/health/ready')
    expect([answer.statusCode, answer.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000'])
    const [redirect] = await once(request(`http://localhost:${nginx.plainPort}/account?x=1`).end(), 'response')
    expect([redirect.statusCode, redirect.headers.location]).toEqual([308, 'https://localhost/account?x=1'])
  })
  test('is who it is, whatever it says of itself', async () => {
    const register = async (localAddress: string, spoofed: string) => {
      const headers = { 'X-Forwarded-For': spoofed, Forwarded: `for=${spoofed}`, 'Content-Type': 'application/json' }
      const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'] })
      return (await ask('/register', { method: 'POST', headers, body, localAddress })).resume().statusCode
    }
    const asked = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4']
    const statuses = []
    for (const spoofed of asked) statuses.push(await register('127.0.0.21', spoofed))
    expect(statuses).toEqual([201, 201, 201, 429])
    expect(await register('127.0.0.22', '127.0.0.21')).toBe(201)
  })

  test('is answered in pieces, each when it was sent', async () => {
    const answer = await call('test_tool_with_progress', {}, { progressToken: 'p' })
    const began = performance.now()
    const at: number[] = []
    let whole = ''
    for await (const piece of answer.setEncoding('utf8')) {
      whole += piece
      for (const _ of String(piece).matchAll(/"progress":/g)) at.push(performance.now() - began)
    }
    expect(at).toHaveLength(3)
    const [first = 0, , last = 0] = at
    expect(last - first).toBeGreaterThan(60)
    expect(whole).toContain('Tool with progress executed')
  })

  test('keeps a stream open, and is told on it of what happens', async () => {
    const stream = await send('subscriptions/listen', { notifications: { toolsListChanged: true } })
    const told = new Promise<string>((resolve) => {
      let heard = ''
      stream.setEncoding('utf8').on('data', (piece: string) => {
        heard += piece
        if (heard.includes('notifications/tools/list_changed')) resolve(heard)
      })
    })
    ;(await call('test_trigger_tool_change')).resume()
    expect(await told).toContain('list_changed')
    stream.destroy()
  })

  test('sends and is sent large bodies, and hears from the gate what is too large', async () => {
    const name = 'long '.repeat(600_000)
    const answer = await call('greet', { name })
    expect((await text(answer)).length).toBeGreaterThan(name.length)
    const refused = await call('greet', { name: name.repeat(2) })
    expect(refused.statusCode).toBe(413)
    expect(JSON.parse(await text(refused))).toMatchObject({ error: { data: { code: 'request.too_large' } } })
  })
})
