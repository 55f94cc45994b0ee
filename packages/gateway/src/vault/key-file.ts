import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { inWords } from '../base/system-words.ts'

/** Where the root key is looked for. */
export interface KeyPlace {
  readonly dataDir: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The file of the root key: that of SEKISHO_ROOT_KEY_FILE, or `root.key` in the data directory. */
export function keyFile({ dataDir, environment }: KeyPlace): string {
  return environment['SEKISHO_ROOT_KEY_FILE'] || join(dataDir, 'root.key')
}

/** What a key file holds; `undefined` where there is none. @throws {Problem} `vault.file_unreadable` */
export function readKeyFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw problem('vault.file_unreadable', { file, reason: inWords(cause), cause })
  }
}

/** Whether others than its owner can read a file. Windows has no such bits. */
export function isOpenToOthers(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
}

/**
 * Makes the directory of a key file that is to be made there, readable by its user alone.
 *
 * @throws {Problem} `vault.file_unwritable`
 */
export function makeDirectoryOf(file: string): void {
  writing(file, () => mkdirSync(dirname(file), { recursive: true, mode: 0o700 }))
}

/**
 * Makes a key file, mode 0600, in a directory that is there. It is whole or not there at all, and is on the disk when
 * this answers; answers false where there is one already, which stays as it is. Where a file cannot have two names, as
 * on the FAT of a memory stick, a crash may leave a part of it, which opens nothing.
 *
 * @throws {Problem} `vault.file_unwritable`
 */
export function createKeyFile(file: string, content: Secret, link = linkSync): boolean {
  const isMade = writing(file, () => {
    const draft = writeNew(draftOf(file), content)
    try {
      giveName(draft, file, content, link)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    } finally {
      rmSync(draft)
    }
    syncDirectory(dirname(file))
    return true
  })
  // Whoever finds that there is one goes on to read it, and would find none for ever.
  if (!isMade && leadsNowhere(file)) throw problem('vault.file_unwritable', { file, reason: 'it is a link to nothing' })
  return isMade
}

function leadsNowhere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true && !existsSync(file)
}

/** What file systems without hard links say of one. */
const WITHOUT_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'])

/** Gives a draft its name, unless that is taken. */
function giveName(draft: string, file: string, content: Secret, link: typeof linkSync): void {
  try {
    link(draft, file)
  } catch (error) {
    if (!WITHOUT_LINKS.has(codeOf(error))) throw error
    writeNew(file, content)
  }
}

/**
 * Puts another content in the place of a key file's; a crash leaves the one or the other. Where the file is a link, what
 * it leads to is replaced, which would else keep what was there.
 *
 * @throws {Problem} `vault.file_unwritable`
 */
export function replaceKeyFile(file: string, content: Secret): void {
  writing(file, () => {
    const target = realpathSync(file)
    renameSync(writeNew(draftOf(target), content), target)
    syncDirectory(dirname(target))
  })
}

/**
 * Removes a key file, with what it leads to where it is a link, and is not undone by a crash.
 *
 * @throws {Problem} `vault.file_unwritable`
 */
export function removeKeyFile(file: string): void {
  writing(file, () => {
    const target = realpathSync(file)
    rmSync(target)
    rmSync(file, { force: true })
    for (const directory of new Set([dirname(target), dirname(file)])) syncDirectory(directory)
  })
}

/**
 * Makes a key file as `createKeyFile` does, where it is proven before it takes another's place; answers where that is.
 *
 * @throws {Problem} `vault.file_unwritable`
 */
export function createTrial(file: string, content: Secret): string {
  const trial = writing(file, () => clear(`${file}.${process.pid}.trial`))
  createKeyFile(trial, content)
  return trial
}

function draftOf(file: string): string {
  return clear(`${file}.${process.pid}.new`)
}

/** One of before is of a process that is gone: in a container each has the id of the one before. */
function clear(leftOver: string): string {
  rmSync(leftOver, { force: true })
  return leftOver
}

/** Whether a name is that of a draft or a trial of a key file. */
export function isLeftOver(name: string, keyFileName: string): boolean {
  const rest = name.startsWith(keyFileName) ? name.slice(keyFileName.length) : ''
  return /^(?:\.\d+\.(?:new|trial))+$/.test(rest)
}

/** A file that is on the disk when this answers, and was not there before. */
function writeNew(file: string, content: Secret): string {
  const opened = openSync(file, 'wx', 0o600)
  try {
    writeSync(opened, `${content.reveal()}\n`)
    fsyncSync(opened)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(opened)
  }
  return file
}

function writing<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (codeOf(cause) === undefined) throw cause
    throw problem('vault.file_unwritable', { file, reason: inWords(cause), cause })
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
