import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eachMember, elements, findMember, skipValue, splice, walkMembers } from '../../src/base/json-spans.ts'

const json = fc.jsonValue({ maxDepth: 4 })

/** How a walk over the members ended. */
function walk(bytes: Buffer): string {
  try {
    eachMember(bytes, 0, () => {})
    return 'end'
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}

describe('finding places in a JSON text', () => {
  test('every member of an object is found with exactly its own bytes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.constantFrom(undefined, 2, '\t'), (object, space) => {
        const bytes = Buffer.from(JSON.stringify(object, null, space))
        const found: Record<string, unknown> = {}
        const end = eachMember(bytes, 0, (key, from, to) => {
          Object.defineProperty(found, key, { value: JSON.parse(bytes.toString('utf8', from, to)), enumerable: true })
        })
        expect(end).toBe(bytes.length)
        expect(Object.entries(found)).toEqual(Object.entries(JSON.parse(bytes.toString())))
      }),
    )
  })

  test('every element of an array is found', () => {
    fc.assert(
      fc.property(fc.array(json), (array) => {
        const bytes = Buffer.from(JSON.stringify(array, null, 1))
        expect(elements(bytes, 0).map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)))).toEqual(
          JSON.parse(bytes.toString()),
        )
      }),
    )
  })

  test('a string of any length and any run of backslashes ends where it ends', () => {
    for (const length of [0, 1, 61, 62, 63, 64, 65, 66, 127, 128, 129, 200]) {
      for (const tail of ['', '\\', '\\\\', '"', '\\"', '\\\\"']) {
        const text = JSON.stringify('a'.repeat(length) + tail)
        expect(skipValue(Buffer.from(`${text},"next"`), 0)).toBe(text.length)
      }
    }
  })

  test('a string full of quotes ends where it ends', () => {
    const text = JSON.stringify('say "x" \\ and\n"y"'.repeat(500))
    expect(skipValue(Buffer.from(`{"a":${text}}x`), 0)).toBe(text.length + '{"a":}'.length)
  })

  test('who reads a value in the walk is asked for its end', () => {
    const bytes = Buffer.from('{"a":{"b":[1,{}],"c":"}"},"d":2}')
    const seen: string[] = []
    const end = walkMembers(bytes, 0, (key, start) => {
      seen.push(key)
      const deeper = (inner: string, at: number) => (seen.push(`${key}.${inner}`), skipValue(bytes, at))
      return key === 'a' ? walkMembers(bytes, start, deeper) : skipValue(bytes, start)
    })
    expect([end, seen]).toEqual([bytes.length, ['a', 'a.b', 'a.c', 'd']])
    expect(walkMembers(bytes, 0, () => -1)).toBe(-1)
  })

  test('an escaped key is known by what it means', () => {
    const bytes = Buffer.from('{"na\\u006de":"x"}')
    expect(findMember(bytes, 0, 'name')).toEqual({ start: 13, end: 16 })
  })

  test('whatever the bytes are, the walk ends', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' ') }),
        (raw, text) => {
          for (const bytes of [Buffer.from(raw), Buffer.from(`{"a":${text}`)]) {
            expect(walk(bytes)).toMatch(/^(end|SyntaxError)$/)
          }
        },
      ),
    )
  })

  test('an edit changes its own bytes and no others', () => {
    const bytes = Buffer.from('{"big":12345678901234567890,"name":"old","same":1.50}')
    const at = findMember(bytes, 0, 'name')
    expect(splice(bytes, at ? [{ ...at, by: '"new one"' }] : []).toString()).toBe(
      '{"big":12345678901234567890,"name":"new one","same":1.50}',
    )
  })
})
