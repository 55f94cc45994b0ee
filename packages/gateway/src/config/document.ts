import {
  createScanner,
  findNodeAtLocation,
  getNodePath,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser'
import type { Part, Path, Place, Trouble } from './report.ts'

/** Deeper than any real file, and far from the depth at which a recursive parser runs out of stack. */
const MAX_DEPTH = 64

export interface Document {
  /** The file as plain values; objects have no prototype, so that no key is special. */
  readonly value: unknown
  /** What is wrong with the text as such; where there is any, `value` is not to be read. */
  readonly faults: readonly Fault[]
  /** Where a value lies, or the nearest thing around it. */
  locate(path: Path, part: Part): Place
}

export interface Fault {
  readonly place: Place
  readonly path: Path
  readonly trouble: Trouble
}

/**
 * Reads JSON with comments and trailing commas, keeping the place of everything. Never throws.
 *
 * A key that stands twice in one object is a fault: parsers differ in which of the two they believe.
 */
export function parseDocument(text: string): Document {
  const tooDeep = findTooDeep(text)
  if (tooDeep !== undefined) return broken(text, [{ offset: tooDeep, trouble: TOO_DEEP }])

  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true })
  if (errors.length > 0 || !root) return broken(text, syntaxFaults(errors))

  return {
    value: getNodeValue(root),
    faults: findRepeated(root).map((key) => ({
      place: placeOf(text, key.offset),
      path: getNodePath(key),
      trouble: REPEATED,
    })),
    locate: (path, part) => placeOf(text, findNear(root, path, part).offset),
  }
}

const TOO_DEEP: Trouble = { reason: `is nested more than ${MAX_DEPTH} deep`, fix: 'Remove what does not belong here' }

/** Finds the bracket that goes too deep, without recursion. */
function findTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true)
  for (let depth = 0; scanner.getPosition() < text.length;) {
    scanner.scan()
    const first = text[scanner.getTokenOffset()]
    if (first === '{' || first === '[') depth++
    if (first === '}' || first === ']') depth--
    if (depth > MAX_DEPTH) return scanner.getTokenOffset()
  }
  return undefined
}

interface TextFault {
  readonly offset: number
  readonly trouble: Trouble
}

function broken(text: string, faults: readonly TextFault[]): Document {
  return {
    value: undefined,
    faults: faults.map(({ offset, trouble }) => ({ place: placeOf(text, offset), path: [], trouble })),
    locate: () => placeOf(text, 0),
  }
}

function syntaxFaults(errors: readonly ParseError[]): TextFault[] {
  if (errors.length === 0) return [{ offset: 0, trouble: EMPTY }]
  return errors.map(({ error, offset }) => ({
    offset,
    trouble: SYNTAX[printParseErrorCode(error)] ?? { reason: 'is not JSON', fix: 'Correct what stands here' },
  }))
}

const EMPTY: Trouble = { reason: 'the file is empty', fix: 'Write {"mcpServers": {}} to begin with' }

const SYNTAX: Readonly<Record<string, Trouble>> = {
  InvalidSymbol: { reason: 'is not a JSON value', fix: 'Put text in double quotes' },
  InvalidNumberFormat: { reason: 'is not a JSON number', fix: 'Write digits, with a point at most' },
  PropertyNameExpected: { reason: 'a key in double quotes is missing here', fix: 'Write "key": value' },
  ValueExpected: { reason: 'a value is missing here', fix: 'Write the value, or remove the key or comma before it' },
  ColonExpected: { reason: 'a colon is missing here', fix: 'Write "key": value' },
  CommaExpected: { reason: 'a comma is missing here', fix: 'Put a comma between two entries' },
  CloseBraceExpected: { reason: 'a } is missing here', fix: 'Close every { with a }' },
  CloseBracketExpected: { reason: 'a ] is missing here', fix: 'Close every [ with a ]' },
  EndOfFileExpected: { reason: 'something stands after the end', fix: 'Keep one pair of outer braces' },
  UnexpectedEndOfComment: { reason: 'a comment is not closed', fix: 'End it with */' },
  UnexpectedEndOfString: { reason: 'a text is not closed', fix: 'End it with a double quote on the same line' },
  InvalidUnicode: { reason: 'is not a valid \\u escape', fix: 'Write four hexadecimal digits after \\u' },
  InvalidEscapeCharacter: { reason: 'is not a valid escape', fix: 'Write a backslash as \\\\' },
  InvalidCharacter: { reason: 'a text holds a control character', fix: 'Write it as \\n, \\t or \\u00XX' },
}

/** Lists the keys that stand in their object for the second time or more. */
function findRepeated(node: Node): Node[] {
  const keys = node.type === 'object' ? (node.children ?? []).flatMap(({ children }) => children?.[0] ?? []) : []
  const first = new Map(keys.toReversed().map((key) => [key.value, key]))
  const repeated = keys.filter((key) => first.get(key.value) !== key)
  return [...repeated, ...(node.children ?? []).flatMap(findRepeated)]
}

const REPEATED: Trouble = { reason: 'this key stands twice', fix: 'Keep one of the two' }

function findNear(root: Node, path: Path, part: Part): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length))
    if (!node) continue
    const key = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined
    return part === 'key' && length === path.length && key ? key : node
  }
  return root
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  const lastBreak = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r'))
  return { line: before.split(/\r\n|\r|\n/).length, column: offset - lastBreak }
}
