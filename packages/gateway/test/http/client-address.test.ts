import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createClientAddress, rateKeyOf } from '../../src/http/client-address.ts'

const trusted = ['10.0.0.0/8', '2001:db8:ffff::/48', 'loopback']

function from(remoteAddress: string | undefined, headers: Readonly<Record<string, string>> = {}): string {
  return createClientAddress({ trusted })({ headers, socket: { remoteAddress } })
}

describe('the address of a client', () => {
  test('is the other end of the connection, whatever a stranger’s headers say', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' }
    expect(from('203.0.113.9', headers)).toBe('203.0.113.9')
    expect(from('::ffff:203.0.113.9', headers)).toBe('203.0.113.9')
    expect(from('2001:DB8::9', headers)).toBe('2001:db8::9')
  })

  test.for([
    ['198.51.100.1', '198.51.100.1', 'one hop'],
    ['6.6.6.6, 198.51.100.1', '198.51.100.1', 'what a client wrote itself stands to the left'],
    ['6.6.6.6, 198.51.100.1, 10.2.2.2,10.3.3.3', '198.51.100.1', 'trusted proxies in a row'],
    ['10.4.4.4, 10.2.2.2', '10.4.4.4', 'all of them trusted'],
    ['198.51.100.1:4711', '198.51.100.1', 'a port'],
    ['[2001:db8::7]:4711', '2001:db8::7', 'a port after brackets'],
    ['[2001:db8::7]', '2001:db8::7', 'brackets without a port'],
    ['2001:DB8::7', '2001:db8::7', 'bare IPv6'],
    ['::ffff:198.51.100.1', '198.51.100.1', 'IPv4 mapped into IPv6'],
    ['::ffff:10.2.2.2', '10.2.2.2', 'a trusted proxy mapped into IPv6'],
    ['198.51.100.1, 2001:db8:ffff::1', '198.51.100.1', 'a trusted proxy of the other family'],
    ['198.51.100.1, unknown', '10.1.1.1', 'a hop that is no address'],
    ['198.51.100.1, 10.2.2.2 evil, 10.3.3.3', '10.3.3.3', 'a hop that is malformed, behind a good one'],
    ['198.51.100.1,', '10.1.1.1', 'an empty hop'],
    ['', '10.1.1.1', 'an empty header'],
  ])('behind a trusted proxy is read from X-Forwarded-For: %s → %s (%s)', ([header = '', client]) => {
    expect(from('10.1.1.1', { 'x-forwarded-for': header })).toBe(client)
  })

  test.for([
    ['for=198.51.100.1', '198.51.100.1', 'one hop'],
    ['For="[2001:db8::7]:4711";proto=https;by=10.1.1.1', '2001:db8::7', 'quoted, with a port'],
    ['for=6.6.6.6, proto=https; for=198.51.100.1 , for=10.2.2.2', '198.51.100.1', 'several hops'],
    ['for="6.6.6.6, for=198.51.100.1', '198.51.100.1', 'an open quote that a client sent'],
    ['for=198.51.100.1, for=_hidden', '10.1.1.1', 'an obfuscated hop'],
    ['for=198.51.100.1, proto=https', '10.1.1.1', 'a hop that does not say'],
    ['for=198.51.100.1;for=6.6.6.6', '10.1.1.1', 'a hop that says two things'],
    ['proto=https for=6.6.6.6', '10.1.1.1', 'a hop that says it inside of something else'],
    ['proto=https; for="198.51.100.1" ;by=10.1.1.1', '198.51.100.1', 'spaces around it'],
    ['for=1"98.51.100.1"', '10.1.1.1', 'quotes that begin too late'],
    ['for="198.51.100.1"0', '10.1.1.1', 'quotes that end too early'],
  ])('or from Forwarded: %s → %s (%s)', ([header = '', client]) => {
    expect(from('127.0.0.1', { forwarded: header })).toBe(client === '10.1.1.1' ? '127.0.0.1' : client)
  })

  test('is that of a trusted proxy which says nothing', () => {
    expect(from('10.1.1.1')).toBe('10.1.1.1')
  })

  test('is read from X-Forwarded-For where both are sent', () => {
    expect(from('::1', { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=6.6.6.6' })).toBe('198.51.100.1')
  })

  test('no client can choose it: whatever it sends, the hop that the proxy saw is told', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (sent, seen) => {
        fc.pre(!seen.startsWith('10.') && !seen.startsWith('127.'))
        expect(from('10.1.1.1', { 'x-forwarded-for': `${sent}, ${seen}` })).toBe(seen)
        expect(from('10.1.1.1', { forwarded: `${sent}, for=${seen}` })).toBe(seen)
      }),
    )
  })

  test('is unknown on a Unix socket, and its headers do not count', () => {
    expect(from(undefined, { 'x-forwarded-for': '198.51.100.1' })).toBe('unknown')
  })

  test('is the same over real connections, where Node joins the lines of a header', async () => {
    const clientAddress = createClientAddress({ trusted })
    const server = createServer((incoming, response) => response.end(clientAddress(incoming)))
    const ask = async (options: { host?: string; port?: number; socketPath?: string }) => {
      const sent = request({ ...options, headers: { 'X-Forwarded-For': ['6.6.6.6', '198.51.100.1'] }, agent: false })
      const [response] = await once(sent.end(), 'response')
      return String(await response.setEncoding('utf8').reduce((whole: string, part: string) => whole + part, ''))
    }
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await ask({ host: '127.0.0.1', port })).toBe('198.51.100.1')
    await new Promise((resolve) => server.close(resolve))

    const socketPath = join(tmpdir(), `client-address-${process.pid}.sock`)
    await once(server.listen(socketPath), 'listening')
    expect(await ask({ socketPath })).toBe('unknown')
    await new Promise((resolve) => server.close(resolve))
  })

  test('a trusted range that is none is refused at once', () => {
    expect(() => createClientAddress({ trusted: ['10.0.0.0/99'] })).toThrow(RangeError)
    expect(() => createClientAddress({ trusted: ['proxy.example.com'] })).toThrow(Error)
  })
})

describe('callers are counted', () => {
  test.for([
    ['198.51.100.1', '198.51.100.1'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::3:4:5:6:7:8', '0:0:3:4::/64'],
    ['1::4:5:6:7:8', '1:0:0:4::/64'],
    ['unknown', 'unknown'],
  ])('%s as %s', ([address = '', key]) => {
    expect(rateKeyOf(address)).toBe(key)
  })

  test('the same for every address of an IPv6 network, however it is written', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
    const half = fc.array(group, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(half, half, half, (network, one, other) => {
        fc.pre(network.some((each) => each !== '0'))
        const key = rateKeyOf([...network, ...one].join(':'))
        expect(key).toBe(`${network.join(':')}::/64`)
        expect(rateKeyOf([...network, ...other].join(':').toUpperCase())).toBe(key)
      }),
    )
  })
})
