import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { createEdge } from '../../src/http/edge.ts'
import { createRouter, type Route, type RouterNeeds } from '../../src/http/router.ts'
import { createUnderWay } from '../../src/http/under-way.ts'

test('while the gate stops everything is refused but what says how it is', async () => {
  let stopping = false
  const handle = createRouter({
    routes: [
      { path: '/health', whileStopping: true, handle: (_request, response) => void response.end('ok') },
      { path: '/work', handle: (_request, response) => void response.end('done') },
    ],
    checkEdge: () => {},
    isStopping: () => stopping,
    newRequestId: () => 'r-1',
    onFailure: () => {},
  })
  const server = createServer(handle).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Connection: 'close' } })
    return `${answer.status} ${await answer.text()}`
  }
  expect(await ask('/work')).toBe('200 done')
  stopping = true
  expect(await ask('/work')).toMatch(/^503 .*"gate\.stopping"/)
  expect(await ask('/health')).toBe('200 ok')
  server.close()
})

describe('what web pages of other origins are told', () => {
  const app = 'https://app.example.com'
  const asked = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'mcp-param-region' }
  const answering =
    (text: string): Route['handle'] =>
    (_request, response) =>
      void response.end(text)
  const routes: Route[] = [
    { path: '/mcp', origins: 'mcp', cors: ['POST', 'GET'], handle: answering('called') },
    { path: '/fails', origins: 'mcp', cors: ['POST'], handle: () => Promise.reject(problem('auth.required')) },
    { path: '/public', origins: 'any', cors: ['GET'], handle: answering('read') },
    { path: '/page', handle: answering('seen') },
  ]
  const settings = { publicUrl: 'https://gate.example.com', allowedHosts: [], allowedOrigins: [app] }
  const door = { routes, checkEdge: createEdge(settings), newRequestId: () => 'r-1', onFailure: () => {} }

  test('a preflight is answered before the route is asked, and while the gate stops; the edge comes first', async () => {
    await using gate = await open({ ...door, isStopping: () => true })
    const allowed = await gate.ask('/mcp', { method: 'OPTIONS', headers: { origin: app, ...asked } })
    expect([allowed.status, await allowed.text()]).toEqual([204, ''])
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'POST, GET',
      'access-control-allow-headers': expect.stringMatching(/Authorization.*mcp-param-region$/),
    })
    const refused = await gate.ask('/mcp', { method: 'OPTIONS', headers: { origin: 'https://evil.example', ...asked } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null])
    const unknown = await gate.ask('/page', { method: 'OPTIONS', headers: { origin: app, ...asked } })
    expect([unknown.status, unknown.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })

  test('an answer may be read where the route says so, a failure as well', async () => {
    await using gate = await open({ ...door, isStopping: () => false })
    const read = async (path: string, origin: string) => {
      const answer = await gate.ask(path, { headers: { origin } })
      return [answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]
    }
    expect(await read('/mcp', app)).toEqual([200, app, 'Origin'])
    expect(await read('/fails', app)).toEqual([401, app, 'Origin'])
    expect(await read('/public', 'https://anybody.example')).toEqual([200, '*', null])
    expect(await read('/page', settings.publicUrl)).toEqual([200, null, null])
    expect((await gate.ask('/public', {})).headers.get('access-control-allow-origin')).toBe('*')
    const plain = await gate.ask('/mcp', { method: 'OPTIONS' })
    expect(await plain.text()).toBe('called')
  })
})

