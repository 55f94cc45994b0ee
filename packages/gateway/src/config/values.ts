import { inspect } from 'node:util'
import type { Template } from '../base/template.ts'
import type { Trouble } from './report.ts'

/** A value as the file spells it; `env` becomes a text at load, the others are {@link Template}s already. */
export type ConfigValue = Template | { readonly kind: 'env'; readonly variable: string }

export type Fields = Readonly<Record<string, unknown>>

/** The JSON Schema of a value, which is checked by {@link readValue}. */
export const valueShape = {
  description:
    'A text as it stands, `{"$env": "NAME"}` for a variable of the gate\'s own environment, ' +
    '`{"$userToken": "Bearer {{token}}"}` for the calling user\'s own token, or `{"$user": "id"}` and `{"$user": "notes-{{id}}.json"}` for their id. ' +
    'Nothing else is expanded; a `$` before a letter, `_` or `{` is refused.',
  anyOf: [
    { type: 'string' },
    reference('$env', { type: 'string', minLength: 1 }),
    reference('$userToken', { type: 'string', pattern: '\\{\\{token\\}\\}' }),
    reference('$user', { type: 'string', pattern: '^id$|\\{\\{id\\}\\}' }),
  ],
}

function reference(key: string, operand: object): object {
  return { type: 'object', properties: { [key]: operand }, required: [key], additionalProperties: false }
}

/** Reads one value of env, args, url or headers. */
export function readValue(raw: unknown): ConfigValue | Trouble {
  if (typeof raw === 'string') return readText(raw)
  if (!isFields(raw)) return { reason: `must be a text, not ${describe(raw)}`, fix: 'Write it in double quotes' }
  const [key, ...others] = Object.keys(raw)
  if (key === undefined) return { reason: 'an empty object is no value', fix: 'Write a text, or {"$env": "NAME"}' }
  if (others.length > 0) return { reason: 'holds more than one key', fix: 'Keep one of $env, $userToken and $user' }
  const read = REFERENCES.get(key)
  return read ? read(raw[key]) : { reason: 'is no known kind of value', fix: 'Use $env, $userToken or $user' }
}

const REFERENCES: ReadonlyMap<string, (operand: unknown) => ConfigValue | Trouble> = new Map([
  ['$env', readVariable],
  ['$userToken', readUserToken],
  ['$user', readUser],
])

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g
const TOKEN = '{{token}}'
const USER_ID = '{{id}}'

function readText(text: string): ConfigValue | Trouble {
  if (text.includes(TOKEN)) {
    return {
      reason: '{{token}} is not filled in here',
      fix: 'Write {"$userToken": "…{{token}}…"} in place of the text',
    }
  }
  return refuseShellStyle(text) ?? { kind: 'text', text }
}

/**
 * Shell-style references are refused and not expanded: whoever writes one expects a value, and a literal
 * `$TOKEN` sent as a password is a fault that shows itself late. The name is repeated only where it is
 * spelled as variables are, since it may be the middle of a password.
 */
function refuseShellStyle(text: string): Trouble | undefined {
  const found = /\$(?:\{(?:env:)?)?([A-Z_][A-Z0-9_]*)\b|\$[{A-Za-z_]/.exec(text)
  if (!found) return undefined
  const whole = found[0].length < text.length - 1 ? ', with the whole text in the variable' : ''
  return {
    reason: 'shell-style variables are not expanded',
    fix: `Write {"$env": "${found[1] ?? 'NAME'}"} in place of the text${whole}`,
  }
}

function readVariable(variable: unknown): ConfigValue | Trouble {
  if (typeof variable === 'string' && /^[A-Za-z_]\w*$/.test(variable)) return { kind: 'env', variable }
  return { reason: '$env takes the name of one environment variable', fix: 'Write {"$env": "NAME"}' }
}

function readUserToken(pattern: unknown): ConfigValue | Trouble {
  return (
    readPattern(pattern, { key: '$userToken', placeholder: TOKEN }) ?? { kind: 'userToken', pattern: String(pattern) }
  )
}

/** `id` alone is short for the whole of it. */
function readUser(pattern: unknown): ConfigValue | Trouble {
  if (pattern === 'id') return { kind: 'user', pattern: USER_ID }
  return readPattern(pattern, { key: '$user', placeholder: USER_ID }) ?? { kind: 'user', pattern: String(pattern) }
}

/** What is wrong with a text that something is filled into, if anything. */
function readPattern(
  pattern: unknown,
  { key, placeholder }: { key: string; placeholder: string },
): Trouble | undefined {
  if (typeof pattern !== 'string') return { reason: `${key} takes a text`, fix: `Write {"${key}": "${placeholder}"}` }
  if (!pattern.includes(placeholder)) {
    return { reason: `${key} has no ${placeholder}`, fix: `Put ${placeholder} where it belongs` }
  }
  for (const [found] of pattern.matchAll(PLACEHOLDER)) {
    if (found !== placeholder) {
      return { reason: 'holds an unknown {{placeholder}}', fix: `Only ${placeholder} is filled in` }
    }
  }
  return refuseShellStyle(pattern)
}

/**
 * A text that came from the environment. Its value is there for the one line that sends it, and in nothing
 * that prints: JSON, `console.log` and loggers show `{"$env": "NAME"}`.
 */
export function fromEnvironment(variable: string, text: string): Template {
  const shown = { $env: variable }
  const hidden = { toJSON: { value: () => shown }, [inspect.custom]: { value: () => shown } }
  return Object.defineProperties({ kind: 'text', text }, { text: { enumerable: false }, ...hidden })
}

/** Answers whether a value is an object of the file (not an array, not null). */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Answers whether a value of the server is a reference of this kind. */
export function holds({ args, env, headers, url }: Fields, key: string): boolean {
  const records = [env, headers].flatMap((record) => (isFields(record) ? Object.values(record) : []))
  const values: unknown[] = [...(Array.isArray(args) ? args : []), ...records, url]
  return values.some((value) => isFields(value) && value[key] !== undefined)
}

/** Names the kind of a JSON value, never the value. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value === 'string' ? 'text' : typeof value}`
}
