import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { startHeaderProxy } from '../../../../scripts/lib/header-proxy.ts'

it('adds its header and leaves every other as it came, Host and Origin included', async () => {
  await using target = await startTarget((seen, response) => response.end(JSON.stringify(seen.headers)))
  await using proxy = await proxyTo(target.url)
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/mcp`, { headers: { Origin: 'http://evil.example' } })
  expect(await answer.json()).toMatchObject({
    host: `127.0.0.1:${proxy.port}`,
    origin: 'http://evil.example',
    authorization: 'Bearer one',
  })
})

it('carries method, path, body and status through', async () => {
  await using target = await startTarget((seen, response) => {
    response.writeHead(418, { 'X-Seen': `${seen.method} ${seen.url}` })
    seen.pipe(response)
  })
  await using proxy = await proxyTo(target.url)
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/mcp/up?x=1`, { method: 'POST', body: 'hello' })
  expect([answer.status, answer.headers.get('X-Seen'), await answer.text()]).toEqual([418, 'POST /mcp/up?x=1', 'hello'])
})

it('hands on the beginning of an answer before its end is there', async () => {
  const finish = Promise.withResolvers<void>()
  await using target = await startTarget(async (_seen, response) => {
    response.write('first')
    await finish.promise
    response.end('last')
  })
  await using proxy = await proxyTo(target.url)
  const answer = await fetch(`http://127.0.0.1:${proxy.port}/`)
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toBe('first')
  finish.resolve()
  expect((await reader?.read())?.value).toBe('last')
})

it('hangs up on the target when the client hangs up', async () => {
  const left = Promise.withResolvers<void>()
  await using target = await startTarget((seen, response) => {
    seen.socket.once('close', () => left.resolve())
    response.write('first')
  })
  await using proxy = await proxyTo(target.url)
  const client = request({ port: proxy.port, host: '127.0.0.1' }, (answer) => answer.destroy())
  client.on('error', () => undefined).end()
  await expect(left.promise).resolves.toBeUndefined()
})

it('answers 502 where nobody is at the target', async () => {
  await using proxy = await proxyTo(`http://127.0.0.1:${await freePort()}`)
  expect((await fetch(`http://127.0.0.1:${proxy.port}/`)).status).toBe(502)
})

function proxyTo(target: string) {
  return startHeaderProxy({ port: 0, target, headers: { Authorization: 'Bearer one' } })
}

type Answering = (seen: IncomingMessage, response: ServerResponse) => unknown

async function startTarget(answer: Answering) {
  const server = createServer((seen, response) => void answer(seen, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
