import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { familyOf } from '../../src/upstreams/children/family.ts'
import { fingerprintOf, startProcess } from '../../src/upstreams/children/launch.ts'
import { createLines, oneLine } from '../../src/upstreams/children/lines.ts'
import { createOutput } from '../../src/upstreams/children/pipes.ts'
import { createRing } from '../../src/upstreams/children/ring.ts'

function linesOf(chunks: readonly Buffer[], limit = 1_000_000) {
  const found: string[] = []
  let tooLong = 0
  const lines = createLines({ limit, onLine: (line) => found.push(line.toString()) > 0, onTooLong: () => tooLong++ })
  for (const chunk of chunks) lines.push(chunk)
  return { found, tooLong }
}

describe('lines', () => {
  test('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), (texts, cuts) => {
        const wanted = texts.map((text) => text.replaceAll(/[\r\n]/g, ' '))
        const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(''))
        const chunks: Buffer[] = []
        let at = 0
        for (const size of cuts) chunks.push(bytes.subarray(at, (at += size)))
        chunks.push(bytes.subarray(at))
        expect(linesOf(chunks).found).toEqual(wanted)
      }),
    )
  })

  test('lose their carriage returns', () => {
    expect(linesOf([Buffer.from('{"a":\r1}\r\n')]).found).toEqual(['{"a": 1}'])
  })

  test('of exactly the limit pass; one byte more is told once and ends it', () => {
    expect(linesOf([Buffer.from('1234\n5678\n')], 4)).toEqual({ found: ['1234', '5678'], tooLong: 0 })
    expect(linesOf([Buffer.from('1234\n567'), Buffer.from('89'), Buffer.from('\nmore\n')], 4)).toEqual({
      found: ['1234'],
      tooLong: 1,
    })
  })

  test('wait after a stop, and come in order once it is lifted', () => {
    const found: string[] = []
    const lines = createLines({
      limit: 99,
      onLine: (line) => found.push(line.toString()) % 2 === 1,
      onTooLong: () => {},
    })
    lines.push(Buffer.from('1\n2\n3\n4\n5'))
    lines.push(Buffer.from('6\n7\n'))
    expect(found).toEqual(['1', '2'])
    lines.resume()
    expect(found).toEqual(['1', '2', '3', '4'])
    lines.resume()
    expect(found).toEqual(['1', '2', '3', '4', '56', '7'])
  })

  test('a JSON text put on one line means the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const pretty = Buffer.from(JSON.stringify(value, null, '\r\n  '))
        const line = oneLine(pretty)
        expect(line.includes(0x0a) || line.includes(0x0d)).toBe(false)
        expect(JSON.parse(line.toString())).toEqual(JSON.parse(pretty.toString()))
      }),
    )
  })
})

describe('the way to a child', () => {
  /** A pipe that keeps each piece as it was written, and takes none before it is told to. */
  function openPipe() {
    const pieces: string[] = []
    const taking: (() => void)[] = []
    const pipe = new Writable({
      write(chunk: Buffer, _encoding, taken) {
        pieces.push(chunk.toString())
        taking.push(taken)
      },
    })
    return { pieces, output: createOutput(pipe, () => {}), take: () => taking.shift()?.() }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  test('takes all messages of one turn in one piece, a line each, in order', async () => {
    const { pieces, output, take } = openPipe()
    for (const message of ['{"a":1}', Buffer.from('{"b":\n2}'), '{"c":3}']) expect(output.write(message)).toBe(true)
    expect(pieces).toEqual([])
    await turn()
    expect(pieces).toEqual(['{"a":1}\n{"b": 2}\n{"c":3}\n'])
    output.write('{"d":4}')
    take()
    await turn()
    expect(pieces.slice(1)).toEqual(['{"d":4}\n'])
  })

  test('is full of what was written and not yet taken, and says when that is over', async () => {
    const { output, take } = openPipe()
    expect(output.full).toBe(false)
    output.write('x'.repeat(300_000))
    expect(output.full).toBe(true)
    await turn()
    const drained = output.drained()
    for (let count = 0; count < 3; count++) {
      take()
      await turn()
    }
    await drained
    expect(output.full).toBe(false)
  })

  test('refuses what comes after a megabyte that nobody reads', async () => {
    const { output } = openPipe()
    expect(output.write('x'.repeat(1_100_000))).toBe(true)
    expect(output.write('{}')).toBe(false)
  })
})

describe('the kept log', () => {
  test('is the end of all that was written, from the start of a line', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), fc.integer({ min: 1, max: 64 }), (texts, size) => {
        const ring = createRing(size)
        for (const text of texts) ring.write(text)
        const all = Buffer.from(texts.join(''))
        const end = all.length < size ? all : all.subarray(-size)
        const wanted = all.length < size ? end : end.subarray(end.indexOf(0x0a) + 1)
        expect(ring.read()).toBe(wanted.toString())
      }),
    )
  })
})

describe('a family', () => {
  const process = (pid: number, parent: number, more = {}) => ({
    pid,
    parent,
    group: pid,
    session: pid,
    startTime: pid,
    ...more,
  })
  const pidsOf = (known: { pid: number; startTime: number }[], all: ReturnType<typeof process>[], self = 1) =>
    familyOf(known, all, self).map(({ pid }) => pid)

  test('holds descendants, also those in a session of their own and theirs', () => {
    const all = [
      process(1, 0),
      process(10, 1),
      process(11, 10),
      process(12, 11),
      process(13, 1, { session: 12 }),
      process(20, 1),
    ]
    expect(pidsOf([{ pid: 10, startTime: 10 }], all)).toEqual([10, 11, 12, 13])
  })

  test('holds those whose parent is gone, by its group or session', () => {
    const all = [process(1, 0), process(11, 1, { group: 10 }), process(12, 1, { session: 10 })]
    expect(pidsOf([{ pid: 10, startTime: 10 }], all)).toEqual([11, 12])
  })

  test('holds nobody who met a number used again', () => {
    const all = [process(1, 0), process(10, 1, { startTime: 99 }), process(11, 10, { session: 10, startTime: 100 })]
    expect(pidsOf([{ pid: 10, startTime: 10 }], all)).toEqual([])
  })

  test('holds nobody older than the member they would follow from', () => {
    const all = [process(1, 0), process(5, 1, { session: 10 })]
    expect(pidsOf([{ pid: 10, startTime: 10 }], all)).toEqual([])
  })

  test('never holds this process or its ancestors', () => {
    const all = [process(1, 0), process(10, 1), process(11, 10), process(12, 11), process(13, 10)]
    expect(pidsOf([{ pid: 10, startTime: 10 }], all, 12)).toEqual([13])
  })
})

describe('a launch', () => {
  const launch = { command: 'x', args: ['a'], env: { A: '1', B: '2' } }

  test('has a fingerprint that tells it from another and shows nothing of it', () => {
    expect(fingerprintOf({ ...launch, env: { B: '2', A: '1' } })).toBe(fingerprintOf(launch))
    const others = [{ args: ['b'] }, { env: { A: '1', B: '3' } }, { command: 'y' }, { cwd: '/' }]
    const all = [launch, ...others.map((other) => ({ ...launch, ...other }))].map(fingerprintOf)
    expect(new Set(all).size).toBe(all.length)
    expect(fingerprintOf({ ...launch, env: { TOKEN: 'hunter2' } })).not.toContain('hunter2')
  })

  test('that cannot even be tried fails without showing its arguments', () => {
    expect(() => startProcess({ ...launch, args: ['hunter2\0'] })).toThrow(
      /^the process could not be started: ERR_INVALID_ARG_VALUE$/,
    )
  })
})
