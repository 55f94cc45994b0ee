import { expect, test } from 'vitest'
import { secret } from '../../src/base/secret.ts'
import { createGateSecrets } from '../../src/vault/gate-secrets.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createSealer } from '../../src/vault/sealer.ts'
import { createTestClock, eachDatabase, other, quiet, ten, type FreshDatabase } from '../stores/databases.ts'

const clock = createTestClock()

async function openSealer({ storage, place }: FreshDatabase) {
  const keyring = await openKeyring({ storage, dataDir: place.dataDir, environment: {}, clock, log: quiet })
  return createSealer({ keyring })
}

eachDatabase((_, openFresh) => {
  test('a secret of the gate is made once for each purpose, and the same afterwards and for everybody', async () => {
    await using database = await openFresh()
    const needs = { storage: database.storage, sealer: await openSealer(database), tenant: ten }
    const secrets = createGateSecrets(needs)
    const asked = await Promise.all([secrets, createGateSecrets(needs), secrets].map((each) => each.require('cookies')))
    const [first] = asked
    expect(first).toHaveLength(32)
    for (const each of asked) expect(each).toEqual(first)
    expect(await secrets.require('cookies')).toEqual(first)
    expect(await secrets.require('states')).not.toEqual(first)
  })

  test('it is in the database sealed, and for its own purpose', async () => {
    await using database = await openFresh()
    const needs = { storage: database.storage, sealer: await openSealer(database), tenant: ten }
    const secrets = createGateSecrets(needs)
    const value = await secrets.require('cookies')
    const meta = () => database.storage.system.selectFrom('meta').selectAll().where('key', 'like', 'secret.%')
    const [row] = await meta().execute()
    expect(row?.key).toBe('secret.cookies')
    expect(Buffer.from(row?.value ?? '', 'base64').includes(value)).toBe(false)

    const moved = { key: 'secret.states', value: row?.value ?? '' }
    await database.storage.system.insertInto('meta').values(moved).execute()
    await expect(secrets.require('states')).rejects.toMatchObject({ code: 'vault.unreadable' })
  })

  test('what is sealed opens for its tenant and its purpose only, and not at all where it was cut', async () => {
    await using database = await openFresh()
    const sealer = await openSealer(database)
    const sealed = await sealer.seal(ten, 'flow 1', secret('the way back'))
    expect((await sealer.open(ten, 'flow 1', sealed)).reveal()).toBe('the way back')
    const wrong = [
      () => sealer.open(ten, 'flow 2', sealed),
      () => sealer.open(other, 'flow 1', sealed),
      () => sealer.open(ten, 'flow 1', sealed.subarray(0, 3)),
      () => sealer.open(ten, 'flow 1', Buffer.alloc(0)),
    ]
    for (const open of wrong) await expect(open()).rejects.toMatchObject({ code: 'vault.unreadable' })
  })
})
