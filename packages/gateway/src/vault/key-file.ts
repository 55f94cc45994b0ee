import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Secret } from '../base/secret.ts'

/** Where the root key is looked for. */
export interface KeyPlace {
  readonly dataDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The file of the root key: that of SEKISHO_ROOT_KEY_FILE, or `root.key` in the data directory. */
export function keyFile({ dataDir, environment }: KeyPlace): string {
  return environment['SEKISHO_ROOT_KEY_FILE'] || join(dataDir, 'root.key')
}

/** What a key file holds; `undefined` where there is none. */
export function readKeyFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Whether others than its owner can read a file. Windows has no such bits. */
export function isOpenToOthers(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
}

/**
 * Makes a key file, mode 0600. It is there whole or not at all, and is on the disk when this answers; answers false
 * where there is one already, which stays as it is.
 */
export function createKeyFile(file: string, content: Secret): boolean {
  const draft = writeDraft(file, content)
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

/** Puts another content in the place of a key file's; a crash leaves the one or the other. */
export function replaceKeyFile(file: string, content: Secret): void {
  renameSync(writeDraft(file, content), file)
  syncDirectory(dirname(file))
}

/** Removes a key file, and is not undone by a crash. */
export function removeKeyFile(file: string): void {
  rmSync(file)
  syncDirectory(dirname(file))
}

/** What is to become a key file, on the disk beside it. */
function writeDraft(file: string, content: Secret): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.new`
  rmSync(draft, { force: true })
  const opened = openSync(draft, 'wx', 0o600)
  try {
    writeSync(opened, `${content.reveal()}\n`)
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
  return draft
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
