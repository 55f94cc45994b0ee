import fc from 'fast-check'
import { expect, test } from 'vitest'
import { oneLine } from '../../src/http/event-stream.ts'

test('any JSON text fits one line of an event, and means the same', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('\n', '\r\n', '\r', ''), (json, space) => {
      const spread = Buffer.from(`${space}${json}${space}`)
      const line = oneLine(spread)
      expect(line.toString()).not.toMatch(/[\r\n]/)
      expect(JSON.parse(line.toString())).toEqual(JSON.parse(json))
    }),
  )
})

test('bytes that are on one line already are handed on as they are, and others are not changed in place', () => {
  const plain = Buffer.from('{"a":1}')
  expect(oneLine(plain)).toBe(plain)
  const spread = Buffer.from('{"a":\r\n1,\r"b":\n2}')
  expect(oneLine(spread).toString()).toBe('{"a":  1, "b": 2}')
  expect(spread.toString()).toBe('{"a":\r\n1,\r"b":\n2}')
})
