import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFileStorage } from '../../src/storage/file.ts'
import { verifyStorage } from './conformance.ts'

async function freshFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-mal-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

describe('a folder', () => {
  verifyStorage(async () => {
    const { folder, ...disposable } = await freshFolder()
    return {
      one: createFileStorage(folder),
      two: createFileStorage(folder),
      owners: ['', '../ada'],
      ...disposable,
    }
  })

  test('only its owner reads it, nothing lies outside of it, and each document is one file', async () => {
    await using fresh = await freshFolder()
    const account = createFileStorage(join(fresh.folder, 'data')).forAccount('../../ada', '..')
    for (let at = 0; at < 5; at += 1) await account.put('notes', '../../climbs', at)
    expect(await readdir(fresh.folder)).toEqual(['data'])
    const paths = await readdir(fresh.folder, { recursive: true, withFileTypes: true })
    expect(paths.filter((path) => path.isFile()).map(({ name }) => name)).toEqual(['5.json'])
    for (const path of paths) {
      const { mode } = await stat(join(path.parentPath, path.name))
      expect(mode & 0o777).toBe(path.isFile() ? 0o600 : 0o700)
    }
    await expect(account.put('../notes', 'a', 1)).rejects.toThrow('no name of a collection')
  })

  test('a draft that a crash has left is no version, and goes with a later writing', async () => {
    await using fresh = await freshFolder()
    const account = createFileStorage(fresh.folder).forAccount('', '1')
    await account.put('notes', 'a', 1)
    const [path] = await readdir(fresh.folder, { recursive: true, withFileTypes: true }).then((all) =>
      all.filter((one) => one.isFile()),
    )
    const draft = join(path?.parentPath ?? '', 'left.tmp')
    await writeFile(draft, '{"torn')
    await utimes(draft, 0, 0)
    expect(await account.find('notes', 'a')).toMatchObject({ value: 1, version: 1 })
    await account.put('notes', 'a', 2, 1)
    expect(await readdir(path?.parentPath ?? '')).toEqual(['2.json'])
  })
})
