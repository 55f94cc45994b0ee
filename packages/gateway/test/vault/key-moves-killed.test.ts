import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { openStorage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSystemKeyring } from '../../src/vault/system-keyring.ts'
import { createTestClock, newDirectory, quiet } from '../stores/databases.ts'
import { openDesktop, withoutDesktop } from './desktop.ts'

/** 0035: killed at any step, a change of the root key leaves a gate that starts. */
const KILLED = join(import.meta.dirname, 'killed.ts')
const PASSPHRASE = { SEKISHO_ROOT_KEY_PASSPHRASE: 'correct horse battery staple' }
const clock = createTestClock()
type Environment = Readonly<Record<string, string>>

/** Starts a gate as far as its root key goes; answers the key's id. */
async function start(dataDir: string, environment: Environment) {
  const storage = await openStorage({ dataDir, clock, log: quiet })
  try {
    const systemKeyring = createSystemKeyring({ environment })
    await openKeyring({ storage, dataDir, environment, clock, log: quiet, systemKeyring })
    const [row] = await storage.system.selectFrom('meta').selectAll().where('key', 'like', 'vault.%').execute()
    return String(JSON.parse(row?.value ?? '{}').rootKeyId)
  } finally {
    await storage.close()
  }
}

/** Answers whether it ended by itself; else it was killed at that step. */
async function isDone(dataDir: string, what: string, step: number, environment: Environment): Promise<boolean> {
  const env = { PATH: process.env['PATH'], ...environment }
  const child = spawn(process.execPath, [KILLED, dataDir, what, String(step)], { env, stdio: ['ignore', 'ignore', 2] })
  const [code, signal] = await once(child, 'exit')
  expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL'])
  return signal === null
}

/** Does it on a copy of a stopped gate for each of its steps; answers how many there were. */
async function killAtEach(what: string, from: string, environment: Environment, restore = async () => {}) {
  for (let step = 0; ; step++) {
    const { dataDir } = newDirectory()
    cpSync(from, dataDir, { recursive: true })
    await restore()
    const done = await isDone(dataDir, what, step, environment)
    await start(dataDir, environment)
    if (done) return step
  }
}

test('a passphrase that is put on the file or taken off it', { timeout: 300_000 }, async () => {
  const [{ dataDir: plain }, { dataDir: sealed }] = [newDirectory(), newDirectory()]
  await start(plain, { SEKISHO_ROOT_KEY_STORE: 'file' })
  await start(sealed, { SEKISHO_ROOT_KEY_STORE: 'file', ...PASSPHRASE })
  expect(await killAtEach('protect', plain, PASSPHRASE)).toBeGreaterThan(8)
  expect(await killAtEach('unprotect', sealed, PASSPHRASE)).toBeGreaterThan(8)
})

test.skipIf(withoutDesktop)('a key that goes to the keyring, and back', { timeout: 300_000 }, async () => {
  await using desktop = await openDesktop()
  const { keyring, environment } = desktop
  const { dataDir } = newDirectory()
  const id = await start(dataDir, { SEKISHO_ROOT_KEY_STORE: 'file' })
  const file = join(dataDir, 'root.key')
  const key = secret(readFileSync(file, 'utf8').trim())
  expect(await killAtEach('move to the keyring', dataDir, environment, () => keyring.remove(id))).toBeGreaterThan(1)
  rmSync(file)
  expect(await killAtEach('move to the file', dataDir, environment, () => keyring.put(id, key))).toBeGreaterThan(4)
})
