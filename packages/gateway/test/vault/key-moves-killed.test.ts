import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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

/** Answers how many steps it took where it ended by itself; else it was killed at that one. */
async function run(dataDir: string, { what, environment }: Change, step: number): Promise<number | undefined> {
  const env = { PATH: process.env['PATH'], ...environment }
  const child = spawn(process.execPath, [KILLED, dataDir, what, String(step)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [written, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL'])
  return signal === null ? Number(written) : undefined
}

interface Change {
  readonly what: string
  /** A stopped gate, copied for each time. */
  readonly from: string
  readonly environment: Environment
  /** What was moved out of the directory is put back. */
  restore?(): Promise<void>
}

/** Each step costs two processes: a run takes one in three, and begins with another one each time. */
const STRIDE = 3
const first = randomInt(STRIDE)

/** Does it to its end, and then up to one step in three; a gate starts after each. Answers how many steps there are. */
async function killAtSteps(change: Change): Promise<number> {
  const tryTo = async (step: number) => {
    const { dataDir } = newDirectory()
    cpSync(change.from, dataDir, { recursive: true })
    await change.restore?.()
    const steps = await run(dataDir, change, step)
    await start(dataDir, change.environment)
    return steps
  }
  const steps = (await tryTo(Infinity)) ?? 0
  for (let step = first; step < steps; step += STRIDE) expect(await tryTo(step)).toBeUndefined()
  return steps
}

test('a passphrase that is put on the file or taken off it', { timeout: 300_000 }, async () => {
  const [{ dataDir: plain }, { dataDir: sealed }] = [newDirectory(), newDirectory()]
  await start(plain, { SEKISHO_ROOT_KEY_STORE: 'file' })
  await start(sealed, { SEKISHO_ROOT_KEY_STORE: 'file', ...PASSPHRASE })
  expect(await killAtSteps({ what: 'protect', from: plain, environment: PASSPHRASE })).toBeGreaterThan(8)
  expect(await killAtSteps({ what: 'unprotect', from: sealed, environment: PASSPHRASE })).toBeGreaterThan(8)
})

test.skipIf(withoutDesktop)('a key that goes to the keyring, and back', { timeout: 300_000 }, async () => {
  await using desktop = await openDesktop()
  const { keyring, environment } = desktop
  const { dataDir } = newDirectory()
  const id = await start(dataDir, { SEKISHO_ROOT_KEY_STORE: 'file' })
  const file = join(dataDir, 'root.key')
  const key = secret(readFileSync(file, 'utf8').trim())
  const from = dataDir
  const restore = () => keyring.remove(id)
  expect(await killAtSteps({ what: 'move to the keyring', from, environment, restore })).toBeGreaterThan(1)
  rmSync(file)
  const putBack = () => keyring.put(id, key)
  expect(await killAtSteps({ what: 'move to the file', from, environment, restore: putBack })).toBeGreaterThan(4)
})
