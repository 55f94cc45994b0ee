import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { createTenants } from '../../src/identity/tenants.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createPeople } from '../identity/people.ts'
import {
  createTestClock,
  dropSchema,
  freshDirectory,
  freshSchema,
  quiet,
  whereReachable,
  type Place,
} from './databases.ts'

const clock = createTestClock()

/** Runs the child until it has promised that much, and kills it then: it is in the middle of the next write. */
async function runAndKill(place: Place, promises: number): Promise<string[]> {
  const args = [place.dataDir, place.databaseUrl?.reveal(), place.schema].filter((arg) => arg !== undefined)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'acknowledge.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const promised: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    promised.push(line)
    if (promised.length === promises) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  return promised
}

async function expectKept(storage: Storage, dataDir: string, promised: readonly string[]): Promise<void> {
  const { keys, users } = createPeople(storage)
  const tenant = await createTenants({ storage, clock }).ensureDefault()
  const { id: userId } = await users.require(tenant, 'admin')
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const vault = createVault({ storage, keyring, clock, log: quiet })
  for (const line of promised) {
    const [kind, value = ''] = line.split(' ')
    if (kind === 'key') expect(await keys.verify(value), line).toMatchObject({ userName: 'admin' })
    else expect((await vault.open({ tenant, userId, provider: value }))?.reveal(), line).toBe(`token of ${value}`)
  }
  await vault.close()
}

async function killAgainAndAgain(place: Place, rounds: number): Promise<void> {
  const promised: string[] = []
  for (let round = 0; round < rounds; round++) {
    promised.push(...(await runAndKill(place, 1 + Math.floor(Math.random() * 60))))
    const storage = await openStorage({ ...place, clock, log: quiet })
    await expectKept(storage, place.dataDir, promised)
    await storage.close()
  }
}

test('kill -9 at any moment loses no key and no token that was acknowledged, on sqlite', async () => {
  await killAgainAndAgain(freshDirectory(), 10)
})

whereReachable('kill -9 at any moment loses no key and no token that was acknowledged, on postgres', async () => {
  const place = freshSchema()
  onTestFinished(() => dropSchema(place.schema))
  await killAgainAndAgain(place, 4)
})
