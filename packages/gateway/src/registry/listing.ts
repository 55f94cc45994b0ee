import { eachMember, elements, type Span } from '../base/json-spans.ts'

/** A list as an upstream gave it. */
export interface Listing {
  /** Each item's own bytes. */
  readonly items: readonly Buffer[]
  /** What the upstream said beside its list: the inside of a JSON object, empty where it said nothing. */
  readonly rest: string
  /** For how long it is good, in milliseconds, where the upstream said so. */
  readonly ttlMs: number | undefined
  /** Whether the upstream allows it to be shown to anybody. */
  readonly isPublic: boolean
}

/** One page of it. */
export interface Page extends Listing {
  readonly nextCursor: string | undefined
}

/**
 * Reads the result of a request for a list. The items share their bytes with it.
 *
 * @returns `undefined` where there is no list in it.
 * @throws {SyntaxError} where it is not JSON; the items are not looked into.
 */
export function readPage(result: Buffer, member: string): Page | undefined {
  let list: Span | undefined
  const hints = new Map<string, unknown>()
  const others = new Map<string, string>()
  eachMember(result, 0, (key, start, end) => {
    if (key === member) list = { start, end }
    else if (HINTS.has(key)) hints.set(key, JSON.parse(result.toString('utf8', start, end)))
    else others.set(key, result.toString('utf8', start, end))
  })
  if (!list || result[list.start] !== OPEN_BRACKET) return undefined
  const cursor = hints.get('nextCursor')
  return {
    items: elements(result, list.start).map(({ start, end }) => result.subarray(start, end)),
    rest: checked([...others].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')),
    ttlMs: readTtl(hints.get('ttlMs')),
    isPublic: hints.get('cacheScope') === 'public',
    nextCursor: typeof cursor === 'string' ? cursor : undefined,
  }
}

/** What is said anew with every page, in the words of each era. */
const HINTS: ReadonlySet<string> = new Set(['nextCursor', 'ttlMs', 'cacheScope', 'resultType'])
const OPEN_BRACKET = 0x5b

/** It goes out again in the gate's own answers, which are to be JSON whatever an upstream sends. */
function checked(rest: string): string {
  JSON.parse(`{${rest}}`)
  return rest
}

function readTtl(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined
}

/** Writes a list down as one page; `items` is the inside of an array. */
export function writePage(member: string, items: Buffer, rest: string): string {
  return `{"${member}":[${items.toString()}]${rest === '' ? '' : `,${rest}`}}`
}
