import { createServer } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { allowInsecureRequests, customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { describe, expect, test } from 'vitest'
import { allow, failure, guard, listen, openServer, type Handler } from './outside.ts'

describe('what is sent and answered', () => {
  test('is what was asked, but for cookies, a host of its own and another name than ours', async () => {
    const { port, seen } = await openServer(async (request, response) => {
      const body = await request.setEncoding('utf8').reduce((whole: string, part: string) => whole + part, '')
      response.writeHead(201, { 'Set-Cookie': 'a=b', 'Content-Type': 'text/plain', ETag: '"1"' }).end(body)
    })
    const { fetch } = guard(allow(port))
    const headers = { Authorization: 'Bearer t', Cookie: 'a=b', Host: 'evil.test', 'User-Agent': '' }
    const answer = await fetch(`http://127.0.0.1:${port}/path?a=b#c`, { method: 'POST', headers, body: 'sent' })
    expect(answer).toBeInstanceOf(Response)
    expect([answer.status, await answer.text()]).toEqual([201, 'sent'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'content-type': 'text/plain', etag: '"1"' })
    expect(answer.headers.getSetCookie()).toEqual([])
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/path?a=b' })
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'user-agent': 'sekisho',
      host: `127.0.0.1:${port}`,
    })
    expect(seen[0]?.headers).not.toHaveProperty('cookie')
  })

  test('is the same for a Request, and a dispatcher that comes with it is not used', async () => {
    const { port, seen } = await openServer((_request, response) => response.writeHead(204).end())
    const { fetch } = guard(allow(port))
    const body = new URLSearchParams({ a: 'b' })
    const request = new Request(`http://127.0.0.1:${port}/`, { method: 'PUT', body })
    const dispatcher = { dispatch: () => expect.unreachable('the dispatcher was used') }
    const init: RequestInit = {}
    Reflect.set(init, 'dispatcher', dispatcher)
    const answer = await fetch(request, init)
    expect([answer.status, answer.body, seen[0]?.method]).toEqual([204, null, 'PUT'])
    expect(seen[0]?.headers['content-type']).toMatch('application/x-www-form-urlencoded')
  })

  test('serves the discovery of an OAuth library', async () => {
    const { port } = await openServer((request, response) => {
      expect(request.url).toBe('/.well-known/oauth-authorization-server')
      const issuer = `http://127.0.0.1:${port}`
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ issuer }))
    })
    const { fetch } = guard(allow(port))
    const issuer = new URL(`http://127.0.0.1:${port}`)
    const options = { [customFetch]: fetch, [allowInsecureRequests]: true, algorithm: 'oauth2' } as const
    const answer = await discoveryRequest(issuer, options)
    expect(await processDiscoveryResponse(issuer, answer)).toEqual({ issuer: issuer.origin })
  })

  test('a status that is no answer of HTTP, and an answer that ends early, are failures', async () => {
    const answers = ['HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhere']
    const server = createServer((socket) => void socket.once('data', () => socket.end(answers.shift() ?? '')))
    const port = await listen(server)
    const { fetch } = guard(allow(port))
    expect((await failure(fetch(`http://127.0.0.1:${port}/`))).code).toBe('outbound.failed')
    expect((await failure(fetch(`http://127.0.0.1:${port}/`))).code).toBe('outbound.failed')
  })
})

