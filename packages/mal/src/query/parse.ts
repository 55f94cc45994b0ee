import { badQuery } from './bad-query.ts'
import { createCondition } from './compare.ts'
import { fields, fieldsOf, type Field } from './fields.ts'
import type { Condition, Operator, World } from './operators.ts'
import { nearest } from '#kit/nearest'
import { createScanner, type Scanner, type Word } from './scan.ts'
import type { SortKey } from './sort.ts'
import { foldText } from './fold.ts'

/** Bounds of one query, so that reading it costs little and recursion ends. */
const MAX_QUERY = 1000
const MAX_DEPTH = 20
/** Every text of every entry is folded for each text that is looked for: 50 of them take a second on a list of 20,000. */
const MAX_TEXTS = 50

/**
 * Reads the clauses of a query by recursive descent:
 *
 *     query = any-of             any-of = all-of { "or" all-of }      all-of = part { [ "and" ] part }
 *     part  = [ "not" | "-" ] ( "(" any-of ")" | field operator values | word | quotation )
 *
 * @throws {MalProblem} `bad_query`
 */
export function parseClauses(text: string, world: World): { holds: Condition; sort: readonly SortKey[] } {
  if (text.length > MAX_QUERY) {
    throw badQuery(text, MAX_QUERY, `the query is longer than ${MAX_QUERY} characters`, 'Ask in several steps.')
  }
  const scanner = createScanner(text)
  const sort: SortKey[] = []
  scanner.skipSpace()
  const holds = scanner.atEnd() ? () => true : anyOf({ scanner, world, sort, texts: { count: 0 }, depth: 0 })
  if (!scanner.atEnd()) throw badQuery(text, scanner.at(), 'this ")" closes nothing', 'Leave it out, or quote it.')
  return { holds, sort }
}

interface Reading {
  readonly scanner: Scanner
  readonly world: World
  /** Filled by `sort:` clauses. */
  readonly sort: SortKey[]
  /** How many texts are looked for so far. */
  readonly texts: { count: number }
  readonly depth: number
}

function anyOf(reading: Reading): Condition {
  const { scanner } = reading
  const parts: Condition[] = []
  do parts.push(allOf(reading, parts.length > 0))
  while (scanner.take(/or(?![^\s()])\s*/iy) !== undefined)
  return (entry) => parts.some((holds) => holds(entry))
}

function allOf(reading: Reading, isAlternative: boolean): Condition {
  const { scanner } = reading
  const parts = [part(reading)]
  for (;;) {
    const isJoined = scanner.take(/and(?![^\s()])\s*/iy) !== undefined
    if (!isJoined && (scanner.atEnd() || scanner.sees(/\)|or(?![^\s()])/iy))) break
    parts.push(part(reading))
  }
  const conditions = parts.filter((holds) => holds !== undefined)
  // What is only sorted would be everything, and so would be the whole of `score>8 or sort:title`.
  if (conditions.length === 0 && (isAlternative || scanner.sees(/or/iy))) {
    throw badQuery(scanner.text, scanner.at(), 'an order is no condition', 'Write sort: last, after the conditions.')
  }
  return (entry) => conditions.every((holds) => holds(entry))
}

/** Nothing where it was an order. */
function part(reading: Reading): Condition | undefined {
  const { scanner } = reading
  if (scanner.take(/not(?![^\s()])\s*|-(?=[^\s])/iy) !== undefined) {
    const holds = part(deeper(reading))
    return (entry) => holds?.(entry) === false
  }
  if (scanner.take(/\(\s*/y) !== undefined) return group(deeper(reading))
  return term(reading)
}

function group(reading: Reading): Condition {
  const { scanner } = reading
  const holds = anyOf(reading)
  if (scanner.take(/\)\s*/y) === undefined) {
    throw badQuery(scanner.text, scanner.at(), 'a "(" was not closed', 'Put a ")" where it ends.')
  }
  return holds
}

function deeper(reading: Reading): Reading {
  const { scanner, depth } = reading
  if (depth < MAX_DEPTH) return { ...reading, depth: depth + 1 }
  throw badQuery(scanner.text, scanner.at(), `it is nested deeper than ${MAX_DEPTH}`, 'Ask in several steps.')
}

/** `field:value`, `sort:field`, or a text to find in a title. */
function term(reading: Reading): Condition | undefined {
  const { scanner } = reading
  const at = scanner.at()
  const named = scanner.take(/[a-z_]+\s*(?:!=|>=|<=|[:=<>~])\s*/iy)
  const condition = named === undefined ? titleTest(reading) : fieldTest(reading, named, at)
  scanner.skipSpace()
  return condition
}

