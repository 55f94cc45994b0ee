import { expect, test } from 'vitest'
import type { UserId } from '../../src/base/ids.ts'
import { secret } from '../../src/base/secret.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createTestClock, eachDatabase, quiet, ten } from './databases.ts'

eachDatabase((_name, openFresh) => {
  test('processes that mark the same things as used, in whatever order, lose no mark', async () => {
    await using database = await openFresh()
    const clock = createTestClock()
    const told: unknown[] = []
    const log = { ...quiet, warn: (...words: unknown[]) => void told.push(words) }
    const { dataDir } = database.place
    const vaults = await Promise.all(
      [database.storage, await database.again()].map(async (storage) => {
        const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
        return createVault({ storage, keyring, clock, log })
      }),
    )
    const users = Array.from({ length: 60 }, (_, index) => `usr_${index}` as UserId)
    const owners = users.map((userId) => ({ tenant: ten, userId, provider: 'notes' }))
    const rows = users.map((id) => ({ id, name: id, role: 'member' as const, created_at: 0 }))
    await database.storage.for(ten).insertInto('users', rows).execute()
    for (const owner of owners) await vaults[0]?.put(owner, secret('t'))
    for (let round = 0; round < 3; round++) {
      clock.turn(60_000)
      const orders = [owners, owners.toReversed()]
      await Promise.all(
        vaults.map(async (vault, index) => {
          for (const owner of orders[index] ?? []) await vault.open(owner)
          await vault.close()
        }),
      )
    }
    expect(told).toEqual([])
    const records = (await vaults[0]?.list(ten)) ?? []
    expect(new Set(records.map(({ lastUsedAt }) => lastUsedAt))).toEqual(new Set([clock.now()]))
  })
})