describe('an answer is too large', () => {
  const limit = 1_000
  const ask = async (handler: Handler) => {
    const { port } = await openServer(handler)
    return guard({ ...allow(port), maxBytes: limit }).fetch(`http://127.0.0.1:${port}/`)
  }

  test('by one byte, and not at the limit', async () => {
    const answer = await ask((_request, response) => response.end('a'.repeat(limit)))
    expect(await answer.text()).toHaveLength(limit)
    expect(await failure(ask((_request, response) => response.end('a'.repeat(limit + 1))))).toMatchObject({
      code: 'outbound.too_large',
      details: { limit, host: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    })
  })

  test('when it does not end, and is not read further', async () => {
    const gone = Promise.withResolvers<void>()
    const endless: Handler = (_request, response) => {
      const more = setInterval(() => response.write('a'.repeat(100)), 1)
      response.on('close', () => {
        clearInterval(more)
        gone.resolve()
      })
    }
    expect((await failure(ask(endless))).code).toBe('outbound.too_large')
    await gone.promise
  })

  test.for([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('when it grows while it is unpacked (%s)', async ([coding, pack]) => {
    const bomb = pack(Buffer.alloc(500_000))
    expect(bomb.length).toBeLessThan(limit)
    const packed: Handler = (_request, response) => {
      response.writeHead(200, { 'Content-Encoding': coding }).end(bomb)
    }
    expect((await failure(ask(packed))).code).toBe('outbound.too_large')
    const small = pack(Buffer.from('small'))
    const answer = await ask((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': coding }).end(small)
    })
    expect(await answer.text()).toBe('small')
  })

  test('as it is sent, though it unpacks to nothing', async () => {
    const empty = gzipSync('')
    const hollow: Handler = (_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' })
      for (let sent = 0; sent <= limit; sent += empty.length) response.write(empty)
      response.end()
    }
    expect((await failure(ask(hollow))).code).toBe('outbound.too_large')
  })
})

describe('redirects', () => {
  /** Answers `/to?<address>` with a redirect there, and tells all else what it was sent. */
  const lead: Handler = (request, response) => {
    const [path, target] = (request.url ?? '').split('?')
    if (path === '/to') response.writeHead(302, { Location: decodeURIComponent(target ?? '') }).end()
    else response.end(JSON.stringify({ path, authorization: request.headers.authorization }))
  }
  const to = (target: string) => `/to?${encodeURIComponent(target)}`

  test('are refused unless they were asked for, and given back where the caller looks itself', async () => {
    const { port, seen } = await openServer(lead)
    const { fetch } = guard(allow(port))
    const address = `http://127.0.0.1:${port}${to('/end')}`
    expect((await failure(fetch(address))).code).toBe('outbound.refused')
    expect((await failure(fetch(address, { redirect: 'error' }))).code).toBe('outbound.refused')
    const answer = await fetch(address, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/end'])
    expect(seen.map(({ url }) => url)).not.toContain('/end')
  })

  test('are followed as often as allowed, with the authorization of the same origin', async () => {
    const { port } = await openServer(lead)
    const { fetch } = guard({ ...allow(port), maxRedirects: 2 })
    const never = fetch(`http://127.0.0.1:${port}${to('/end')}`, { redirect: 'error' })
    expect((await failure(never)).code).toBe('outbound.refused')
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: 'Bearer t' } })
    expect(await (await ask(to(to('/end')))).json()).toEqual({ path: '/end', authorization: 'Bearer t' })
    expect((await failure(ask(to(to(to('/end')))))).code).toBe('outbound.refused')
  })

  test('to another origin carry no authorization', async () => {
    const [first, second] = [await openServer(lead), await openServer(lead)]
    const allowedHosts = [first, second].map(({ port }) => `127.0.0.1:${port}`)
    const { fetch } = guard({ allowedHosts, maxRedirects: 2 })
    const address = `http://127.0.0.1:${first.port}${to(`http://127.0.0.1:${second.port}/end`)}`
    const answer = await fetch(address, { headers: { Authorization: 'Bearer t' } })
    expect(await answer.json()).toEqual({ path: '/end' })
    expect(second.seen[0]?.headers).not.toHaveProperty('authorization')
  })

  test.for([
    'http://public.test/',
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://inner.test/',
    'https://user:word@public.test/',
    'file:///etc/passwd',
    '//2130706433/',
    'https://',
  ])('are looked at as the first address was: %s', async (target) => {
    const { port, seen } = await openServer(lead)
    const { fetch } = guard({ ...allow(port), maxRedirects: 5 }, { 'inner.test': ['10.0.0.1'] })
    expect((await failure(fetch(`http://127.0.0.1:${port}${to(target)}`))).code).toBe('outbound.refused')
    expect(seen).toHaveLength(1)
  })

  test('to what is no address are told by the host that sent them', async () => {
    const { port } = await openServer(lead)
    const { fetch } = guard({ ...allow(port), maxRedirects: 5 })
    const host = `127.0.0.1:${port}`
    expect((await failure(fetch(`http://${host}${to('https://')}`))).details).toMatchObject({ host })
  })

  test('never carry what was sent elsewhere', async () => {
    const { port, seen } = await openServer((_request, response) => {
      response.writeHead(307, { Location: '/end' }).end()
    })
    const { fetch } = guard({ ...allow(port), maxRedirects: 2 })
    const sent = fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'code=secret' })
    expect((await failure(sent)).code).toBe('outbound.refused')
    expect(seen).toHaveLength(1)
  })
})

