import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createNetwork, readText, type FetchInit } from '../src/network.ts'

describe('requests to an API', () => {
  test('carry their method, headers and body, and bring back status, headers and body', async () => {
    await using site = await serve((request, response) => {
      const { method, url, headers } = request
      response.writeHead(418, { 'Retry-After': '7', 'Set-Cookie': ['one=1', 'two=2'] })
      const told = { method, url, authorization: headers.authorization, length: headers['content-length'] }
      void text(request).then((body) => response.end(JSON.stringify({ ...told, body })))
    })
    const answer = await site.fetch('/path?q=%C3%A9', {
      method: 'PATCH',
      headers: { authorization: 'Bearer x' },
      body: 'é=1',
    })
    expect(answer.status).toBe(418)
    expect(answer.headers.get('retry-after')).toBe('7')
    expect(answer.headers.get('Set-Cookie')).toBe('one=1, two=2')
    expect(answer.headers.get('etag')).toBeNull()
    expect(JSON.parse(await readText(answer))).toEqual({
      method: 'PATCH',
      url: '/path?q=%C3%A9',
      authorization: 'Bearer x',
      length: '4',
      body: 'é=1',
    })
  })

  test('ask for packed answers and unpack them', async () => {
    const long = 'かぐや様は告らせたい '.repeat(10_000)
    await using site = await serve((request, response) => {
      response.setHeader('X-Asked', String(request.headers['accept-encoding']))
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync(long))
    })
    const answer = await site.fetch('/')
    expect(answer.headers.get('x-asked')).toBe('gzip')
    expect(await readText(answer)).toBe(long)
  })

  test('fail where a packed answer is broken or bursts', async () => {
    await using site = await serve((request, response) => {
      const packed =
        request.url === '/bomb' ? gzipSync(Buffer.alloc(40 * 1024 * 1024)) : gzipSync('whole').subarray(0, 12)
      response.setHeader('Content-Encoding', 'gzip').end(packed)
    })
    await expect(site.fetch('/cut').then(readText)).rejects.toThrow('unexpected end of file')
    await expect(site.fetch('/bomb').then(readText)).rejects.toThrow('too large')
  })

  test('end when their signal fires: before the answer, and in the middle of it', async () => {
    await using site = await serve((request, response) => {
      if (request.url === '/half') response.write('half')
    })
    const before = new AbortController()
    const waiting = site.fetch('/none', { signal: before.signal })
    before.abort()
    await expect(waiting).rejects.toThrow('aborted')

    const during = new AbortController()
    const answer = await site.fetch('/half', { signal: during.signal })
    const reading = readText(answer)
    during.abort()
    await expect(reading).rejects.toThrow('aborted')
  })

  test('fail where the other side hangs up in the middle, or is not there', async () => {
    const site = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half', () => response.destroy())
    })
    await expect(site.fetch('/').then(readText)).rejects.toThrow('aborted')
    await site[Symbol.asyncDispose]()
    await expect(site.fetch('/')).rejects.toThrow('ECONNREFUSED')
  })

  test('go over one connection, one after the other', async () => {
    const ports = new Set<number | undefined>()
    await using site = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('{}')
    })
    for (let each = 0; each < 5; each += 1) await readText(await site.fetch('/'))
    expect(ports.size).toBe(1)
  })

  test('follow no redirect, which could take a token elsewhere', async () => {
    await using site = await serve((_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end())
    expect((await site.fetch('/')).status).toBe(302)
  })
})

/** A site on this machine, and the network that asks it. */
async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const network = createNetwork()
  return {
    fetch: (path: string, init: Partial<FetchInit> = {}) =>
      network.fetch(new URL(path, `http://127.0.0.1:${port}`), {
        method: 'GET',
        headers: {},
        redirect: 'manual',
        signal: new AbortController().signal,
        ...init,
      }),
    async [Symbol.asyncDispose]() {
      await network.close()
      server.closeAllConnections()
      server.close()
    },
  }
}
