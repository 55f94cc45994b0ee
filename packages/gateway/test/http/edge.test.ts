import { once } from 'node:events'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import { createEdge, type Origins } from '../../src/http/edge.ts'
import { listen } from '../../src/http/serve.ts'

/** Which web pages may send a request, by its path. */
const ORIGINS: Readonly<Record<string, Origins>> = { '/mcp': 'mcp', '/token': 'any' }

/** Listens on a port that the system chose, and answers with what the edge says of the headers it is sent. */
async function openDoor() {
  const publicUrl = 'https://gate.example.com'
  const check = createEdge({ publicUrl, allowedHosts: ['inner:80'], allowedOrigins: ['https://app.example.com'] })
  const listener = await listen(
    (incoming, response) => {
      try {
        check(incoming, ORIGINS[incoming.url ?? ''])
        response.end('let in')
      } catch (error) {
        response.end(error instanceof Problem ? error.code : String(error))
      }
    },
    { host: '127.0.0.1', port: 0 },
    { requestMs: 5_000, refuse: (_error, socket) => socket.destroy() },
  )
  const { port } = listener
  return {
    port,
    async knock(headers: Readonly<Record<string, string>>, path = '/'): Promise<string> {
      const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }).end()
      const [response] = await once(sent, 'response')
      return String(await response.setEncoding('utf8').reduce((whole: string, part: string) => whole + part, ''))
    },
    [Symbol.asyncDispose]: () => listener.close(0),
  }
}

test('on loopback the gate answers to the port it was given, whichever that is', async () => {
  await using door = await openDoor()
  for (const name of ['localhost', '127.0.0.1', '[::1]', 'LocalHost']) {
    const host = `${name}:${door.port}`
    expect(await door.knock({ Host: host })).toBe('let in')
    expect(await door.knock({ Host: host, Origin: `http://${host}` })).toBe('let in')
    expect(await door.knock({ Host: host, Origin: `https://${host}` })).toBe('request.origin')
  }
})

test('a host that is not of the gate is refused, on its own port too', async () => {
  await using door = await openDoor()
  const foreign = ['localhost', 'localhost:1', `evil.example:${door.port}`, `x.localhost:${door.port}`, 'inner']
  for (const host of foreign) expect(await door.knock({ Host: host })).toBe('request.host')
})

test('publicUrl, and what the settings add, are let in; a foreign origin is not', async () => {
  await using door = await openDoor()
  expect(await door.knock({ Host: 'gate.example.com' })).toBe('let in')
  expect(await door.knock({ Host: 'inner:80', Origin: 'https://app.example.com' }, '/mcp')).toBe('let in')
  expect(await door.knock({ Host: 'gate.example.com', Origin: 'https://gate.example.com' })).toBe('let in')
  expect(await door.knock({ Host: 'gate.example.com', Origin: 'https://app.example.com' })).toBe('request.origin')
  for (const origin of ['https://evil.example', 'http://gate.example.com', `http://evil.example:${door.port}`, 'null'])
    expect(await door.knock({ Host: 'gate.example.com', Origin: origin })).toBe('request.origin')
})

test('what needs no cookie and holds no secret is open to every page, of a host that the gate answers to', async () => {
  await using door = await openDoor()
  const origin = 'https://anywhere.example'
  expect(await door.knock({ Host: 'gate.example.com', Origin: origin }, '/token')).toBe('let in')
  expect(await door.knock({ Host: 'gate.example.com', Origin: origin }, '/mcp')).toBe('request.origin')
  expect(await door.knock({ Host: 'evil.example', Origin: origin }, '/token')).toBe('request.host')
})
