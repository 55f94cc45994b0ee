import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isOpenToOthers, keyFile, readKeyFile, type KeyPlace } from './key-file.ts'
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
 * another program left, sign-ins of the command line. Tells files, never what is in them.
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
  const content = places.environment['SEKISHO_ROOT_KEY'] ? undefined : readKeyFile(file)
  if (content === undefined) return []
  if (isOpenToOthers(file)) return [{ about: 'root key', file, ...OPEN }]
  return isProtected(content) ? [] : [{ about: 'root key', file, ...PLAIN }]
}

const OPEN = { reason: 'is the root key of the vault, and others on this machine can read it', fix: 'chmod 600 it' }
const PLAIN = {
  reason: 'is the root key of the vault in plain text: with the database it opens every stored credential',
  fix: 'Stop the gate, then sekisho root-key move --to keyring, or sekisho root-key protect',
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
  try {
    return statSync(file).size <= LARGEST && readFileSync(file, 'utf8').includes(text)
  } catch {
    return false
  }
}
