import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { asProblem } from '../../src/base/problem.ts'
import { serveWeb } from '../../src/http/web.ts'

/** A server whose answers a handler of the web's makes, and what that handler was asked. */
async function openServer(answer: () => Response = () => new Response('here')) {
  const seen: { method: string; url: string; headers: Headers; body: string }[] = []
  const fetch = async (asked: Request) => {
    seen.push({ method: asked.method, url: asked.url, headers: asked.headers, body: await asked.text() })
    return answer()
  }
  const server = createServer((incoming, response) => {
    serveWeb(incoming, response, { bodyLimit: 10, fetch }).catch((error: unknown) => {
      response.writeHead(400).end(asProblem(error).code)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  async function ask(method: string, { path = '/', headers = {}, body = '' } = {}) {
    const sent = request({ port, host: '127.0.0.1', method, path, headers, agent: false })
    const [response] = await once(sent.end(body), 'response')
    return {
      status: response.statusCode,
      headers: response.headers,
      rawHeaders: response.rawHeaders,
      body: await text(response),
    }
  }
  return { seen, ask }
}

test('a request is handed on as it came: method, address, headers and body', async () => {
  const { seen, ask } = await openServer()
  const headers = { 'X-One': '1', 'Set-Cookie': ['a=1', 'b=2'], Cookie: 'c=3' }
  expect(await ask('POST', { path: '/path?a=b', headers, body: '1234567890' })).toMatchObject({
    status: 200,
    body: 'here',
  })
  expect(seen[0]).toMatchObject({ method: 'POST', url: 'http://gate.invalid/path?a=b', body: '1234567890' })
  const kept = Object.fromEntries(seen[0]?.headers ?? [])
  expect(kept).toMatchObject({ 'x-one': '1', 'set-cookie': 'a=1, b=2', cookie: 'c=3' })
})

test('what asks for a page brings no body, and none is waited for', async () => {
  const { seen, ask } = await openServer()
  expect((await ask('GET')).body).toBe('here')
  expect((await ask('HEAD')).status).toBe(200)
  expect(seen.map(({ method, body }) => `${method} ${body}`)).toEqual(['GET ', 'HEAD '])
})

test('a body that is too large, and a method that the web forbids, never get there', async () => {
  const { seen, ask } = await openServer()
  expect(await ask('POST', { body: '12345678901' })).toMatchObject({ status: 400, body: 'request.too_large' })
  expect(await ask('TRACE')).toMatchObject({ status: 400, body: 'request.http_method' })
  expect(seen).toEqual([])
})

test('an answer is sent as it is: status, length, and every cookie by itself', async () => {
  const headers = new Headers({ 'Content-Type': 'text/plain' })
  for (const cookie of ['a=1', 'b=2']) headers.append('Set-Cookie', cookie)
  const { ask } = await openServer(() => new Response('größer', { status: 418, headers }))
  expect(await ask('GET')).toMatchObject({
    status: 418,
    headers: { 'content-type': 'text/plain', 'content-length': '8', 'set-cookie': ['a=1', 'b=2'] },
    body: 'größer',
  })
})
