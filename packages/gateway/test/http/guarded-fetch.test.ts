import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createGuardedFetch } from '../../src/http/guarded-fetch.ts'
import { allow, failure, guard, listen, openServer } from './outside.ts'

/** Ways to write what is not public, many of them odd: of an IPv4 address any base, a part left out, other digits. */
const LOCAL = `
  127.0.0.1 127.0.0.1. 0177.0.0.1 2130706433 0x7f.1 0x7f000001 127.1 017700000001 %31%32%37.0.0.1
  １２７.0.0.1 127。0。0。1 0 10.0.0.1 192.168.0.1 100.64.0.1 224.0.0.1 169.254.169.254 0xa9fea9fe
  168.63.129.16 255.255.255.255 [::] [::1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
  [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fc00::1] [fd00:ec2::254] [fe80::1] [fec0::1]
  [ff02::1] [2001:db8::1]
`
  .trim()
  .split(/\s+/)

describe('an address that a stranger chose is refused', () => {
  test.for([
    ['not an address', 'it cannot be read'],
    ['http://public.test/', 'it is not https'],
    ['ftp://public.test/', 'it is not https'],
    ['data:application/json,{}', 'it is not https'],
    ['file:///etc/passwd', 'it is not https'],
    ['https://user@public.test/', 'it holds a user name'],
    ['https://:word@public.test/', 'it holds a user name'],
    ...LOCAL.map((host) => [`https://${host}/`, 'it is not on the public internet']),
  ])('%s', async ([address = '', reason]) => {
    const { fetch, asked } = guard({ maxRedirects: 3 })
    const { code, details } = await failure(fetch(address))
    expect({ code, reason: details['reason'] }).toEqual({
      code: 'outbound.refused',
      reason: expect.stringContaining(reason ?? ''),
    })
    expect(asked).toEqual([])
  })

  test('where a name leads to this machine, a private network, or to nobody', async () => {
    const names = { 'localhost.': ['127.0.0.1'], 'inner.test': ['10.0.0.1'], 'mapped.test': ['::ffff:127.0.0.1'] }
    const { fetch } = guard({}, { ...names, 'empty.test': [] })
    for (const name of Object.keys(names)) {
      expect(await failure(fetch(`https://${name}/`))).toMatchObject({
        code: 'outbound.refused',
        details: { host: name, reason: 'it is not on the public internet' },
      })
    }
    for (const address of ['2606:4700::1%eth0', 'no address']) {
      const { fetch: ask } = guard({}, { 'odd.test': [address] })
      expect(await failure(ask('https://odd.test/'))).toMatchObject({
        code: 'outbound.refused',
        details: { address, range: undefined },
      })
    }
    expect(await failure(fetch('https://empty.test/'))).toMatchObject({
      code: 'outbound.failed',
      details: { host: 'empty.test', reason: 'ENOTFOUND' },
    })
    expect(await failure(fetch('https://lost.test/'))).toMatchObject({
      code: 'outbound.failed',
      details: { host: 'lost.test', reason: 'ENOTFOUND' },
    })
  })

  test('where one of several addresses is not public, at whichever place', async () => {
    const good = ['1.1.1.1', '2606:4700::1111']
    const names = { 'first.test': ['127.0.0.1', ...good], 'last.test': [...good, 'fe80::1'] }
    const { fetch } = guard({}, names)
    for (const name of Object.keys(names))
      expect(await failure(fetch(`https://${name}/`))).toMatchObject({ code: 'outbound.refused' })
  })

  test('as a Request as well, and with an allowed host’s address but not its port, or its port but not its address', async () => {
    const { port, seen } = await openServer()
    const { fetch } = guard(allow(port), { 'a.test': ['127.0.0.1'] })
    for (const address of ['http://127.0.0.1/', `http://127.0.0.1:${port - 1}/`, `http://a.test:${port}/`])
      expect((await failure(fetch(new Request(address)))).code).toBe('outbound.refused')
    expect(seen).toEqual([])
  })

  test('except at a host that the operator allowed at every port, and at that host only', async () => {
    const { port } = await openServer()
    const { fetch } = guard({ allowedHosts: ['127.0.0.1:*'] })
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here')
    for (const host of ['localhost', '127.0.0.2', '127.0.0.1.nip.test'])
      expect((await failure(fetch(`http://${host}:${port}/`))).code).toBe('outbound.refused')
  })

  test('except by another scheme than those of the web', async () => {
    const { port, seen } = await openServer()
    const { code, details } = await failure(guard(allow(port)).fetch(`ftp://127.0.0.1:${port}/`))
    expect([code, details['reason'], seen]).toEqual(['outbound.refused', 'it is not https', []])
  })

  test('and a host that the operator allowed still takes no credentials from the address', async () => {
    const { port, seen } = await openServer()
    const { fetch } = guard(allow(port))
    expect((await failure(fetch(`http://user:word@127.0.0.1:${port}/`))).code).toBe('outbound.refused')
    expect(seen).toEqual([])
  })
})

