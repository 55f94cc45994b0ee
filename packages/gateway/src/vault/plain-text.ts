import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isLeftOver, isOpenToOthers, keyFile, type KeyPlace } from './key-file.ts'
import { isProtected } from './passphrase.ts'

/** A file that holds secrets as they are. */
export interface PlainText {
  readonly about: 'root key' | 'tokens' | 'sign-ins'
  readonly file: string
  readonly reason: string
  readonly fix: string
}

export interface PlainTextPlaces extends KeyPlace {
  /** Where the gate is started, or the command typed. */
  readonly directory: string
}

/**
 * Looks for secrets in plain text where they are known to lie around: the root key beside the database, tokens that
 * another program left, sign-ins of the command line. Tells files, never what is in them; what cannot be read here is
 * passed over.
 */
export function findPlainText(places: PlainTextPlaces): readonly PlainText[] {
  const { dataDir, directory } = places
  return [
    ...aboutRootKey(places),
    ...[...new Set([dataDir, directory])].flatMap((each) => aboutTokens(join(each, 'tokens.json'))),
    ...aboutSignIns(join(dataDir, 'sign-ins.json')),
  ]
}

function aboutRootKey(places: KeyPlace): readonly PlainText[] {
  const file = keyFile(places)
  const isUsed = !places.environment['SEKISHO_ROOT_KEY']
  return [...(isUsed ? aboutKeyFile(file) : []), ...leftBeside(file)]
}

function aboutKeyFile(file: string): readonly PlainText[] {
  const content = textOf(file)
  if (content === undefined) return []
  if (isOpenToOthers(file)) return [{ about: 'root key', file, ...OPEN }]
  return isProtected(content) ? [] : [{ about: 'root key', file, ...PLAIN }]
}

const OPEN = { reason: 'is the root key of the vault, and others on this machine can read it', fix: 'chmod 600 it' }
const PLAIN = {
  reason: 'is the root key of the vault in plain text: with the database it opens every stored credential',
  fix: 'Stop the gate, then sekisho root-key move --to keyring, or sekisho root-key protect',
}

/** What a change of the key file wrote that was killed in mid-way. */
function leftBeside(file: string): readonly PlainText[] {
  const directory = dirname(file)
  const left = namesIn(directory).filter((name) => isLeftOver(name, basename(file)))
  const found = left.map((name) => join(directory, name))
  return found.flatMap((each) => {
    const content = textOf(each)
    return content === undefined || isProtected(content) ? [] : [{ about: 'root key', file: each, ...LEFT }]
  })
}

const LEFT = {
  reason: 'may be the root key of the vault in plain text, left by a change of it that was cut off',
  fix: 'See with sekisho root-key show that the key is in its place, then remove this file',
}

function aboutTokens(file: string): readonly PlainText[] {
  return holds(file, '"access_token"') ? [{ about: 'tokens', file, ...TOKENS }] : []
}

const TOKENS = {
  reason: 'holds tokens of an account in plain text',
  fix: 'Move them into the vault: sekisho connection import <server> <file> --delete',
}

function aboutSignIns(file: string): readonly PlainText[] {
  return holds(file, '"accessToken"') ? [{ about: 'sign-ins', file, ...SIGN_INS }] : []
}

const SIGN_INS = {
  reason: 'holds sign-ins of the command line in plain text, since no keyring answered',
  fix: 'Where there is a keyring, the next sekisho login keeps them there; sekisho logout ends them',
}

const LARGEST = 1_048_576

/** Whether a file can be read here and has this text in it. */
function holds(file: string, text: string): boolean {
  return textOf(file)?.includes(text) === true
}

/** What is in a file, where it can be read here and is not too large. */
function textOf(file: string): string | undefined {
  try {
    return statSync(file).size <= LARGEST ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
