import { createIds } from '../../src/base/ids.ts'
import { systemClock } from '../../src/base/clock.ts'
import { secret } from '../../src/base/secret.ts'
import { createApiKeys } from '../../src/identity/keys.ts'
import { createTenants } from '../../src/identity/tenants.ts'
import { createUsers } from '../../src/identity/users.ts'
import { openStorage } from '../../src/storage/database.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import { createVault } from '../../src/vault/vault.ts'
import { quiet } from './quiet.ts'

/** Makes keys and keeps tokens for ever, and prints each as soon as it is promised to be durable. */
const [dataDir = '', databaseUrl, schema] = process.argv.slice(2)
const clock = systemClock
const storage = await openStorage({
  dataDir,
  databaseUrl: databaseUrl === undefined ? undefined : secret(databaseUrl),
  schema,
  clock,
  log: quiet,
})
const newId = createIds(clock)
const keyring = await openKeyring({ storage, dataDir, environment: {}, clock, log: quiet })
const vault = createVault({ storage, keyring, clock, log: quiet })
const keys = createApiKeys({ storage, newId, clock, log: quiet })
const users = createUsers({ storage, newId, clock, changed: keys.dropUser })
const tenant = await createTenants({ storage, clock }).ensure('default')
const owner =
  (await users.addFirst(tenant, 'admin', (_db, user) => Promise.resolve(user))) ??
  (await users.require(tenant, 'admin'))

for (;;) {
  const { key } = await keys.add(tenant, { userId: owner.id, name: 'k', scopes: ['mcp'] })
  process.stdout.write(`key ${key.reveal()}\n`)
  const provider = newId('vlt')
  await vault.put({ tenant, userId: owner.id, provider }, secret(`token of ${provider}`))
  process.stdout.write(`token ${provider}\n`)
}
