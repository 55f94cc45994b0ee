import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { storageBounds, type AccountStorage, type Json, type Kept, type MalStorage } from './storage.ts'

/**
 * Keeps everything in one folder, for its owner alone (0700, 0600); several processes may use it at once.
 *
 * A document is a folder, and each version of it a file. A version is written beside, made durable, and then comes
 * into being whole by a hard link, which fails where another process was first: that is the compare-and-set, and a
 * crash leaves either the old version or the new one. Names of accounts are digests and keys are hexadecimal, so that
 * neither can lead out of the folder, and keys sort as they do by their bytes.
 */
export function createFileStorage(directory: string): MalStorage {
  return {
    forAccount(owner, account) {
      const digest = createHash('sha256')
        .update(JSON.stringify([owner, account]))
        .digest('hex')
      return accountIn(directory, join(directory, digest))
    },
  }
}

function accountIn(root: string, home: string): AccountStorage {
  const folderOf = (collection: string) => join(home, requireCollection(collection))
  const documentOf = (collection: string, key: string) => join(folderOf(collection), toName(key))

  /** A new document is durable only where the folders are that lead to it. */
  async function settle(collection: string): Promise<void> {
    for (const folder of [folderOf(collection), home, root]) await syncFolder(folder)
    const names = (await namesIn(folderOf(collection))).toSorted()
    for (const name of names.slice(0, Math.max(0, names.length - storageBounds.documents))) {
      await rm(join(folderOf(collection), name), { recursive: true, force: true })
    }
  }

  return {
    async find(collection, key) {
      return readNewest(documentOf(collection, key), key)
    },
    async list(collection, { limit, before }) {
      const names = (await namesIn(folderOf(collection))).toSorted().toReversed()
      const found: Kept[] = []
      for (const name of names) {
        if (found.length === limit) break
        if (before !== undefined && name >= toName(before)) continue
        const kept = await readNewest(join(folderOf(collection), name), fromName(name))
        if (kept) found.push(kept)
      }
      return found
    },
    async put(collection, key, value, expected) {
      const document = documentOf(collection, key)
      await mkdir(document, { recursive: true, mode: 0o700 })
      const draft = await writeDraft(document, value)
      try {
        const version = await claim(document, draft, expected)
        if (version === 1) await settle(collection)
        return version !== undefined
      } finally {
        await rm(draft, { force: true })
      }
    },
    async forget(collection, key) {
      await rm(documentOf(collection, key), { recursive: true, force: true })
    },
  }
}

/** Gives the draft the next version's name; the version, or `undefined` where the document is not as expected. */
async function claim(document: string, draft: string, expected: number | undefined): Promise<number | undefined> {
  for (;;) {
    const current = newestOf(await namesIn(document)) ?? 0
    if (expected !== undefined && expected !== current) return undefined
    const version = current + 1
    const path = join(document, `${version}.json`)
    if (!(await linkNew(draft, path))) continue
    const newest = newestOf(await namesIn(document)) ?? version
    if (newest > version) {
      // Others wrote this version and one after it between our look and our link.
      await rm(path, { force: true })
      if (expected !== undefined) return undefined
      continue
    }
    await syncFolder(document)
    await tidy(document, version)
    return version
  }
}

async function writeDraft(document: string, value: Json): Promise<string> {
  const text = JSON.stringify(value)
  if (Buffer.byteLength(text) > storageBounds.valueBytes) throw new Error('too large to be kept')
  const path = join(document, `${randomUUID()}.tmp`)
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  return path
}

/** Removes the versions before, and drafts that a crash has left. */
async function tidy(document: string, version: number): Promise<void> {
  for (const name of await namesIn(document)) {
    const path = join(document, name)
    const isOld = (versionOf(name) ?? version) < version
    if (isOld || (name.endsWith('.tmp') && (await ageOf(path)) > DRAFT_MS)) await rm(path, { force: true })
  }
}

/** No writing takes this long. */
const DRAFT_MS = 3_600_000

async function readNewest(document: string, key: string): Promise<Kept | undefined> {
  for (;;) {
    const version = newestOf(await namesIn(document))
    if (version === undefined) return undefined
    const text = await readFile(join(document, `${version}.json`), 'utf8').catch(ifMissing(undefined))
    // Where it is gone a newer one has come.
    if (text !== undefined) return { key, version, value: JSON.parse(text) }
  }
}

function newestOf(names: readonly string[]): number | undefined {
  const versions = names.flatMap((name) => versionOf(name) ?? [])
  return versions.length === 0 ? undefined : Math.max(...versions)
}

function versionOf(name: string): number | undefined {
  const digits = /^(\d{1,15})\.json$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(ifMissing<string[]>([]))
}

async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing(undefined))
  return found ? Date.now() - found.mtimeMs : 0
}

/** Windows has no such thing, and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const opened = await open(folder, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

function toName(key: string): string {
  const bytes = Buffer.from(key)
  if (bytes.length === 0 || bytes.length > storageBounds.keyBytes) throw new Error('no key to keep something under')
  return bytes.toString('hex')
}

function fromName(name: string): string {
  return Buffer.from(name, 'hex').toString()
}

function requireCollection(name: string): string {
  if (!/^[a-z_]{1,40}$/.test(name)) throw new Error('no name of a collection')
  return name
}

function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return instead
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
