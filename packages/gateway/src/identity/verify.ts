import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Storage } from '../storage/database.ts'
import { hashKey, isKey, mayBeKey } from './key-format.ts'
import type { Principal } from './principal.ts'

/** A principal and until when it is believed without asking again. */
interface Verified {
  readonly principal: Principal
  readonly until: number
}

const VERIFIED = 10_000
const REFUSED = 1_000
const REFUSED_MS = 1_000

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
  const verified = new LRUCache<string, Verified>({ max: VERIFIED })
  /** Hashes that led nowhere, and until when they are not looked up again. */
  const refused = new LRUCache<string, number>({ max: REFUSED })
  const asked = new Map<string, Promise<Principal | undefined>>()

  function ask(hash: string): Promise<Principal | undefined> {
    const under = asked.get(hash)
    if (under !== undefined) return under
    const answer: Promise<Principal | undefined> = findLive(storage, hash, clock.now())
      .then((found) => {
        if (asked.get(hash) === answer) keep(hash, found)
        return found?.principal
      })
      .finally(() => {
        if (asked.get(hash) === answer) asked.delete(hash)
      })
    asked.set(hash, answer)
    return answer
  }
  function keep(hash: string, found: Live | undefined): void {
    const now = clock.now()
    if (found === undefined) refused.set(hash, now + REFUSED_MS)
    else verified.set(hash, { principal: found.principal, until: Math.min(now + cacheMs, found.expiresAt ?? Infinity) })
  }

  return {
    /** Answers at once where the key was seen lately; `undefined` for one unknown, expired or revoked. */
    verify(key: string): Principal | undefined | Promise<Principal | undefined> {
      if (!mayBeKey(key)) return undefined
      const hash = hashKey(key)
      const now = clock.now()
      const known = verified.get(hash)
      if (known !== undefined && now < known.until) return known.principal
      if (now < (refused.get(hash) ?? 0) || !isKey(key)) return undefined
      return ask(hash)
    },
    /** Forgets some; a question under way is answered, but its answer, perhaps of before, is not kept. */
    drop(which: (principal: Principal) => boolean): void {
      asked.clear()
      refused.clear()
      for (const [hash, { principal }] of verified.entries()) if (which(principal)) verified.delete(hash)
    },
  }
}

interface Live {
  readonly principal: Principal
  readonly expiresAt: number | null
}

async function findLive(storage: Storage, hash: string, now: number): Promise<Live | undefined> {
  const row = await storage.system
    .selectFrom('api_keys as key')
    .innerJoin('users as user', (join) =>
      join.onRef('user.tenant_id', '=', 'key.tenant_id').onRef('user.id', '=', 'key.user_id'),
    )
    .select(['key.tenant_id', 'key.id', 'key.scopes', 'key.expires_at', 'user.id as user_id', 'user.name', 'user.role'])
    .where('key.hash', '=', hash)
    .where('key.revoked_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return undefined
  const { tenant_id: tenant, user_id: userId, name: userName, role, id: keyId } = row
  return {
    principal: { tenant, userId, userName, role, keyId, scopes: parseScopes(row.scopes) },
    expiresAt: row.expires_at,
  }
}