describe('nobody waits for ever', () => {
  const timeoutMs = 200

  test.for<[string, Handler]>([
    ['says nothing', () => {}],
    ['stops in mid-answer', (_request, response) => response.write('a')],
    ['drips', (_request, response) => setInterval(() => response.write('a'), 20).unref()],
    [
      'redirects for ever',
      (_request, response) => {
        setTimeout(() => response.writeHead(302, { Location: '/' }).end(), 50)
      },
    ],
  ])('for a server that %s', async ([, handler]) => {
    const gone = Promise.withResolvers<void>()
    const { port, seen } = await openServer((request, response) => {
      response.on('close', () => seen.length < 2 && gone.resolve())
      handler(request, response)
    })
    const { fetch } = guard({ ...allow(port), timeoutMs, maxRedirects: 1_000 })
    const began = performance.now()
    expect(await failure(fetch(`http://127.0.0.1:${port}/`))).toMatchObject({
      code: 'outbound.timeout',
      details: { host: `127.0.0.1:${port}`, seconds: 0.2 },
    })
    expect(performance.now() - began).toBeLessThan(timeoutMs * 5)
    await gone.promise
  })

  test('for a handshake or a lookup that does not end', async () => {
    const port = await listen(createServer(() => {}))
    const silent = guard({ ...allow(port), timeoutMs })
    expect((await failure(silent.fetch(`https://127.0.0.1:${port}/`))).code).toBe('outbound.timeout')
    const lost = guard({ timeoutMs, lookup: () => new Promise(() => {}) })
    expect((await failure(lost.fetch('https://lost.test/'))).code).toBe('outbound.timeout')
  })

  test('when the caller’s own signal ends it, with the reason it gives', async () => {
    const arrived = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    const { port, seen } = await openServer((_request, response) => {
      response.on('close', gone.resolve)
      arrived.resolve()
    })
    const { fetch } = guard(allow(port))
    const address = `http://127.0.0.1:${port}/`
    const caller = new AbortController()
    const sent = fetch(address, { signal: caller.signal })
    await arrived.promise
    const reason = new Error('not wanted any more')
    caller.abort(reason)
    await expect(sent).rejects.toBe(reason)
    await gone.promise
    await expect(fetch(new Request(address, { signal: AbortSignal.abort() }))).rejects.toThrow('aborted')
    await expect(fetch(address, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(seen).toHaveLength(1)
  })

  test('when the gate closes, after which nobody is asked', async () => {
    const arrived = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    const { port, seen } = await openServer((_request, response) => {
      response.on('close', gone.resolve)
      arrived.resolve()
    })
    const { fetch, close } = guard(allow(port))
    const sent = failure(fetch(`http://127.0.0.1:${port}/`))
    await arrived.promise
    await close()
    expect((await sent).code).toBe('gate.stopping')
    await gone.promise
    expect((await failure(fetch(`http://127.0.0.1:${port}/`))).code).toBe('gate.stopping')
    expect(seen).toHaveLength(1)
  })
})
