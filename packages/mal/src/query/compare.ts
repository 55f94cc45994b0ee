import type { ListEntry } from '../list/entry.ts'
import { badQuery } from './bad-query.ts'
import { compareDate, parseDate } from './dates.ts'
import type { Field } from './fields.ts'
import { foldName, foldText } from './fold.ts'
import { nearest } from '#kit/nearest'
import { isEquality, operators, type Condition, type Operator, type World } from './operators.ts'
import type { Word } from './scan.ts'

/** One comparison. `!=` is made as `=`: whoever asked turns it round, for all values at once. */
export interface Comparison {
  readonly field: Field
  readonly operator: Operator
  readonly value: Word
  readonly world: World
  /** The whole query. */
  readonly text: string
}

/**
 * Makes the test of one comparison. What is not known meets none; `none` and `any` ask for just that.
 *
 * @throws {MalProblem} `bad_query`
 */
export function createCondition(comparison: Comparison): Condition {
  const { field, operator, value } = comparison
  const taken: readonly Operator[] = operators[field.type]
  if (!taken.includes(operator)) {
    throw wrong(comparison, `${field.name} cannot be compared with ${operator}`, `It takes ${taken.join(' ')}`)
  }
  if (!value.quoted && isEquality(operator) && field.type !== 'flag') {
    if (/^none$/i.test(value.text)) return (entry) => !isKnown(field, entry)
    if (/^any$/i.test(value.text)) return (entry) => isKnown(field, entry)
  }
  switch (field.type) {
    case 'number':
      return numberTest(comparison, (entry) => field.read(entry))
    case 'date':
      return dateTest(comparison, (entry) => field.read(entry))
    case 'text':
      return textTest(comparison, (entry) => field.read(entry))
    case 'words':
      return wordsTest(comparison, { known: field.known?.[comparison.world.kind], read: (entry) => field.read(entry) })
    case 'flag':
      return flagTest(comparison, (entry) => field.read(entry))
  }
}

function isKnown(field: Field, entry: ListEntry): boolean {
  const value = field.read(entry)
  return Array.isArray(value) ? value.some((one) => one !== '') : value !== undefined
}

function numberTest(comparison: Comparison, read: (entry: ListEntry) => number | undefined): Condition {
  const { operator } = comparison
  const [low, high] = ends(comparison).map((end) => (end === '' ? undefined : parseNumber(comparison, end)))
  return (entry) => {
    const value = read(entry)
    return value !== undefined && compareNumber(value, { operator, low, high })
  }
}

interface Bounds {
  readonly operator: Operator
  readonly low: number | undefined
  readonly high: number | undefined
}

function compareNumber(value: number, { operator, low, high }: Bounds): boolean {
  if (operator === '<') return value < (low ?? Infinity)
  if (operator === '<=') return value <= (low ?? Infinity)
  if (operator === '>') return value > (low ?? -Infinity)
  if (operator === '>=') return value >= (low ?? -Infinity)
  return value >= (low ?? -Infinity) && value <= (high ?? Infinity)
}

function dateTest(comparison: Comparison, read: (entry: ListEntry) => string | undefined): Condition {
  const { field, operator, world } = comparison
  const [low, high] = ends(comparison).map((end) => {
    const date = end === '' ? undefined : parseDate(end, world.now)
    if (end !== '' && date === undefined) {
      throw wrong(
        comparison,
        `${field.name} cannot be "${end}"`,
        'Write 2024, 2024-05, 2024-05-31, today, or an age: 30d',
      )
    }
    return date
  })
  return (entry) => {
    const value = read(entry)
    return value !== undefined && compareDate(value, { operator, low, high })
  }
}

/**
 * The two ends of `a..b`, of which one may be missing; a single value is both. Only an equality takes a range.
 */
function ends(comparison: Comparison): [string, string] {
  const { operator, value } = comparison
  const [low = '', high, more] = value.text.split('..')
  if (high === undefined) return [low, low]
  if (!isEquality(operator) || more !== undefined || (low === '' && high === '')) {
    throw wrong(comparison, `"${value.text}" is no range here`, 'Write a range as field:2010..2019, :2010.. or :..2019')
  }
  return [low, high]
}

function parseNumber(comparison: Comparison, text: string): number {
  if (/^[+-]?\d{1,12}(?:\.\d{1,6})?$/.test(text)) return Number(text)
  throw wrong(
    comparison,
    `${comparison.field.name} is a number, "${text}" is none`,
    'Write for instance score>=7 or year:2010..2019',
  )
}

function textTest({ operator, value }: Comparison, read: (entry: ListEntry) => readonly string[]): Condition {
  const wanted = foldText(value.text)
  const isExact = operator === '=' || operator === '!='
  const fits = (text: string) => (isExact ? foldText(text) === wanted : foldText(text).includes(wanted))
  return (entry) => read(entry).some((text) => text !== '' && fits(text))
}

interface Words {
  readonly known: Readonly<Record<string, readonly string[]>> | undefined
  read(entry: ListEntry): readonly string[]
}

function wordsTest(comparison: Comparison, { known, read }: Words): Condition {
  const { operator, value } = comparison
  if (operator === '~') {
    const part = foldName(value.text)
    return (entry) => read(entry).some((word) => foldName(word).includes(part))
  }
  const wanted = foldName(known === undefined ? value.text : requireKnown(comparison, known))
  return (entry) => read(entry).some((word) => foldName(word) === wanted)
}

/** Where a field has a few words only, another one is a slip. */
function requireKnown(comparison: Comparison, known: Readonly<Record<string, readonly string[]>>): string {
  const given = foldName(comparison.value.text).replaceAll(' ', '_')
  const found = Object.keys(known).find((word) => word === given || known[word]?.includes(given))
  if (found !== undefined) return found
  const meant = nearest(given, Object.keys(known))
  const fix = meant === undefined ? `It is one of ${Object.keys(known).join(', ')}` : `Did you mean ${meant}?`
  throw wrong(comparison, `${comparison.field.name} cannot be "${comparison.value.text}"`, fix)
}

const yes = ['yes', 'true', '1']
const no = ['no', 'false', '0']

function flagTest(comparison: Comparison, read: (entry: ListEntry) => boolean): Condition {
  const given = comparison.value.text.toLowerCase()
  if (!yes.includes(given) && !no.includes(given)) {
    throw wrong(comparison, `${comparison.field.name} cannot be "${comparison.value.text}"`, 'It is yes or no')
  }
  return (entry) => read(entry) === yes.includes(given)
}

function wrong({ text, value }: Comparison, what: string, fix: string) {
  return badQuery(text, value.at, what, fix.endsWith('?') ? fix : `${fix}.`)
}
