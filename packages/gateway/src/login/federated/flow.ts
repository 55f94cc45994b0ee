import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import type { Random, TenantId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import { secret, type Secret } from '../../base/secret.ts'
import { clearCookie, cookieName, readCookie, setCookie } from '../../pages/cookies.ts'
import type { Spent } from '../spent.ts'
import { callbackPath, type Asked, type IdentityProvider } from './provider.ts'

/** Seals what a browser keeps for the gate. */
export interface FlowSealer {
  seal(tenant: TenantId, purpose: string, value: Secret): Promise<Buffer>
  open(tenant: TenantId, purpose: string, sealed: Buffer): Promise<Secret>
}

export interface FlowNeeds {
  readonly sealer: FlowSealer
  readonly spent: Pick<Spent, 'spend'>
  readonly clock: Clock
  readonly random: Random
  readonly publicUrl: string
}

const Kept = z.object({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  again: z.boolean(),
  next: z.string().optional(),
  /** The session whose user links an account; without it somebody signs in. */
  linkTo: z.string().optional(),
  at: z.number(),
})
type Kept = z.infer<typeof Kept>

/** What was begun in a browser, and is good for one answer. */
export interface Flow {
  readonly asked: Asked
  readonly next: string | undefined
  readonly linkTo: string | undefined
}

export interface Begin {
  readonly next?: string | undefined
  readonly again?: boolean
  readonly linkTo?: string | undefined
}

const FLOW_MS = 600_000
const CHANCE_BYTES = 32
const VERIFIER_BYTES = 48
const PURPOSE = 'sign-in with an identity provider'

/**
 * Sign-ins that wait for a provider's answer. What they are held against is with the browser that began them, sealed:
 * an answer that somebody else began, or that was taken once, belongs to nothing.
 *
 * @see RFC 9700 §4.7.1; OpenID Connect Core §15.5.2
 */
export function createFlows({ sealer, spent, clock, random, publicUrl }: FlowNeeds) {
  const secure = publicUrl.startsWith('https:')
  const name = cookieName('sekisho-with', secure)
  const chance = (bytes: number) => Buffer.from(random(bytes)).toString('base64url')
  const askedOf = ({ state, nonce, codeVerifier, again, provider }: Kept): Asked => {
    return { state, nonce, codeVerifier, again, redirectUri: `${publicUrl}${callbackPath(provider)}` }
  }

  async function read({ tenant }: At, cookieHeader: string | undefined): Promise<Kept | undefined> {
    const value = readCookie(cookieHeader, name)
    if (value === undefined || value === '') return undefined
    try {
      const opened = await sealer.open(tenant, PURPOSE, Buffer.from(value, 'base64url'))
      return Kept.parse(JSON.parse(opened.reveal()))
    } catch {
      // Whatever a browser sends that the gate did not seal is as good as nothing.
      return undefined
    }
  }

  return {
    /** Begins one: what to ask the provider, and the cookie that waits for the answer. */
    async open({ id: provider, tenant }: At, { next, again = false, linkTo }: Begin) {
      const [state, nonce] = [chance(CHANCE_BYTES), chance(CHANCE_BYTES)]
      const codeVerifier = chance(VERIFIER_BYTES)
      const kept: Kept = { provider, state, nonce, codeVerifier, again, next, linkTo, at: clock.now() }
      const sealed = await sealer.seal(tenant, PURPOSE, secret(JSON.stringify(kept)))
      const cookie = setCookie(name, sealed.toString('base64url'), { secure, maxAgeSeconds: FLOW_MS / 1000 })
      return { asked: askedOf(kept), cookie }
    },

    /** Where somebody was going who comes back with an answer, good or not. */
    whereTo: async (at: At, cookieHeader: string | undefined) => (await read(at, cookieHeader))?.next,

    /**
     * Takes what an answer belongs to; a second answer to it belongs to nothing.
     *
     * @throws {Problem} `federated.state` for an answer to another browser, another provider, or too late
     */
    async take(at: At, { state, cookieHeader }: Arrived): Promise<Flow> {
      const kept = await read(at, cookieHeader)
      const belongs = kept !== undefined && kept.provider === at.id && kept.state === state
      if (!belongs) throw problem('federated.state', { reason: kept === undefined ? 'no cookie' : 'another sign-in' })
      if (clock.now() - kept.at > FLOW_MS) throw problem('federated.state', { reason: 'too late' })
      if (!(await spent.spend(at.tenant, `state ${kept.state}`, clock.now() + FLOW_MS)))
        throw problem('federated.state', { reason: 'answered before' })
      return { asked: askedOf(kept), next: kept.next, linkTo: kept.linkTo }
    },

    /** The value of a `Set-Cookie` header that makes the browser forget. */
    clear: () => clearCookie(name, secure),
  }
}

/** Where it is begun, and comes back from: what one tenant's people begin is sealed for them. */
type At = Pick<IdentityProvider, 'id' | 'tenant'>

interface Arrived {
  readonly state: string | null
  readonly cookieHeader: string | undefined
}
