import { nearest } from '#kit/nearest'
import { createReport, type ConfigProblem, type Path, type Report } from './report.ts'
import { checkShape } from './shape.ts'
import { isFields, type Fields } from './values.ts'

export type Environment = Readonly<Record<string, string | undefined>>

interface Variable {
  /** The key of the file that it stands before, where there is one. */
  readonly sets?: readonly [string, ...string[]]
  readonly kind?: 'number'
  /** All it may be, where it is not a key of the file whose schema says so. */
  readonly choices?: readonly string[]
  readonly secret?: true
  readonly says: string
}

/**
 * The variables that the gate reads, beside those that a file names with `$env`. One that is empty counts as
 * not set.
 */
export const environmentTable = {
  SEKISHO_CONFIG: { says: 'The configuration file. Default: `sekisho.jsonc` in the directory of the start.' },
  SEKISHO_DATA: { says: 'The data directory. Default: `.sekisho` where the command is typed.' },
  SEKISHO_HOST: { sets: ['listen', 'host'], says: 'The address to listen on.' },
  SEKISHO_PORT: { sets: ['listen', 'port'], kind: 'number', says: 'The port to listen on.' },
  SEKISHO_PUBLIC_URL: { sets: ['publicUrl'], says: 'The address people use.' },
  SEKISHO_WORKERS: { sets: ['workers'], kind: 'number', says: 'How many processes serve.' },
  SEKISHO_CALLS_PER_MINUTE: {
    sets: ['limits', 'callsPerMinute'],
    kind: 'number',
    says: 'How many calls a user may make in a minute.',
  },
  SEKISHO_AUTHORIZE_PER_MINUTE: {
    sets: ['limits', 'perMinute', 'authorize'],
    kind: 'number',
    says: 'How many authorizations one address may begin in a minute.',
  },
  SEKISHO_CALLBACK_PER_MINUTE: {
    sets: ['limits', 'perMinute', 'callback'],
    kind: 'number',
    says: 'How many answers of providers one address may bring in a minute.',
  },
  SEKISHO_LOG_LEVEL: { sets: ['log', 'level'], says: 'The least that is logged.' },
  SEKISHO_LOG_FORMAT: { sets: ['log', 'format'], says: 'How the log is written.' },
  SEKISHO_ROOT_KEY: {
    secret: true,
    says: 'The root key of the vault: 32 bytes in base64. Without it, the key file counts.',
  },
  SEKISHO_ROOT_KEY_FILE: { says: 'The file that holds the root key. Default: `root.key` in the data directory.' },
  SEKISHO_ROOT_KEY_STORE: {
    choices: ['auto', 'keyring', 'file'],
    says: 'Where a new gate keeps its root key, and the command line its sign-ins: `keyring`, `file`, or `auto` (the default), which is the keyring of the system where it answers.',
  },
  SEKISHO_ROOT_KEY_PASSPHRASE: {
    secret: true,
    says: 'What opens a root key file that a passphrase protects. A new one is protected with it.',
  },
  SEKISHO_ROOT_KEY_PASSPHRASE_FILE: { says: 'A file that holds that passphrase, in place of it.' },
  SEKISHO_KEY: { secret: true, says: 'For the CLI: the API key for a gate that it reaches by address.' },
  DATABASE_URL: { secret: true, says: 'PostgreSQL, in place of the SQLite file in the data directory.' },
  REDIS_URL: { secret: true, says: 'Redis, through which the processes that serve one database tell each other.' },
} as const satisfies Record<string, Variable>

type Name = keyof typeof environmentTable

const variables: ReadonlyMap<string, Variable> = new Map(Object.entries(environmentTable))

/** Reads one variable; `undefined` where it is unset or empty. */
export function findVariable(environment: Environment, name: Name): string | undefined {
  return environment[name] || undefined
}

/** What the variables put before the file, and what is wrong with them. */
export interface Overrides {
  readonly fields: Fields
  /** Answers whether a variable gives the value at this path. */
  has(path: Path): boolean
  /** Takes the paths of the file, and names the variables. */
  readonly report: Report
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
}

/** Reads the variables of the table; those that stand before a key are checked by the schema of the file. */
export function readOverrides(environment: Environment): Overrides {
  const { problems, warnings, problem, warning } = createReport({ source: 'environment', locate: () => START })
  const fields: Record<string, unknown> = {}
  for (const [name, { sets, kind, choices }] of variables) {
    const text = environment[name]
    if (text && choices?.includes(text) === false) problem([name], noneOf(choices))
    if (text && sets) place(fields, sets, kind === 'number' && /^\d+$/.test(text) ? Number(text) : text)
  }

  const report: Report = {
    problem: (path, trouble) => problem([nameFor(path)], trouble),
    warning: (path, trouble) => warning([nameFor(path)], trouble),
  }
  checkShape(fields, report)
  if (!isPostgres(environment['DATABASE_URL'])) problem(['DATABASE_URL'], NOT_POSTGRES)
  if (!isRedis(environment['REDIS_URL'])) problem(['REDIS_URL'], NOT_REDIS)
  for (const name of Object.keys(environment)) warnOfSlip(name, report)
  return { fields, has: (path) => Boolean(environment[nameFor(path)]), report, problems, warnings }
}

function noneOf(choices: readonly string[]) {
  return { reason: 'is none of what it may be', fix: `Write ${choices.join(', ')}, or leave it out` }
}

const START = { line: 1, column: 1 }

function isPostgres(url: string | undefined): boolean {
  return !url || /^postgres(?:ql)?:\/\/./.test(url)
}

const NOT_POSTGRES = { reason: 'is not a PostgreSQL address', fix: 'Write it like postgres://user@host/database' }

function isRedis(url: string | undefined): boolean {
  return !url || (/^rediss?:\/\/./.test(url) && URL.canParse(url))
}

const NOT_REDIS = { reason: 'is not a Redis address', fix: 'Write it like redis://host:6379, or rediss:// for TLS' }

function place(fields: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (key === undefined) return
  if (rest.length === 0) fields[key] = value
  else {
    const inner = fields[key]
    const section = isFields(inner) ? { ...inner } : {}
    place(section, rest, value)
    fields[key] = section
  }
}

/** The variable that stands before a key of the file, or the last word of the path where none does. */
function nameFor(path: Path): string {
  const found = [...variables].find(([, { sets }]) => sets?.join('.') === path.join('.'))
  return found?.[0] ?? String(path.at(-1))
}

function warnOfSlip(name: string, report: Report): void {
  if (!name.startsWith(PREFIX) || variables.has(name)) return
  const known = [...variables.keys()]
    .filter((other) => other.startsWith(PREFIX))
    .map((other) => other.slice(PREFIX.length))
  const meant = nearest(name.slice(PREFIX.length), known)
  if (meant) report.warning([name], { reason: 'is no variable of the gate', fix: `Did you mean ${PREFIX}${meant}?` })
}

const PREFIX = 'SEKISHO_'

/** Puts the variables before the file. A section that is no object stays, to be reported as what it is. */
export function withOverrides(file: unknown, overrides: Fields): unknown {
  if (!isFields(file)) return file
  const merged: Record<string, unknown> = { ...file }
  for (const [key, value] of Object.entries(overrides)) {
    merged[key] = isFields(value) ? withOverrides(file[key] ?? {}, value) : value
  }
  return merged
}
