import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { createTenants } from '../../src/identity/tenants.ts'
import { openStorage, type Storage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createPeople } from '../identity/people.ts'
import { createTestClock, eachDatabase, quiet, type Place } from './databases.ts'

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

/** What was promised and is not there. */
async function findLost(storage: Storage, dataDir: string, promised: readonly string[]): Promise<string[]> {
  const { keys, users } = createPeople(storage)
  const tenant = await createTenants({ storage, clock }).ensure('default')
  const { id: userId } = await users.require(tenant, 'admin')
  const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
  const vault = createVault({ storage, keyring, clock, log: quiet })
  const isThere = async (line: string): Promise<boolean> => {
    const [kind, value = ''] = line.split(' ')
    if (kind === 'key') return (await keys.verify(value))?.userId === userId
    return (await vault.open({ tenant, userId, provider: value }))?.reveal() === `token of ${value}`
  }
  const lost: string[] = []
  for (const line of promised) if (!(await isThere(line))) lost.push(line)
  await vault.close()
  return lost
}

eachDatabase((name, _openFresh, newPlace) => {
  test('kill -9 at any moment loses no key and no token that was acknowledged', async () => {
    const place = newPlace()
    const promised: string[] = []
    for (let round = 0; round < (name === 'sqlite' ? 10 : 4); round++) {
      promised.push(...(await runAndKill(place, 1 + Math.floor(Math.random() * 60))))
      const storage = await openStorage({ ...place, clock, log: quiet })
      const lost = await findLost(storage, place.dataDir, promised)
      await storage.close()
      expect(lost).toEqual([])
    }
  })
})
