import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventReader } from '../../src/upstreams/transports/event-stream.ts'

function readAll(chunks: readonly Buffer[], limit = 1000): string[] {
  const events: string[] = []
  const reader = createEventReader((data) => events.push(data.toString()), limit)
  for (const chunk of chunks) reader.push(chunk)
  return events
}

describe('reading an event stream', () => {
  test('the data of each event comes out, whatever ends the lines and wherever the bytes are cut', () => {
    const data = fc.array(
      fc.string({ unit: 'grapheme' }).filter((text) => text !== '' && !/[\r\n]/.test(text)),
      { maxLength: 6 },
    )
    const ends = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(data, ends, fc.array(fc.nat(400), { maxLength: 20 }), (texts, end, cuts) => {
        const stream = Buffer.from(
          texts.map((text) => `event: message${end}id: 7${end}data: ${text}${end}${end}`).join(`: comment${end}`),
        )
        const marks = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length]
        const chunks = marks.slice(1).map((mark, index) => stream.subarray(marks[index], mark))
        expect(readAll(chunks, 100_000)).toEqual(texts)
      }),
    )
  })

  test('several data lines are one text with line breaks between', () => {
    expect(readAll([Buffer.from('data: a\ndata:b\n\n')])).toEqual(['a\nb'])
  })

  test('an event without data, and one that was not finished, mean nothing', () => {
    expect(readAll([Buffer.from('event: ping\n\n: comment\n\ndata: cut')])).toEqual([])
  })

  test('an event larger than the limit ends the reading', () => {
    expect(() => readAll([Buffer.from('data: '), Buffer.alloc(2000, 'x')])).toThrow(RangeError)
  })

  test('so does one of countless lines with nothing in them, which takes memory all the same', () => {
    expect(() => readAll([Buffer.from('data:\n'.repeat(100))], 1_000)).toThrow(RangeError)
  })

  describe('where a stream can be gone on with', () => {
    function readerOf(text: string) {
      const reader = createEventReader(() => {}, 10_000)
      reader.push(Buffer.from(text))
      return reader
    }

    test.for<[text: string, lastId: string | undefined]>([
      ['id: 1\ndata: x\n\n', '1'],
      ['id:1\ndata: \n\n', '1'],
      ['id: 1\n\n', '1'],
      ['id: 1\ndata: x\n', undefined],
      ['id: 1\ndata: x\n\ndata: y\n\n', '1'],
      ['id: 1\n\nid: 2\ndata: cut', '1'],
      ['id: 1\n\nid\n\n', '1'],
      ['id: 1\n\nid:\n\n', undefined],
      ['id: 1\r\n\r\nid: a b\r\n\r\n', 'a b'],
      ['id: 1\n\nid: no\x00header\n\n', undefined],
      ['id: 1\n\nid: é\n\n', undefined],
      [`id: ${'x'.repeat(2_000)}\n\n`, undefined],
      ['idea: 1\ndata: x\n\n', undefined],
    ])('%j: after %s', ([text, lastId]) => {
      expect(readerOf(text).lastId).toBe(lastId)
    })

    test.for<[text: string, retryMs: number | undefined]>([
      ['retry: 500\n\n', 500],
      ['retry:0\n', 0],
      ['retry: 5\nretry: soon\n', 5],
      ['retry: -1\n', undefined],
      ['retry: 12345678901234\n', undefined],
    ])('%j: in %s ms', ([text, retryMs]) => {
      expect(readerOf(text).retryMs).toBe(retryMs)
    })
  })

  test('the type of an event is told, where it is not the usual one', () => {
    const types: string[] = []
    const reader = createEventReader((_data, type) => types.push(type), 1_000)
    reader.push(Buffer.from('event: endpoint\ndata: /messages\n\ndata: 1\n\nevent: message\ndata: 2\n\n'))
    expect(types).toEqual(['endpoint', '', ''])
  })

  test('holds nothing that the engine keeps until a full collection: each of its members is a plain value', () => {
    const members = Object.values(Object.getOwnPropertyDescriptors(createEventReader(() => {}, 1_000)))
    expect(members.filter(({ get, set }) => get !== undefined || set !== undefined)).toEqual([])
  })
})
