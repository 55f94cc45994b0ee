import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { addPiece } from '../../src/base/pieces.ts'
import { createLines } from '../../src/upstreams/children/lines.ts'
import { createEventReader } from '../../src/upstreams/transports/event-stream.ts'
import { DONE, readData, readHead, type Reading } from '../../src/upstreams/transports/reply.ts'

const LIMIT = 64 * 1024 * 1024
const PIECES = 1_500_000

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function bytesHeld(): number {
  // What the first has found to be free is given back by the second.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function readingOf(): Reading {
  const none = () => {}
  const about = {
    server: 'up',
    id: 1,
    answerBytes: LIMIT,
    mayStream: false,
    sessionId: undefined,
    lingering: undefined,
  }
  const reading = {
    ...about,
    notify: none,
    ask: undefined,
    resolve: none,
    reject: none,
    connection: undefined,
    size: 0,
  }
  return { ...reading, state: DONE }
}

/** What takes the bytes of one message for as long as it has no end. */
const readers: Readonly<Record<string, () => (piece: Buffer) => void>> = {
  'a line of a child'() {
    const lines = createLines({ limit: LIMIT, onLine: () => true, onTooLong() {} })
    return (piece) => lines.push(piece)
  },
  'an event'() {
    const reader = createEventReader(() => {}, LIMIT)
    reader.push(Buffer.from('data: '))
    return (piece) => reader.push(piece)
  },
  'an answer over HTTP'() {
    const reading = readingOf()
    readHead(reading, 200, { contentType: 'application/json' })
    return (piece) => readData(reading, piece)
  },
}

test.for(Object.entries(readers))('%s that comes a byte at a time takes hardly more than its bytes', ([, open]) => {
  const packet = Buffer.alloc(65_536, 'x')
  const take = open()
  const before = bytesHeld()
  for (let at = 0; at < PIECES; at++) take(packet.subarray(at % packet.length, (at % packet.length) + 1))
  expect((bytesHeld() - before) / 1e6).toBeLessThan(40)
  take(packet)
})

test('an event of many lines keeps none of the packets that they came in', () => {
  const reader = createEventReader(() => {}, LIMIT)
  const before = bytesHeld()
  for (let count = 0; count < 2_000; count++) reader.push(Buffer.from(`data: x\n:${' '.repeat(65_000)}\n`))
  expect((bytesHeld() - before) / 1e6).toBeLessThan(40)
  reader.push(Buffer.from('\n'))
})

test('pieces are the same bytes, however they are put together, and small ones are few', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 200 }), (parts) => {
      const pieces: Buffer[] = []
      for (const part of parts) addPiece(pieces, Buffer.from(part))
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(parts))
      expect(pieces.length).toBeLessThanOrEqual(60)
    }),
  )
})

test('each byte is copied a dozen times at most, with whatever sizes it comes', () => {
  const falling = [...Array.from({ length: 90 }, (_, at) => 90 - at), 2_000]
  for (const sizes of [falling, falling.toReversed(), [1], [7, 1], [1, 2, 4, 8, 16, 32, 64]]) {
    using concat = vi.spyOn(Buffer, 'concat')
    const pieces: Buffer[] = []
    let total = 0
    for (let at = 0; total < 100_000; at++) {
      const piece = Buffer.alloc(sizes[at % sizes.length] ?? 1)
      total += piece.length
      addPiece(pieces, piece)
    }
    const copied = concat.mock.results.reduce((sum, { value }) => sum + (value as Buffer).length, 0)
    expect(copied / total).toBeLessThanOrEqual(13)
  }
})
