import { createIds } from '../../src/base/ids.ts'
import { createApiKeys, type ApiKeys } from '../../src/identity/keys.ts'
import { createUsers, type Users } from '../../src/identity/users.ts'
import type { Storage } from '../../src/storage/database.ts'
import { createTestClock, quiet } from '../stores/databases.ts'

export interface People {
  readonly users: Users
  readonly keys: ApiKeys
}

/** Users and keys as one process has them. */
export function createPeople(storage: Storage, clock = createTestClock(), cacheMs?: number): People {
  const newId = createIds(clock)
  const keys = createApiKeys({ storage, newId, clock, log: quiet, ...(cacheMs === undefined ? {} : { cacheMs }) })
  return { keys, users: createUsers({ storage, newId, clock, changed: keys.dropUser }) }
}
