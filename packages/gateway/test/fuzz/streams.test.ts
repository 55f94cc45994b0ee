import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RpcNotification } from '../../src/base/json-rpc.ts'
import { createCalls } from '../../src/upstreams/children/calls.ts'
import { createLines } from '../../src/upstreams/children/lines.ts'
import { createListeners } from '../../src/upstreams/children/listeners.ts'
import { createEventReader } from '../../src/upstreams/transports/event-stream.ts'
import { anyBytes, cuts, noise, piecesOf } from './bytes.ts'
import { outcomeOf } from './outcome.ts'
import { holds, TIME_MS } from './runs.ts'

const RUNS = 2_000

interface Event {
  readonly data: string
  readonly type: string
}
interface Read {
  readonly events: readonly Event[]
  readonly lastId: string | undefined
  readonly retryMs: number | undefined
}

function readEvents(pieces: readonly Buffer[], limit = 1_000_000): Read {
  const events: Event[] = []
  const reader = createEventReader((data, type) => events.push({ data: data.toString(), type }), limit)
  for (const piece of pieces) reader.push(piece)
  return { events, lastId: reader.lastId, retryMs: reader.retryMs }
}

const fields = fc.constantFrom(
  'data: ',
  'data:',
  'data',
  'id: ',
  'id:',
  'id',
  'event: ',
  'retry: ',
  'retry:',
  ': ',
  ':',
  'other: ',
  'DATA: ',
  ' data: ',
  '',
)
const values = fc.oneof(
  fc.constantFrom('', 'x', ' x ', '{"a":1}', '7', '500', 'message', 'endpoint', 'é😀', '\u0000', ':'),
  fc.string({ maxLength: 10 }).map((text) => text.replace(/[\r\n]/g, '')),
)
const ends = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\r', '\r\n\r\n')
const stream = fc
  .array(fc.tuple(fields, values, ends), { maxLength: 14 })
  .map((lines) => Buffer.from(lines.map((line) => line.join('')).join('')))

describe('an event stream', () => {
  test('says the same wherever it is cut', { timeout: TIME_MS }, async () => {
    const property = fc.property(fc.oneof(stream, noise), cuts, (bytes, places) => {
      expect(readEvents(piecesOf(bytes, places))).toEqual(readEvents([bytes]))
      expect(readEvents([...bytes].map((byte) => Buffer.from([byte])))).toEqual(readEvents([bytes]))
    })
    await holds('event stream in pieces', property, RUNS)
  })

  test('is read as HTML says, but for lines without a colon, which hold no JSON', { timeout: TIME_MS }, async () => {
    const property = fc.property(fc.boolean(), stream, (isMarked, bytes) => {
      const text = isMarked ? Buffer.concat([Buffer.from('\ufeff'), bytes]) : bytes
      expect(readEvents([text]).events).toEqual(asHtmlSays(bytes.toString()))
    })
    await holds('event stream by the book', property, RUNS)
  })

  test('may begin with a byte order mark, and come in pieces of which some are empty', () => {
    const mark = '\ufeff'
    expect(readEvents([Buffer.from(`${mark}data: 1\n\n`)]).events).toEqual([{ data: '1', type: '' }])
    const pieces = ['data: 1\r', '', '\ndata: 2\n\n'].map((piece) => Buffer.from(piece))
    expect(readEvents(pieces).events).toEqual([{ data: '1\n2', type: '' }])
  })

  test('holds no more than its limit, whatever comes', { timeout: TIME_MS }, async () => {
    const property = fc.property(fc.array(fc.oneof(stream, noise), { maxLength: 30 }), (pieces) => {
      const kept: number[] = []
      const reader = createEventReader((data) => kept.push(data.length), 500)
      const outcome = outcomeOf(() => pieces.forEach((piece) => reader.push(piece)), [RangeError])
      expect(outcome).toMatch(/^(?:ok|RangeError)$/)
      expect(Math.max(0, ...kept)).toBeLessThanOrEqual(500)
    })
    await holds('event stream limit', property, RUNS / 2)
  })
})