describe('a connection is made', () => {
  test('to the address that was looked at: a name is looked up once, so what it answers next does not count', async () => {
    const here = await openServer()
    const there = await openServer((_request, response) => response.end('there'), '127.0.0.2', here.port)
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2']]
    let asked = 0
    const lookup = async () => answers[asked++] ?? []
    const { fetch } = guard({ allowedHosts: [`rebinding.test:${here.port}`], lookup })
    const answer = await fetch(`http://rebinding.test:${here.port}/`)
    expect([await answer.text(), asked, there.seen]).toEqual(['here', 1, []])
    expect(here.seen[0]?.headers.host).toBe(`rebinding.test:${here.port}`)
    expect(here.seen[0]?.socket.localAddress).toBe('127.0.0.1')
  })

  test('once: the next exchange looks the name up again, and finds that it turned private', async () => {
    const { port } = await openServer()
    const hosts = [`turning.test:${port}`]
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    const lookup = async () => answers.shift() ?? []
    const { fetch } = guard({ allowedHosts: hosts, lookup })
    expect((await fetch(`http://turning.test:${port}/`)).status).toBe(200)
    // Not allowed by name any more, as a stranger's name would be.
    hosts.pop()
    expect(await failure(fetch(`https://turning.test:${port}/`))).toMatchObject({
      code: 'outbound.refused',
      details: { address: '10.0.0.1', range: 'private' },
    })
  })

  test('and not kept, so that no later exchange goes where only this one was let', async () => {
    const closed = Promise.withResolvers<void>()
    const { port } = await openServer((request, response) => {
      request.socket.on('close', closed.resolve)
      response.end()
    })
    await guard(allow(port)).fetch(`http://127.0.0.1:${port}/`)
    const answered = performance.now()
    await closed.promise
    // Either side would give up a connection that is kept after some seconds.
    expect(performance.now() - answered).toBeLessThan(2_000)
  })

  test('to where the system says that a name leads', async () => {
    const { port } = await openServer()
    const guarded = createGuardedFetch({ allowedHosts: [`localhost:${port}`] })
    expect(await (await guarded.fetch(`http://localhost:${port}/`)).text()).toBe('here')
    expect((await failure(guarded.fetch('https://localhost/'))).code).toBe('outbound.refused')
    await guarded.close()
  })

  test('to another address of the name where the first does not answer', async () => {
    const { port } = await openServer()
    const names = { 'two.test': ['127.0.0.3', '127.0.0.1'] }
    const { fetch } = guard({ allowedHosts: [`two.test:${port}`] }, names)
    expect(await (await fetch(`http://two.test:${port}/`)).text()).toBe('here')
  })

  test('with TLS for the name, not for the address', async () => {
    const named = Promise.withResolvers<string>()
    const server = createTlsServer({
      SNICallback: (name, callback) => {
        named.resolve(name)
        callback(new Error('no certificate'))
      },
    })
    const port = await listen(server)
    const { fetch } = guard({ allowedHosts: [`named.test:${port}`] }, { 'named.test': ['127.0.0.1'] })
    expect((await failure(fetch(`https://named.test:${port}/`))).code).toBe('outbound.failed')
    expect(await named.promise).toBe('named.test')
  })

  test('and refused by nobody there, it says so', async () => {
    const server = createServer()
    const port = await listen(server)
    await new Promise((resolve) => server.close(resolve))
    const { fetch } = guard(allow(port))
    expect(await failure(fetch(`http://127.0.0.1:${port}/`))).toMatchObject({
      code: 'outbound.failed',
      details: { host: `127.0.0.1:${port}`, reason: 'ECONNREFUSED' },
    })
  })
})
