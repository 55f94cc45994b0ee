import fc from 'fast-check'

/**
 * JSON as texts, since a value cannot say how it was written: numbers that lose digits, escapes of every spelling, keys
 * that stand twice, white space, depth and size.
 */

/** More often none than any. */
export const space = fc.constantFrom('', '', '', '', ' ', '  ', '\t', '\n', '\r\n', '\r')

const ODD_NUMBERS = [
  '1e400',
  '-1e400',
  '-0',
  '0.0',
  '1.0',
  '1E-7',
  '12345678901234567890',
  '0.1000',
  '-0.0e+5',
  '1e-400',
]

export const numberText = fc.oneof(
  fc.constantFrom(...ODD_NUMBERS),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
)

const ODD_CHARACTERS = [
  String.raw`\u0061`,
  String.raw`\u00E9`,
  String.raw`\/`,
  String.raw`\ud83d\ude00`,
  String.raw`\uD83D`,
  String.raw`\udc00`,
  String.raw`\u0000`,
  String.raw`\u000a`,
  String.raw`\b\f\n\r\t`,
  String.raw`\"`,
  String.raw`\\`,
  String.raw`\\\"`,
  '😀',
  'é',
  '日本',
  '\u2028\u2029',
  '\u007f',
  '\ufeff',
  '/',
  '{',
  ']',
  ':,',
]

const plain = fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text).slice(1, -1))
const characters = fc.oneof(
  { weight: 2, arbitrary: plain },
  { weight: 3, arbitrary: fc.constantFrom(...ODD_CHARACTERS) },
)

/** With its quotes. */
export const stringText = fc.array(characters, { maxLength: 6 }).map((parts) => `"${parts.join('')}"`)

const deepText = fc
  .tuple(fc.integer({ min: 2, max: 500 }), fc.constantFrom('[', '{"a":', '{ "" : [ '))
  .map(([depth, open]) => open.repeat(depth) + '0' + closing(open).repeat(depth))

function closing(open: string): string {
  const opened = open.match(/[[{]/g) ?? []
  return opened
    .toReversed()
    .map((each) => (each === '[' ? ']' : '}'))
    .join('')
}

/** Large enough to be cut by every buffer on the way. */
const hugeText = fc
  .tuple(fc.integer({ min: 10_000, max: 100_000 }), fc.constantFrom('x', 'é', String.raw`\"`, '\\\\'))
  .map(([length, part]) => `"${part.repeat(length)}"`)

const scalarText = fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null', '{}', '[]'))

const { value } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 60, arbitrary: scalarText },
    { weight: 20, arbitrary: tie('object') },
    { weight: 12, arbitrary: tie('array') },
    { weight: 2, arbitrary: deepText },
  ),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
    .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
  object: fc.array(fc.tuple(stringText, tie('value'), space), { maxLength: 4 }).map(objectText),
}))

/** Any JSON value. */
export const jsonText: fc.Arbitrary<string> = fc.oneof(
  { weight: 150, arbitrary: value },
  { weight: 1, arbitrary: hugeText },
)

/** A member of an object: the text of its key, that of its value, and the white space around them. */
export type Member = readonly [key: string, value: string, space?: string]

/** Members whose names, as they are read, are none of these in any case. */
export function otherMembers(names: RegExp): fc.Arbitrary<Member[]> {
  const member = fc.tuple(
    fc.oneof(stringText, fc.constantFrom('"__proto__"', '"x"', '"x"', '"toString"')),
    jsonText,
    space,
  )
  return fc.array(
    member.filter(([key]) => !names.test(String(JSON.parse(key)))),
    { maxLength: 3 },
  )
}

export function objectText(members: readonly Member[]): string {
  return `{${members.map(([key, text, white = '']) => `${white}${key}${white}:${white}${text}${white}`).join(',')}}`
}

/** The same members in another order. */
export function ordered<T>(members: readonly T[], order: number): T[] {
  const from = members.length === 0 ? 0 : order % members.length
  const turned = [...members.slice(from), ...members.slice(0, from)]
  return order % 2 === 0 ? turned : turned.toReversed()
}