describe('a request', () => {
  const say = (name: string): Route['handle'] => {
    return (_request, response, rest) => void response.end(`${name} ${rest}`)
  }
  const routes: Route[] = [
    { path: '/files/', prefix: true, handle: say('files') },
    { path: '/files/new', handle: say('new') },
    { path: '/health', anyHost: true, whileStopping: true, handle: say('health') },
    { path: '/fails', handle: () => Promise.reject(problem('auth.required')) },
    {
      path: '/half',
      async handle(_request, response) {
        response.writeHead(200, { 'Content-Length': '100' })
        await new Promise((sent) => response.write('half', sent))
        throw new Error('in the middle')
      },
    },
  ]
  function door(more: Partial<RouterNeeds> = {}) {
    const failures: string[] = []
    const onFailure: RouterNeeds['onFailure'] = ({ code }, requestId) => void failures.push(`${code} ${requestId}`)
    const needs = { routes, checkEdge: () => {}, isStopping: () => false, newRequestId: () => 'r-1', onFailure }
    return { failures, needs: { ...needs, ...more } }
  }
  const html = { headers: { accept: 'text/html,*/*' } }

  test('goes to the route of its path, whatever follows a question mark, or to the one its path begins with', async () => {
    await using gate = await open(door().needs)
    const read = async (path: string) => (await gate.ask(path, {})).text()
    expect(await read('/health?deep=/files/')).toBe('health ')
    expect(await read('/files/a/b?c')).toBe('files a/b')
    expect(await read('/files/new')).toBe('new ')
    expect(await read('/files/new/er')).toBe('files new/er')
  })

  test('to nowhere is answered as every failure is, which nobody guesses about or keeps', async () => {
    const { failures, needs } = door()
    await using gate = await open(needs)
    for (const path of ['/file', '/health/', '/healt', '/?/health']) {
      const answer = await gate.ask(path, {})
      expect([answer.status, answer.headers.get('x-request-id')]).toEqual([404, 'r-1'])
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      })
      expect(await answer.json()).toMatchObject({ error: { code: 'request.not_found' } })
    }
    expect(failures).toEqual(Array(4).fill('request.not_found r-1'))
  })

  test('of a host that the gate does not answer to is refused, but for what says how it is', async () => {
    const checkEdge = () => {
      throw problem('request.host')
    }
    await using gate = await open(door({ checkEdge }).needs)
    expect((await gate.ask('/files/new', {})).status).toBe(403)
    expect((await gate.ask('/health', {})).status).toBe(200)
  })

  test('that there is no room for is refused with how long to wait, but for what says how it is', async () => {
    const admit = () => {
      throw problem('gate.overloaded', { seconds: 7 })
    }
    await using gate = await open(door({ admit }).needs)
    const answer = await gate.ask('/files/new', {})
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7'])
    expect((await gate.ask('/health', {})).status).toBe(200)
  })

  test('that fails in the middle of its answer is cut off, and nothing is written into it', async () => {
    const { failures, needs } = door({ showPage: () => new Response('a page') })
    await using gate = await open(needs)
    const answer = await gate.ask('/half', html)
    await expect(answer.text()).rejects.toThrow('terminated')
    expect(failures).toEqual([expect.stringMatching(/ r-1$/)])
  })

  test('that fails is shown to a person at a browser as a page, and to a program as what it reads', async () => {
    const showPage = ({ code }: { code: string }, requestId: string) =>
      new Response(`page of ${code} ${requestId}`, { status: 401, headers: { 'X-Page': 'yes' } })
    await using gate = await open(door({ showPage }).needs)
    const read = async (init: RequestInit) => {
      const answer = await gate.ask('/fails', init)
      return `${answer.status} ${answer.headers.get('x-page')} ${await answer.text()}`
    }
    expect(await read(html)).toBe('401 yes page of auth.required r-1')
    expect(await read({ ...html, method: 'POST' })).toMatch(/^401 null \{.*"auth\.required"/)
    expect(await read({})).toMatch(/^401 null \{.*"auth\.required"/)
    await using bare = await open(door().needs)
    expect(await (await bare.ask('/fails', html)).json()).toMatchObject({ error: { code: 'auth.required' } })
  })

  test('whose page cannot be made is cut off', async () => {
    const broken = () => new Response(new ReadableStream({ pull: (body) => body.error(new Error('broken')) }))
    await using gate = await open(door({ showPage: broken }).needs)
    await expect(gate.ask('/fails', html)).rejects.toThrow('fetch failed')
  })
})

test('what is under way is waited for, whether it ends well or not, and no longer than there is time', async () => {
  const underWay = createUnderWay()
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  void underWay.follow(first.promise)
  underWay.follow(second.promise).catch(() => {})
  let landed = false
  const landing = underWay.landed(3_600_000).then(() => (landed = true))
  first.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  expect(landed).toBe(false)
  second.reject(new Error('gone wrong'))
  await landing

  void underWay.follow(new Promise(() => {}))
  await underWay.landed(1)
})

/** A server on loopback that is routed so. */
async function open(needs: RouterNeeds) {
  const server = createServer(createRouter(needs)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ask: (path: string, init: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
