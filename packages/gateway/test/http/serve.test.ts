import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { findFreePort, listen } from '../../src/http/serve.ts'

test('a client that takes nothing of its answer is given up, and one that waits for it is not', async () => {
  const givenUp = Promise.withResolvers<string | undefined>()
  const settings = { requestMs: 1_000, stalledMs: 1_000 }
  const listener = await listen(
    (request, response) => {
      response.on('close', () => response.writableFinished || givenUp.resolve(request.url))
      if (request.url === '/large') return void response.end(Buffer.alloc(50_000_000))
      const life = setInterval(() => response.write('.'), 100)
      setTimeout(() => {
        clearInterval(life)
        response.end()
      }, 2_500)
    },
    { host: '127.0.0.1', port: 0 },
    settings,
  )
  const deaf = connect(listener.port, '127.0.0.1')
    .pause()
    .on('error', () => {})
  deaf.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  const patient = await fetch(`http://127.0.0.1:${listener.port}/slow`)
  expect(await patient.text()).toMatch(/^\.+$/)
  expect(await givenUp.promise).toBe('/large')
  deaf.destroy()
  await listener.close(1_000)
})

const answering = (text: string) => (_request: IncomingMessage, response: ServerResponse) => void response.end(text)
const settings = { requestMs: 1_000 }

test('a port that is taken is named, and another is found', async () => {
  const first = await listen(answering('first'), { host: '127.0.0.1', port: 0 }, settings)
  const second = listen(answering('second'), { host: '127.0.0.1', port: first.port }, settings)
  await expect(second).rejects.toMatchObject({ code: 'gate.port_taken', details: { port: first.port } })
  const port = await findFreePort('127.0.0.1')
  expect(port).not.toBe(first.port)
  const third = await listen(answering('third'), { host: '127.0.0.1', port }, settings)
  expect([third.port, await (await fetch(`http://127.0.0.1:${port}`)).text()]).toEqual([port, 'third'])
  await Promise.all([first.close(0), third.close(0)])
})

/** The first port that anybody may listen on. */
function firstFreeForAll(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  } catch {
    return 0
  }
}

test.skipIf(firstFreeForAll() < 2)(
  'R1-10: a port that is the system’s is told as one that this user may not have',
  async () => {
    const script = `
    const { listen } = await import(${JSON.stringify(new URL('../../src/http/serve.ts', import.meta.url))})
    if (process.getuid() === 0) process.setuid(65534)
    await listen(() => {}, { host: '127.0.0.1', port: 1 }, { requestMs: 1_000 }).catch(({ message }) => console.log(message))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    expect(stdout.trim()).toBe('The gate cannot listen at 127.0.0.1, port 1: this user may not.')
  },
)

test('a Unix socket that cannot be made is a failure of its own, not a port', async () => {
  const socket = join(tmpdir(), 'nowhere', `${process.pid}.sock`)
  await expect(listen(answering('x'), { socket }, settings)).rejects.toMatchObject({
    code: expect.stringMatching(/^E/),
  })
})

test('on a Unix socket it answers as on a port, has none, and says of one that is taken what the system says', async () => {
  const socket = join(tmpdir(), `serve-${process.pid}.sock`)
  const listener = await listen(answering('by socket'), { socket }, settings)
  const [response] = await once(request({ socketPath: socket, agent: false }).end(), 'response')
  expect([listener.port, await text(response)]).toEqual([0, 'by socket'])
  await expect(listen(answering('x'), { socket }, settings)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await listener.close(0)
})

test('a port of an address that this machine does not have is not one that is taken', async () => {
  const place = { host: '192.0.2.1', port: 0 }
  await expect(listen(answering('x'), place, settings)).rejects.toMatchObject({
    code: 'gate.cannot_listen',
    message: 'The gate cannot listen at 192.0.2.1, port 0: this machine has no such address.',
  })
})

test('what is framed oddly is refused, and so is what may have been hidden in it', async () => {
  const handled: string[] = []
  const refused: string[] = []
  const listener = await listen(
    ({ url }, response) => {
      handled.push(url ?? '')
      response.end('ok')
    },
    { host: '127.0.0.1', port: 0 },
    {
      ...settings,
      refuse: ({ message }, socket) => {
        refused.push(message)
        socket.end('refused')
      },
    },
  )
  const exchange = async (coding: string) => {
    const socket = connect(listener.port, '127.0.0.1').on('error', () => {})
    const first = `POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`
    socket.write(`${first}GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    return text(socket)
  }
  expect(await exchange('gzip, chunked')).toBe('refused')
  expect([handled, refused]).toEqual([[], ['an odd transfer coding']])
  expect(await exchange('Chunked')).toMatch(/^HTTP\/1\.1 200 /)
  expect(handled).toEqual(['/first', '/hidden'])
  await listener.close(0)
})

test('headers may be as long as the setting says, and may have more time than all of a request without harm', async () => {
  const place = { host: '127.0.0.1', port: 0 }
  const refuse = (error: NodeJS.ErrnoException, socket: Duplex) => void socket.end(error.code)
  const narrow = await listen(answering('let in'), place, { ...settings, headersMs: 9_000, headerBytes: 4_096, refuse })
  const send = async ({ port }: { port: number }, size: number) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ${'x'.repeat(size)}\r\n\r\n`)
    return text(socket)
  }
  expect(await send(narrow, 3_000)).toMatch(/let in$/)
  expect(await send(narrow, 5_000)).toBe('HPE_HEADER_OVERFLOW')
  const usual = await listen(answering('let in'), place, { ...settings, refuse })
  expect(await send(usual, 5_000)).toMatch(/let in$/)
  await Promise.all([narrow.close(0), usual.close(0)])
})

test('what is no request is hung up on where nobody answers it', async () => {
  const listener = await listen(answering('x'), { host: '127.0.0.1', port: 0 }, settings)
  const socket = connect(listener.port, '127.0.0.1').on('error', () => {})
  socket.write('NOT HTTP\r\n\r\n')
  expect(await text(socket)).toBe('')
  await listener.close(0)
})

test('closing waits for answers under way, not for connections on which nothing was asked', async () => {
  const asked = Promise.withResolvers<ServerResponse>()
  const listener = await listen((_, response) => asked.resolve(response), { host: '127.0.0.1', port: 0 }, settings)
  const ahead = connect(listener.port, '127.0.0.1').on('error', () => {})
  await once(ahead, 'connect')
  const answer = fetch(`http://127.0.0.1:${listener.port}`)
  const response = await asked.promise
  let closed = false
  const closing = listener.close(60_000).then(() => (closed = true))
  await once(ahead.resume(), 'close')
  expect(closed).toBe(false)
  response.end('the last word')
  expect(await (await answer).text()).toBe('the last word')
  await closing
})

test('and for no longer than it is given', async () => {
  const asked = Promise.withResolvers<void>()
  const listener = await listen(() => asked.resolve(), { host: '127.0.0.1', port: 0 }, settings)
  const answer = fetch(`http://127.0.0.1:${listener.port}`)
  answer.catch(() => {})
  await asked.promise
  await listener.close(50)
  await expect(answer).rejects.toThrow('fetch failed')
})