function titleTest(reading: Reading): Condition {
  const { scanner } = reading
  const word = scanner.sees(/(?:and|or)(?![^\s()])/iy) ? undefined : scanner.word(/[^\s()"]+/y)
  if (word === undefined) throw badQuery(scanner.text, scanner.at(), 'a condition was expected', EXAMPLE)
  countTexts(reading, 1)
  const wanted = foldText(word.text)
  return ({ work }) =>
    [work.title, work.englishTitle, work.japaneseTitle, ...work.synonyms].some(
      (title) => title !== undefined && foldText(title).includes(wanted),
    )
}

function fieldTest(reading: Reading, named: string, at: number): Condition | undefined {
  const { scanner, world } = reading
  const [, name = '', operator = ''] = /^([a-z_]+)\s*(\S+)/i.exec(named) ?? []
  if (name.toLowerCase() === 'sort') return sortClause(reading)

  const field = requireField(scanner.text, { name, at, world, value: scanner.peek(/[^\s(),"]+/y) })
  const wanted = values(scanner, field)
  if (field.type === 'text' || field.type === 'words') countTexts(reading, wanted.length)
  const tests = wanted.map((value) =>
    createCondition({ field, operator: operator as Operator, value, world, text: scanner.text }),
  )
  const holds: Condition = (entry) => tests.some((test) => test(entry))
  return operator === '!=' ? (entry) => !holds(entry) : holds
}

function countTexts({ scanner, texts }: Reading, more: number): void {
  texts.count += more
  if (texts.count <= MAX_TEXTS) return
  throw badQuery(scanner.text, scanner.at(), `it looks for more than ${MAX_TEXTS} texts`, 'Ask in several steps.')
}

/** One value or several with commas between them, of which any may be met. */
function values(scanner: Scanner, field: Field): [Word, ...Word[]] {
  const read = () => {
    const word = scanner.word(/[^\s(),"]+/y)
    if (word !== undefined) return word
    throw badQuery(scanner.text, scanner.at(), `${field.name} needs a value`, EXAMPLE)
  }
  const all: [Word, ...Word[]] = [read()]
  while (scanner.take(/,\s*/y) !== undefined) all.push(read())
  return all
}

/** `sort:score desc,title` is no condition, and is remembered. */
function sortClause({ scanner, world, sort, depth }: Reading): undefined {
  if (depth > 0) {
    throw badQuery(scanner.text, scanner.at(), 'an order cannot be negated or grouped', 'Write sort: outside.')
  }
  do {
    const at = scanner.at()
    const [, minus, name, direction] =
      /^(-?)([a-z_]+)(?:\s+(asc|desc))?$/i.exec(
        scanner.take(/-?[a-z_]+(?:\s+(?:asc|desc)(?![^\s(),]))?/iy)?.trim() ?? '',
      ) ?? []
    const field = requireField(scanner.text, { name: name ?? '', at, world })
    sort.push({ field, descending: minus === '-' || direction?.toLowerCase() === 'desc' })
  } while (scanner.take(/\s*,\s*/y) !== undefined)
}

interface NamedField {
  readonly name: string
  readonly at: number
  readonly world: World
  /** What it was compared with. */
  readonly value?: string | undefined
}

function requireField(text: string, { name, at, world, value }: NamedField): Field {
  const known = fieldsOf(world.kind)
  const field = known.get(name.toLowerCase())
  if (field) return field
  const other = fields.find((one) => one.name === name.toLowerCase())
  if (other) throw badQuery(text, at, `${other.name} is a field of ${other.only} only`, `Known are: ${names(known)}.`)
  // A value that only some fields have tells more than letters: `stat:watching` is status, not state.
  const meant = nearest(name, fieldsWith(value, world)) ?? nearest(name, [...known.keys(), 'sort'])
  throw badQuery(
    text,
    at,
    `there is no field "${name}"`,
    meant === undefined ? `Known are: ${names(known)}. Put text that has a colon in quotes.` : `Did you mean ${meant}?`,
  )
}

/** The fields that have this word among their own. */
function fieldsWith(value: string | undefined, { kind }: World): string[] {
  const wanted = value?.toLowerCase()
  if (wanted === undefined) return []
  return [...fieldsOf(kind).values()].flatMap((field) => {
    const words = field.type === 'words' ? Object.entries(field.known?.[kind] ?? {}).flat(2) : []
    return words.includes(wanted) ? field.name : []
  })
}

function names(known: ReadonlyMap<string, Field>): string {
  return [...new Set([...known.values()].map(({ name }) => name)), 'sort'].join(', ')
}

const EXAMPLE = 'Write for instance status:completed score>=8 genre:"Slice of Life" sort:score desc'
