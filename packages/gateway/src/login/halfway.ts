import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Random, TenantId, UserId } from '../base/ids.ts'
import { secret } from '../base/secret.ts'
import { DEFAULT_TENANT } from '../identity/tenants.ts'
import { clearCookie, cookieName, readCookie, setCookie } from '../pages/cookies.ts'
import type { Sealing } from './factors/authenticators.ts'
import type { Spent } from './spent.ts'
import { createFormCookie } from './form-cookie.ts'
import type { Passwords } from './passwords.ts'
import type { Proof } from './ways.ts'

export interface HalfwayNeeds {
  readonly sealer: Sealing
  readonly spent: Pick<Spent, 'spend'>
  readonly passwords: Pick<Passwords, 'changedAt'>
  readonly clock: Clock
  readonly random: Random
  readonly publicUrl: string
}

const HALF_MS = 10 * 60_000
const ID_BYTES = 16
const PURPOSE = 'half a sign-in'

/** The identity provider behind the first proof, where there was one. */
const Vouched = z.object({
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  sid: z.string().optional(),
})

const Half = z.object({
  id: z.string(),
  tenant: z.string().transform((text) => text as TenantId),
  userId: z.string().transform((text) => text as UserId),
  amr: z.array(z.string()),
  step: z.enum(['prove', 'setUp']),
  provenAt: z.number(),
  federated: Vouched.optional(),
  passwordSetAt: z.number().optional(),
  expiresAt: z.number(),
  /** The token of the forms in the browser it was given to. */
  csrf: z.string(),
})
/** Somebody who has proven a first factor, and has another step before them. */
export type Half = z.output<typeof Half>

/**
 * Keeps a first proof until the second, in a sealed cookie: it is no session and opens nothing but the next step. It
 * is good for one sign-in, in the browser it was given to, and no longer once the password changes.
 */
export function createHalfway(needs: HalfwayNeeds) {
  const { sealer, spent, passwords, clock, random, publicUrl } = needs
  const secure = publicUrl.startsWith('https:')
  const name = cookieName('sekisho-half', secure)
  const forms = createFormCookie(needs)

  async function read(cookieHeader: string | undefined): Promise<Half | undefined> {
    const value = readCookie(cookieHeader, name)
    if (value === undefined || value.length > 4_096) return undefined
    try {
      const opened = await sealer.open(DEFAULT_TENANT, PURPOSE, Buffer.from(value, 'base64url'))
      return Half.parse(JSON.parse(opened.reveal()))
    } catch {
      return undefined
    }
  }

  return {
    /** Answers with the cookies that hold the proof; forms are tied to the browser anew, as after every proof. */
    async begin(
      { tenant, user, amr, provenAt, federated, passwordSetAt }: Proof,
      step: Half['step'],
    ): Promise<readonly string[]> {
      const { csrf, cookies } = forms.fresh()
      const now = clock.now()
      const half: Half = {
        id: Buffer.from(random(ID_BYTES)).toString('base64url'),
        tenant,
        userId: user.id,
        amr: [...amr],
        step,
        provenAt: provenAt ?? now,
        federated,
        passwordSetAt,
        expiresAt: now + HALF_MS,
        csrf,
      }
      const sealed = await sealer.seal(DEFAULT_TENANT, PURPOSE, secret(JSON.stringify(half)))
      return [...cookies, setCookie(name, sealed.toString('base64url'), { secure, maxAgeSeconds: HALF_MS / 1000 })]
    },

    /** Finds what a browser has proven so far; nothing where that is over, was another browser, or was used. */
    async find(cookieHeader: string | undefined, step: Half['step']): Promise<Half | undefined> {
      const half = await read(cookieHeader)
      if (half === undefined || half.step !== step || half.expiresAt <= clock.now()) return undefined
      if (half.csrf !== forms.keyFor(cookieHeader).csrf) return undefined
      const changedAt = await passwords.changedAt(half.tenant, half.userId)
      if (half.passwordSetAt !== undefined && half.passwordSetAt !== changedAt) return undefined
      return changedAt !== undefined && changedAt > half.expiresAt - HALF_MS ? undefined : half
    },

    /** Uses it up, for the session that it becomes; answers whether it was the first to do so. */
    spend: ({ tenant, id, expiresAt }: Half): Promise<boolean> => spent.spend(tenant, id, expiresAt),

    /** Values of `Set-Cookie` that take it away, and the cookie of its forms. */
    clear: (): readonly string[] => [clearCookie(name, secure), forms.clear()],
  }
}
