import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'oidc-provider'
import type { Clock } from '../base/clock.ts'
import { systemRandom, type Random } from '../base/ids.ts'
import { secret } from '../base/secret.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'

export interface SigningKeysNeeds {
  readonly storage: Storage
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random?: Random
}

const DAY_MS = 86_400_000
const SIGNS_MS = 90 * DAY_MS
const PROVES_MS = 30 * DAY_MS

/**
 * The keys that sign id tokens, one for each algorithm. New ones are made every 90 days, and what was signed before
 * can be verified for 30 more. They are kept sealed, and are the same in every process and after every restart.
 */
export function createSigningKeys({ storage, sealer, clock, random = systemRandom }: SigningKeysNeeds) {
  const db = storage.system

  async function make(): Promise<void> {
    const now = clock.now()
    const made = await Promise.all([makeKey('RS256', random), makeKey('ES256', random)])
    const rows = await Promise.all(
      made.map(async ({ id, text }) => ({
        id,
        sealed: await sealer.seal(DEFAULT_TENANT, purposeOf(id), secret(text)),
        created_at: now,
        retires_at: null,
      })),
    )
    await db.transaction().execute(async (inner) => {
      const retires_at = now + PROVES_MS
      await inner.updateTable('signing_keys').set({ retires_at }).where('retires_at', 'is', null).execute()
      await inner.insertInto('signing_keys').values(rows).execute()
    })
  }

  async function list() {
    return db.selectFrom('signing_keys').selectAll().orderBy('created_at', 'desc').orderBy('id').execute()
  }

  return {
    /** The keys of now as a JSON Web Key Set, those that sign first; makes new ones and forgets old ones in passing. */
    async current(): Promise<readonly JWK[]> {
      await db.deleteFrom('signing_keys').where('retires_at', '<=', clock.now()).execute()
      const isFresh = (row: { created_at: number; retires_at: number | null }): boolean =>
        row.retires_at === null && clock.now() - row.created_at < SIGNS_MS
      if (!(await list()).some(isFresh)) await make()
      const rows = await list()
      const signing = rows.filter(({ retires_at }) => retires_at === null)
      const proving = rows.filter(({ retires_at }) => retires_at !== null)
      return Promise.all(
        [...signing, ...proving].map(async ({ id, sealed }) => {
          const opened = await sealer.open(DEFAULT_TENANT, purposeOf(id), sealed)
          return JSON.parse(opened.reveal()) as JWK
        }),
      )
    },
  }
}

function purposeOf(id: string): string {
  return `signing-key:${id}`
}

const generate = promisify(generateKeyPair)

async function makeKey(alg: 'RS256' | 'ES256', random: Random): Promise<{ id: string; text: string }> {
  const { privateKey } =
    alg === 'RS256' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' })
  const id = Buffer.from(random(12)).toString('base64url')
  return { id, text: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: id, alg, use: 'sig' }) }
}
