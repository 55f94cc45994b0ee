import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseFields, pick, project, type FieldTree } from '../../src/mal/api/fields.ts'
import { encodeJson } from '../../src/mal/server/exchange.ts'

const name = fc.stringMatching(/^[a-z_]{1,8}$/)
const { tree } = fc.letrec<{ tree: FieldTree }>((tie) => ({
  tree: fc
    .array(fc.tuple(name, fc.oneof({ depthSize: 'small' }, fc.constant<FieldTree>(new Map()), tie('tree'))), {
      maxLength: 5,
    })
    .map((entries): FieldTree => new Map(entries)),
}))

function print(fields: FieldTree): string {
  return [...fields].map(([key, below]) => (below.size > 0 ? `${key}{${print(below)}}` : key)).join(',')
}

test('whatever is written as fields is read as it was meant', () => {
  fc.assert(
    fc.property(tree, (fields) => {
      expect(parseFields(print(fields))).toEqual(fields)
    }),
  )
})

test('no text is too broken to be read, and no name holds a mark of the grammar', () => {
  const names = (fields: FieldTree): string[] => [...fields].flatMap(([key, below]) => [key, ...names(below)])
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '{', '}', ',', ' ', '__proto__') }), (text) => {
      expect(names(parseFields(text)).every((key) => /^[^{},]+$/.test(key) && key.trim() === key)).toBe(true)
    }),
  )
  expect(parseFields('{'.repeat(100_000)).size).toBe(0)
})

test('nothing is given that was not asked for, and what is always given is never lost', () => {
  fc.assert(
    fc.property(tree, fc.uniqueArray(name), (asked, there) => {
      const fields = Object.fromEntries(there.map((key) => [key, () => key]))
      const always = there.slice(0, 1)
      const given = Object.keys(project(fields, asked, always))
      expect(given.toSorted()).toEqual(there.filter((key) => asked.has(key) || always.includes(key)).toSorted())
    }),
  )
})

test('braces narrow an object, and without them all of it is given', () => {
  const value = { id: 1, en: 'a', ja: 'b' }
  expect(pick(value, parseFields(''))).toEqual(value)
  expect(pick(value, parseFields('ja,other'))).toEqual({ ja: 'b' })
  expect(pick(value, parseFields('ja'), ['id'])).toEqual({ id: 1, ja: 'b' })
})

test('the escapes of MyAnimeList are JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const encoded = encodeJson({ value, text })
      expect(encoded).toMatch(/^[\u0020-\u007e]*$/)
      expect(JSON.parse(encoded)).toEqual(JSON.parse(JSON.stringify({ value, text })))
    }),
  )
})
