import { createHmac, createSecretKey } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import { decrypt, encrypt, IV_BYTES } from './gcm.ts'

/** The key above all others. It may be out of reach, as in a KMS: it is only ever asked to wrap and unwrap. */
export interface RootKey {
  /** Kept beside what it wrapped; tells one root key from another and nothing about it. */
  readonly id: string
  /** Where it is, for people. */
  readonly place: string
  wrap(bytes: Uint8Array, aad: Buffer): Promise<Buffer>
  /** Throws where it was wrapped by another key, for something else, or was changed. */
  unwrap(wrapped: Uint8Array, aad: Buffer): Promise<Buffer>
}

const KEY_BYTES = 32

/** 32 bytes in base64 or base64url, with or without padding. */
const ENCODED = /^[A-Za-z0-9+/_-]{43}=?$/

/** Where the root key is looked for: the environment first, then a file. */
export interface KeyPlace {
  readonly dataDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads the root key from `SEKISHO_ROOT_KEY`, or from the file {@link keyFile} names.
 *
 * @throws {Problem} `vault.root_key_malformed`
 */
export function findRootKey({ dataDir, environment }: KeyPlace, random: Random, log: Log): RootKey | undefined {
  const given = environment['SEKISHO_ROOT_KEY']
  if (given !== undefined && given !== '') return parseRootKey(given, 'SEKISHO_ROOT_KEY', random)
  const file = keyFile({ dataDir, environment })
  const text = readIfThere(file)
  if (text === undefined) return undefined
  warnIfOpen(file, log)
  return parseRootKey(text, file, random)
}

export function keyFile({ dataDir, environment }: KeyPlace): string {
  return environment['SEKISHO_ROOT_KEY_FILE'] || join(dataDir, 'root.key')
}

/**
 * Makes a root key and its file, mode 0600. The file is there whole or not at all, and is on the disk before
 * anything is sealed; answers false where somebody else has just made it.
 */
export function createKeyFile(file: string, random: Random): boolean {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.new`
  rmSync(draft, { force: true })
  writeDurably(draft, `${Buffer.from(random(KEY_BYTES)).toString('base64')}\n`)
  try {
    linkSync(draft, file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft)
  }
  syncDirectory(dirname(file))
  return true
}

function parseRootKey(text: string, place: string, random: Random): RootKey {
  const encoded = text.trim()
  const bytes = Buffer.from(encoded, 'base64')
  if (!ENCODED.test(encoded) || bytes.length !== KEY_BYTES) throw problem('vault.root_key_malformed', { place })
  const key = createSecretKey(bytes)
  return {
    id: createHmac('sha256', key).update('sekisho root key id').digest('base64url').slice(0, 16),
    place,
    wrap: async (plain, aad) => encrypt(key, plain, aad, random(IV_BYTES)),
    unwrap: async (wrapped, aad) => decrypt(key, wrapped, aad),
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function warnIfOpen(file: string, log: Log): void {
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) log.warn({ file }, 'vault.root_key_readable_by_others')
}

function writeDurably(file: string, text: string): void {
  const opened = openSync(file, 'wx', 0o600)
  try {
    writeSync(opened, text)
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** Makes the name as durable as the bytes; Windows cannot open a directory, and needs no such thing. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const opened = openSync(directory, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
