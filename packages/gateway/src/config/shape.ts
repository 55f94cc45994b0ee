import type { z } from 'zod'
import { nearest } from '#kit/nearest'
import { configJsonSchema, ConfigFile } from './schema.ts'
import { describe, isFields } from './values.ts'
import { insteadOf } from './foreign.ts'
import type { Path, Report, Trouble } from './report.ts'

type Issue = z.core.$ZodIssue

/**
 * Checks types, ranges and keys, and reports what is wrong in our words.
 *
 * @returns the file with its defaults, or `undefined` where something was wrong.
 */
export function checkShape(value: unknown, report: Report): ConfigFile | undefined {
  const { data, error } = ConfigFile.safeParse(value)
  for (const issue of error?.issues ?? []) reportIssue(issue, value, report)
  return data
}

function reportIssue(issue: Issue, value: unknown, report: Report): void {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code !== 'unrecognized_keys') return report.problem(path, explain(issue, valueAt(value, path)))
  const known = knownKeys(path)
  for (const key of issue.keys) report.problem([...path, key], explainKey(key, known), 'key')
}

function explain(issue: Issue, value: unknown): Trouble {
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, value)
    case 'too_small':
      return issue.origin === 'string'
        ? { reason: 'is empty', fix: 'Write something, or remove the key' }
        : { reason: `is less than ${issue.minimum}`, fix: `Write ${issue.minimum} or more` }
    case 'too_big':
      return issue.origin === 'string'
        ? { reason: `is longer than ${issue.maximum} characters`, fix: 'Shorten it' }
        : { reason: `is more than ${issue.maximum}`, fix: `Write ${issue.maximum} or less` }
    case 'invalid_value':
      return explainChoice(issue.values.map(String), value)
    case 'custom':
      return { reason: issue.message, fix: String(issue.params?.['fix']) }
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return { reason: issue.message, fix: 'Correct it; the reference page of the configuration says what it takes' }
  }
}

function explainType(expected: string, value: unknown): Trouble {
  const wanted = KINDS[expected] ?? expected
  if (value === undefined) return { reason: 'is missing', fix: `Write ${wanted}` }
  if (expected === 'int' && typeof value === 'number')
    return { reason: 'is not a whole number', fix: `Write ${wanted}` }
  const quoted = typeof value === 'string' && /^(?:\d+|true|false)$/.test(value) && expected !== 'array'
  return { reason: `must be ${wanted}, not ${describe(value)}`, fix: quoted ? 'Remove the quotes' : `Write ${wanted}` }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text in double quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object in braces',
  record: 'an object in braces',
  array: 'a list in square brackets',
}

function explainChoice(choices: readonly string[], value: unknown): Trouble {
  if (typeof value !== 'string') return explainType('string', value)
  const meant = insteadOf(value) ?? nearest(value, choices)
  if (typeof meant === 'object') return meant
  const list = choices.map((choice) => JSON.stringify(choice)).join(', ')
  return { reason: `is none of ${list}`, fix: meant ? `Did you mean ${JSON.stringify(meant)}?` : 'Choose one of them' }
}

function explainKey(key: string, known: readonly string[]): Trouble {
  const meant = insteadOf(key)
  if (typeof meant === 'object') return meant
  const near = meant ?? nearest(key, known)
  if (near !== undefined && known.includes(near)) return { reason: 'is no known key', fix: `Did you mean ${near}?` }
  return { reason: 'is no known key', fix: `Remove it; known here are ${known.join(', ')}` }
}

/** The keys that an object may have, found by walking the JSON Schema; records take any, and never ask. */
function knownKeys(path: Path): string[] {
  let schema: z.core.JSONSchema.BaseSchema | undefined = configJsonSchema()
  for (const step of path) {
    const next: z.core.JSONSchema._JSONSchema | z.core.JSONSchema._JSONSchema[] | undefined =
      typeof step === 'number' ? schema?.items : (schema?.properties?.[step] ?? schema?.additionalProperties)
    schema = typeof next === 'object' && !Array.isArray(next) ? next : undefined
  }
  return Object.keys(schema?.properties ?? {})
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const step of path) {
    if (Array.isArray(found)) found = found[Number(step)]
    else found = isFields(found) ? found[String(step)] : undefined
  }
  return found
}