/** @see HTML §9.2.6; of a type no more is kept than tells those that are known from all others */
function asHtmlSays(text: string): Event[] {
  const events: Event[] = []
  let data: string[] = []
  let type = ''
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    const [, field = '', value = ''] = /^([^:]*): ?(.*)$/su.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event') type = value
    else if (line === '') {
      const whole = data.join('\n')
      const kept = Buffer.from(type).toString('latin1', 0, 64)
      if (whole !== '') events.push({ data: whole, type: kept === 'message' ? '' : kept })
      data = []
      type = ''
    }
  }
  return events
}

interface Heard {
  readonly lines: readonly string[]
  readonly tooLong: number
}

/** `stops` says after which lines no more are taken until they are asked for. */
function readLines(pieces: readonly Buffer[], limit: number, stops: readonly boolean[] = []): Heard {
  const lines: string[] = []
  let tooLong = 0
  const reader = createLines({
    limit,
    onLine: (line) => stops[lines.push(line.toString('latin1')) % Math.max(1, stops.length)] !== true,
    onTooLong: () => tooLong++,
  })
  for (const piece of pieces) {
    reader.push(piece)
    if (stops.length > 0) reader.resume()
  }
  for (let count = 0; count < 1_000; count++) reader.resume()
  return { lines, tooLong }
}

describe('the lines of a child', () => {
  const text = fc
    .array(
      fc.oneof(
        noise,
        fc.constantFrom('\n', '\r\n', '\r', '\n\n', 'x'.repeat(90)).map((part) => Buffer.from(part)),
      ),
      { maxLength: 12 },
    )
    .map((parts) => Buffer.concat(parts))

  test('are the same wherever they are cut and however often nobody takes them', { timeout: TIME_MS }, async () => {
    const property = fc.property(
      text,
      cuts,
      fc.constantFrom(10, 100, 10_000),
      fc.array(fc.boolean(), { maxLength: 5 }),
      (bytes, places, limit, stops) => {
        const whole = readLines([bytes], limit)
        expect(readLines(piecesOf(bytes, places), limit)).toEqual(whole)
        expect(readLines(piecesOf(bytes, places), limit, stops)).toEqual(whole)
        expect(whole.tooLong).toBeLessThanOrEqual(1)
        for (const line of whole.lines) expect(line.length).toBeLessThanOrEqual(limit)
      },
    )
    await holds('lines in pieces', property, RUNS)
  })

  test('may say anything: no call is lost by it, and none gets what is another’s', { timeout: TIME_MS }, async () => {
    const property = fc.asyncProperty(fc.array(anyBytes, { maxLength: 10 }), fc.boolean(), async (lines, shared) => {
      const written: string[] = []
      const told: RpcNotification[] = []
      const calls = createCalls({
        server: 'odd',
        output: {
          write: (message) => written.push(message.toString()) > 0,
          full: false,
          drained: () => Promise.resolve(),
        },
        capabilities: '{"elicitation":{},"roots":{},"sampling":{}}',
        shared,
        listeners: createListeners({ shared }),
        onNotification: (message) => void told.push(message),
      })
      const answers = [calls.request('one', '{}'), calls.request('two', '{}')]
      const ids = written.map((message) => Number(JSON.parse(message).id))
      for (const line of lines) if (!isAnswerTo(line, ids)) calls.take(line)
      expect(calls.pending).toBe(0)
      for (const [index, id] of ids.entries()) calls.take(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${index}}`))
      const results = (await Promise.all(answers)).map((bytes) => JSON.parse(bytes.toString()).result)
      expect(results).toEqual([0, 1])
    })
    await holds('calls', property, RUNS / 2)
  })
})

/** It may have hit on an answer by chance. */
function isAnswerTo(line: Buffer, ids: readonly number[]): boolean {
  return /"(?:result|error)"/.test(line.toString()) && ids.some((id) => line.includes(String(id)))
}
