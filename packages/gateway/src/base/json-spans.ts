/**
 * Finds where things lie in a JSON text, so that one value can be replaced and every other byte stays as
 * it came: parsing and writing again would lose large numbers, the order of keys and duplicates.
 *
 * The text is trusted to be JSON only as far as it decides what is found; on anything else the walk ends
 * with a SyntaxError, never with an endless loop.
 */

/** Where a value lies: from its first byte to the byte after its last. */
export interface Span {
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Told of one member of an object; answers `false` to end the walk. */
export type Visit = (key: string, start: number, end: number) => boolean | undefined | void

/** Reads the value of one member, which begins at `start`; answers with the index after it. */
export type ReadValue = (key: string, start: number) => number

/**
 * Walks the members of the object that starts at `at`.
 *
 * @returns the index after the object, or -1 where `visit` ended the walk.
 * @throws {SyntaxError} where the bytes are not a JSON object.
 */
export function eachMember(bytes: Buffer, at: number, visit: Visit): number {
  return walkMembers(bytes, at, (key, start) => {
    const end = skipValue(bytes, start)
    return visit(key, start, end) === false ? -1 : end
  })
}

/**
 * Walks the members of the object that starts at `at`, of which somebody else reads the values: whoever looks into one
 * has read it once, and not to find its end first.
 *
 * @returns the index after the object, or -1 where `read` answered that to end the walk.
 * @throws {SyntaxError} where the bytes are not a JSON object.
 */
export function walkMembers(bytes: Buffer, at: number, read: ReadValue): number {
  let index = skipSpace(bytes, at)
  expect(bytes, index, OPEN_BRACE)
  index = skipSpace(bytes, index + 1)
  if (bytes[index] === CLOSE_BRACE) return index + 1
  for (;;) {
    expect(bytes, index, QUOTE)
    const keyEnd = skipString(bytes, index)
    const key = readKey(bytes, index, keyEnd)
    index = skipSpace(bytes, keyEnd)
    expect(bytes, index, COLON)
    const end = read(key, skipSpace(bytes, index + 1))
    if (end < 0) return -1
    index = skipSpace(bytes, end)
    if (bytes[index] === CLOSE_BRACE) return index + 1
    expect(bytes, index, COMMA)
    index = skipSpace(bytes, index + 1)
  }
}

/**
 * Lists where the elements of the array that starts at `at` lie.
 *
 * @throws {SyntaxError} where the bytes are not a JSON array, or one of more than `most`, of which no more are looked at.
 */
export function elements(bytes: Buffer, at: number, most = Infinity): Span[] {
  const found: Span[] = []
  let index = skipSpace(bytes, at)
  expect(bytes, index, OPEN_BRACKET)
  index = skipSpace(bytes, index + 1)
  if (bytes[index] === CLOSE_BRACKET) return found
  for (;;) {
    const end = skipValue(bytes, index)
    if (found.push({ start: index, end }) > most) throw new SyntaxError(`a JSON array of more than ${most}`)
    index = skipSpace(bytes, end)
    if (bytes[index] === CLOSE_BRACKET) return found
    expect(bytes, index, COMMA)
    index = skipSpace(bytes, index + 1)
  }
}

/** Finds one member of the object that starts at `at`; the last one where the key stands twice, as JSON.parse does. */
export function findMember(bytes: Buffer, at: number, key: string): Span | undefined {
  let found: Span | undefined
  eachMember(bytes, at, (name, start, end) => {
    if (name === key) found = { start, end }
  })
  return found
}

/** A replacement of some bytes by others; `start === end` inserts. */
export interface Edit extends Span {
  readonly by: string | Buffer
}

/** Copies the bytes with the edits applied. Edits are given in the order they lie, and do not overlap. */
export function splice(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let growth = 0
  for (const { start, end, by } of edits) growth += Buffer.byteLength(by) - (end - start)
  const copy = Buffer.allocUnsafe(bytes.length + growth)
  let from = 0
  let to = 0
  for (const { start, end, by } of edits) {
    to += bytes.copy(copy, to, from, start)
    to += typeof by === 'string' ? copy.write(by, to) : by.copy(copy, to)
    from = end
  }
  bytes.copy(copy, to, from)
  return copy
}

/** Finds the end of the value that starts at `at`. */
export function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first === QUOTE) return skipString(bytes, at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(bytes, at)
  return skipScalar(bytes, at)
}

function skipContainer(bytes: Buffer, at: number): number {
  const { length } = bytes
  let depth = 0
  for (let index = at; index < length; index++) {
    const step = DEPTHS[bytes[index] ?? 0] ?? 0
    if (step === 0) continue
    if (step === STRING) index = skipString(bytes, index) - 1
    else if ((depth += step) === 0) return index + 1
  }
  throw cutOff()
}

/** What a byte does to the depth, where it does anything: one look, and not a comparison with each of them. */
const STRING = 2
const DEPTHS = new Int8Array(256)
DEPTHS[QUOTE] = STRING
DEPTHS[OPEN_BRACE] = DEPTHS[OPEN_BRACKET] = 1
DEPTHS[CLOSE_BRACE] = DEPTHS[CLOSE_BRACKET] = -1

/** How much of a string is read here before the native search for a quote is worth its call. */
const NEAR = 64

/** A text full of quotes and breaks is read here, since the native search would find one after a few bytes. */
function skipString(bytes: Buffer, at: number): number {
  const { length } = bytes
  let index = at + 1
  for (;;) {
    const near = Math.min(length, index + NEAR)
    for (; index < near; index++) {
      const byte = bytes[index]
      if (byte === QUOTE) return index + 1
      if (byte === BACKSLASH) index++
    }
    const quote = bytes.indexOf(QUOTE, index)
    if (quote < 0) throw cutOff()
    if (!isEscaped(bytes, quote, index)) return quote + 1
    index = quote + 1
  }
}

/** Whether an odd number of backslashes stands before the quote, looking back no further than `floor`. */
function isEscaped(bytes: Buffer, quote: number, floor: number): boolean {
  let index = quote - 1
  while (index >= floor && bytes[index] === BACKSLASH) index--
  return (quote - 1 - index) % 2 === 1
}

function skipScalar(bytes: Buffer, at: number): number {
  let index = at
  while (index < bytes.length && !endsScalar(bytes[index])) index++
  if (index === at) throw cutOff()
  return index
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === COLON || isSpace(byte)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Finds the next byte that is not white space. */
export function skipSpace(bytes: Buffer, at: number): number {
  let index = at
  while (isSpace(bytes[index])) index++
  return index
}

interface KnownKey {
  readonly bytes: Buffer
  readonly text: string
}

/** The keys seen last, found by their length and ends: making a string of bytes costs ten times the comparison. */
const knownKeys: (KnownKey | undefined)[] = Array.from({ length: 256 })

function readKey(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  const slot = (length * 31 + (bytes[start + 1] ?? 0) * 7 + (bytes[end - 2] ?? 0)) & 255
  const known = knownKeys[slot]
  if (known && known.bytes.length === length && isSame(known.bytes, bytes, start)) return known.text
  const text = decodeKey(bytes.toString('utf8', start + 1, end - 1))
  if (length <= 64) knownKeys[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), text }
  return text
}

function isSame(known: Buffer, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[start + index]) return false
  return true
}

function decodeKey(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

function expect(bytes: Buffer, index: number, byte: number): void {
  if (bytes[index] !== byte) throw new SyntaxError(`unexpected byte at ${index} of a JSON text`)
}

function cutOff(): SyntaxError {
  return new SyntaxError('a JSON text ends too early')
}
