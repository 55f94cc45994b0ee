import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAddressSet, findSpecialRange, isGlobal, parseAddress, specialRanges } from '../../src/http/addresses.ts'

const SPECIAL = `
  0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1
  172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1
  203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::ffff:8.8.8.8 ::ffff:7f00:1
  ::8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:db8::1
  2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1
  ff02::1 4000:: 1fff::1 localhost 8.8.8 0177.0.0.1 2130706433 0x7f.1 [2606:4700::1]
`
  .trim()
  .split(/\s+/)

const GLOBAL = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
  169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0
  198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.17 1.0.0.0 2001:200::1 2001:db7:ffff::1
  2001:db9:: 2003::1 2606:4700::1111 2a00:1450::1 3ffe:ffff::1
`
  .trim()
  .split(/\s+/)

describe('what is not the public internet', () => {
  test.for(['', ...SPECIAL])('%s', (address) => {
    expect(isGlobal(address)).toBe(false)
  })

  test.for(GLOBAL)('but %s is', (address) => {
    expect(isGlobal(address)).toBe(true)
  })

  test('holds for any address, whichever way the ranges are counted', () => {
    const ranges = specialRanges.map(({ range }) => toBits(range))
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      // Few random addresses fall next to the edge of a range.
      fc.constantFrom(...ranges).chain(({ family, start, size }) => near(family, start, size)),
    )
    const isInside = (text: string) => {
      const bits = toBits(text)
      return ranges.some(({ family, start, size }) => {
        return family === bits.family && bits.start >= start && bits.start < start + size
      })
    }
    fc.assert(
      fc.property(address, (text) => {
        expect([text, isGlobal(text)]).toEqual([text, !isInside(text)])
      }),
      { numRuns: 2_000 },
    )
  })

  test('is told by name', () => {
    expect(findSpecialRange('169.254.169.254')).toMatchObject({ what: expect.stringContaining('metadata') })
    expect(findSpecialRange('::ffff:127.0.0.1')).toMatchObject({ what: 'IPv4-mapped' })
    expect(findSpecialRange('8.8.8.8')).toBeUndefined()
  })
})

/** The address or range as its first number and how many it holds, worked out without Node's own list. */
function toBits(text: string): { family: 4 | 6; start: bigint; size: bigint } {
  const [address = '', prefix] = text.split('/')
  const family = address.includes(':') ? 6 : 4
  const width = family === 4 ? 32 : 128
  const start = family === 4 ? join(address.split('.').map(Number), 8n) : join(groupsOf(address), 16n)
  return { family, start, size: 1n << BigInt(width - Number(prefix ?? width)) }
}

function groupsOf(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_whole, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
}

function join(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((whole, part) => (whole << bits) + BigInt(part), 0n)
}

function near(family: 4 | 6, start: bigint, size: bigint) {
  const width = family === 4 ? 32n : 128n
  const wrap = (value: bigint) => ((value % (1n << width)) + (1n << width)) % (1n << width)
  return fc.constantFrom(start - 1n, start, start + size - 1n, start + size).map((value) => write(family, wrap(value)))
}

function write(family: 4 | 6, value: bigint): string {
  const [count, bits] = family === 4 ? [4, 8n] : [8, 16n]
  const parts = Array.from({ length: count }, (_unused, index) => {
    return (value >> (BigInt(count - 1 - index) * bits)) & ((1n << bits) - 1n)
  })
  return family === 4 ? parts.join('.') : parts.map((part) => part.toString(16)).join(':')
}

describe('a set of addresses', () => {
  test('holds addresses and ranges, each family for itself', () => {
    const set = createAddressSet(['10.0.0.0/8', '192.0.2.7', '::/0'])
    expect(['10.9.9.9', '192.0.2.7', '2606:4700::1'].map((each) => set.has(each))).toEqual([true, true, true])
    expect(['11.0.0.1', '192.0.2.8', 'x', ''].map((each) => set.has(each))).toEqual([false, false, false, false])
  })

  test.for([
    '',
    'proxy',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/1e1',
    '10.0.0.0/8 ',
    '::/129',
    '10.0.0.0/-1',
  ])('is not made of %s', (range) => {
    expect(() => createAddressSet([range])).toThrow(Error)
  })
})

test.for([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:C000:201', '192.0.2.1'],
  ['2001:DB8:0:0::0:1', '2001:db8::1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['::ffff:1:2:3', '::ffff:1:2:3'],
  ['fe80::1%eth0', 'fe80::1'],
  ['192.0.2.01', undefined],
  ['unknown', undefined],
  ['', undefined],
])('%s is written %s', ([text, written]) => {
  expect(parseAddress(text ?? '')).toBe(written)
})
