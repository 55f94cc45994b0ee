import type { Path, Trouble } from './report.ts'
import { isFields, type Fields } from './values.ts'

/** What is said of a secret that stands in the file. */
export const LITERAL: Trouble = {
  reason: 'is a secret that whoever reads this file can use',
  fix: 'Put it into a variable, and write {"$env": "NAME"}',
}

/** Names that secrets have, in headers, variables, options and queries. */
const SECRET =
  /authorization|cookie|token|secret|passw(?:or)?d|passphrase|credential|(?:api|access|private|auth|signing)[-_]?key|(?:^|[-_])(?:pat|pwd)$/i

/** Names that only have to do with one: where it is, how many there may be. */
const ABOUT =
  /(?:file|path|dir|url|uri|endpoint|host|issuer|type|name|header|prefix|limit|max|budget|count|size|ttl|seconds|ms|id)$|^max/i

/** Values that are none: a switch, a small number, nothing. */
const PLAIN = /^(?:|true|false|yes|no|on|off|\d{1,6})$/i

/** Where texts of a server stand that are secrets by their names. What a variable or the user gives is none. */
export function literalSecrets({ headers, env, args, url }: Fields): Path[] {
  return [...inRecord('headers', headers), ...inRecord('env', env), ...inArguments(args), ...inUrl(url)]
}

function inRecord(key: string, record: unknown): Path[] {
  const entries = isFields(record) ? Object.entries(record) : []
  return entries.filter(([name, value]) => isSecret(name, value)).map(([name]) => [key, name])
}

/** `--api-key=…`, or `--api-key` and the value after it. */
function inArguments(args: unknown): Path[] {
  const words: readonly unknown[] = Array.isArray(args) ? args : []
  return words.flatMap((word, index) => {
    const [, name = '', own] = /^--?([\w-]+)(?:=(.*))?$/s.exec(typeof word === 'string' ? word : '') ?? []
    const next = words[index + 1]
    if (own !== undefined) return isSecret(name, own) ? [['args', index]] : []
    return isSecret(name, next) && !String(next).startsWith('-') ? [['args', index + 1]] : []
  })
}

function inUrl(url: unknown): Path[] {
  const query = typeof url === 'string' ? URL.parse(url)?.searchParams : undefined
  return [...(query ?? [])].some(([name, value]) => isSecret(name, value)) ? [['url']] : []
}

function isSecret(name: string, value: unknown): boolean {
  return typeof value === 'string' && SECRET.test(name) && !ABOUT.test(name) && !PLAIN.test(value)
}
