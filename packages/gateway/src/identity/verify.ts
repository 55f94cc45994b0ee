import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Storage } from '../storage/database.ts'
import { createBelieved, type Live } from './believed.ts'
import { hashKey, isKey, mayBeKey } from './key-format.ts'
import { parseReadOnly, type Principal } from './principal.ts'

const Scopes = z.array(z.string())

/** Reads the scopes as a row keeps them. */
export function parseScopes(text: string): readonly string[] {
  return Scopes.parse(JSON.parse(text))
}

/**
 * Tells who a key belongs to. Found by the hash of the whole key, so that no comparison of ours can be
 * timed, and kept by hash as well: the key itself is not held.
 */
export function createVerifier({ storage, clock, cacheMs }: { storage: Storage; clock: Clock; cacheMs: number }) {
  const believed = createBelieved({ clock, cacheMs, find: (hash) => findLive(storage, hash, clock.now()) })
  return {
    /** Answers at once where the key was seen lately; `undefined` for one unknown, expired or revoked. */
    verify(key: string): Principal | undefined | Promise<Principal | undefined> {
      if (!mayBeKey(key)) return undefined
      const hash = hashKey(key)
      return believed.known(hash) ?? (isKey(key) ? believed.ask(hash) : undefined)
    },
    drop: believed.drop,
  }
}

async function findLive(storage: Storage, hash: string, now: number): Promise<Live<Principal> | undefined> {
  const row = await storage.system
    .selectFrom('api_keys as key')
    .innerJoin('users as user', (join) =>
      join.onRef('user.tenant_id', '=', 'key.tenant_id').onRef('user.id', '=', 'key.user_id'),
    )
    .select(['key.tenant_id', 'key.id', 'key.scopes', 'key.expires_at', 'user.id as user_id', 'user.name', 'user.role'])
    .select('user.read_only')
    .where('key.hash', '=', hash)
    .where('key.revoked_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return undefined
  const { tenant_id: tenant, user_id: userId, name: userName, role, id: keyId } = row
  return {
    principal: {
      tenant,
      userId,
      userName,
      role,
      keyId,
      scopes: parseScopes(row.scopes),
      readOnly: parseReadOnly(row.read_only),
    },
    expiresAt: row.expires_at,
  }
}
