import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Problem } from '../../src/base/problem.ts'
import { createEdge, type Origins } from '../../src/http/edge.ts'
import { listen } from '../../src/http/serve.ts'

/** Which web pages may send a request, by its path. */
const ORIGINS: Readonly<Record<string, Origins>> = { '/mcp': 'mcp', '/token': 'any' }

/** Listens on a port that the system chose, and answers with what the edge says of the headers it is sent. */
async function openDoor(publicUrl = 'https://gate.example.com') {
  const check = createEdge({ publicUrl, allowedHosts: ['inner:80'], allowedOrigins: ['https://app.example.com'] })
  const told: unknown[] = []
  const listener = await listen(
    (incoming, response) => {
      try {
        check(incoming, ORIGINS[incoming.url ?? ''])
        response.end('let in')
      } catch (error) {
        if (!(error instanceof Problem)) return void response.end(String(error))
        // What the log is told beside the code.
        told.push(error.details)
        response.end(error.code)
      }
    },
    { host: '127.0.0.1', port: 0 },
    { requestMs: 5_000, refuse: (_error, socket) => socket.destroy() },
  )
  const { port } = listener
  return {
    port,
    told,
    /** Sends the lines as they are, which no client of HTTP would, and gives what is answered. */
    async write(...lines: readonly string[]): Promise<string> {
      const socket = connect(port, '127.0.0.1')
      socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
      return (await text(socket)).split('\r\n\r\n')[1] ?? ''
    },
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

test('whoever names two hosts is refused, since somebody in between may have believed the other; so is who names none', async () => {
  await using door = await openDoor()
  const [good, get] = ['Host: gate.example.com', 'GET / HTTP/1.1']
  expect(await door.write(get, good, 'X-Test: 1', 'Hose: evil.example')).toMatch(/let in/)
  expect(await door.write(get, good, 'host: evil.example')).toBe('request.host')
  expect(await door.write(get, 'HOST: evil.example', 'X-Test: 1', good)).toBe('request.host')
  expect(await door.write(get, good, good)).toBe('request.host')
  expect(await door.write('GET / HTTP/1.0')).toBe('request.host')
})

test('who was refused is told to the log', async () => {
  await using door = await openDoor()
  await door.knock({ Host: 'Evil.example' })
  await door.knock({ Host: 'gate.example.com', Origin: 'https://evil.example' })
  expect(door.told).toEqual([{ host: 'evil.example' }, { origin: 'https://evil.example' }])
})

test('pages of this machine may call MCP where the gate is on this machine, and its own pages alone the rest', async () => {
  const page = 'http://localhost:6274'
  await using here = await openDoor('http://127.0.0.1:4210')
  const host = `127.0.0.1:${here.port}`
  expect(await here.knock({ Host: host, Origin: page }, '/mcp')).toBe('let in')
  expect(await here.knock({ Host: host, Origin: page })).toBe('request.origin')
  for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null'])
    expect(await here.knock({ Host: host, Origin: origin }, '/mcp')).toBe('request.origin')
  await using away = await openDoor()
  expect(await away.knock({ Host: 'gate.example.com', Origin: page }, '/mcp')).toBe('request.origin')
})
