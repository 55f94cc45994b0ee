import fc from 'fast-check'
import { jsonText, objectText, otherMembers, space, stringText, type Member } from './json-text.ts'

/** Bytes of no meaning at all. */
export const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

/** What JSON is made of, put together by chance. */
const crumbs = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      '\\u00',
      '1',
      'e',
      '-',
      ' ',
      '\n',
      '"id"',
      '"method"',
      'null',
      'é',
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.from(parts.join('')))

const KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error', 'Id', 'METHOD']
const INNER = [
  'name',
  'uri',
  'cursor',
  '_meta',
  'arguments',
  'taskId',
  'requestState',
  'inputResponses',
  'Name',
  'progressToken',
  'level',
  'content',
  'ref',
  'data',
  'code',
  'message',
]

function keyed(names: readonly string[], value: fc.Arbitrary<string>): fc.Arbitrary<Member> {
  return fc.tuple(
    fc.constantFrom(...names).map((name) => JSON.stringify(name)),
    value,
    space,
  )
}

const innerText = fc.array(keyed(INNER, fc.oneof(stringText, jsonText)), { maxLength: 5 }).map(objectText)
const VERSION: Member = ['"jsonrpc"', '"2.0"']

/** Nearly a message: its members are there twice, or not at all, or are something else. */
export const messageText = fc
  .tuple(
    fc.array(keyed(KEYS, fc.oneof(jsonText, innerText, fc.constantFrom('"2.0"', '"tools/call"', '1'))), {
      maxLength: 5,
    }),
    otherMembers(/^(?:jsonrpc)$/i),
    fc.boolean(),
  )
  .map(([known, others, isVersioned]) => objectText([...(isVersioned ? [VERSION] : []), ...known, ...others]))

/** A text that was right until something was done to one place of it. */
function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.tuple(text, fc.nat(), fc.nat(3), noise).map(([whole, place, cut, junk]) => {
    const bytes = Buffer.from(whole)
    const at = bytes.length === 0 ? 0 : place % bytes.length
    return Buffer.concat([bytes.subarray(0, at), junk.subarray(0, 4), bytes.subarray(at + cut)])
  })
}

/** Anything that somebody may send. */
export const anyBytes = fc.oneof(
  { weight: 1, arbitrary: noise },
  { weight: 2, arbitrary: crumbs },
  { weight: 3, arbitrary: damaged(fc.oneof(messageText, jsonText)) },
  { weight: 4, arbitrary: messageText.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: jsonText.map((text) => Buffer.from(text)) },
)

/** The same bytes in pieces, of which some may be empty. */
export function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts
    .map((cut) => (bytes.length === 0 ? 0 : cut % (bytes.length + 1)))
    .sort((one, other) => one - other)
  const ends = [...places, bytes.length]
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

export const cuts = fc.array(fc.nat(100_000), { maxLength: 12 })
