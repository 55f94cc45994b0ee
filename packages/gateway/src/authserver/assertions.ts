import { jwtVerify, decodeJwt, errors as joseErrors } from 'jose'
import { errors } from 'oidc-provider'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Issuers } from './issuers.ts'
import type { Records } from './records.ts'
import type { Resources } from './resources.ts'
import type { TrustedIssuer } from './settings.ts'
import type { Account } from './visitor.ts'

/** What an issuer that the operator trusts says: this user lets this client in, for this resource. */
export interface Asserted {
  readonly issuer: string
  readonly account: Account
  readonly resource: string
}

export interface AssertionsNeeds {
  readonly issuers: Issuers
  readonly records: Pick<Records, 'claim'>
  readonly resources: Resources
  readonly clock: Clock
  readonly log: Log
  readonly publicUrl: string
  readonly trusted: readonly TrustedIssuer[]
  /** The user that an issuer knows as this subject, and may name to this client; nobody is guessed at. */
  readonly userOf: (issuer: string, subject: string, clientId: string) => Promise<Account | undefined>
}

/** What is presented with an assertion. */
interface Presented {
  readonly assertion: string
  /** The client that has proven who it is. */
  readonly clientId: string
  readonly resource: string | undefined
}

const TYPE = 'oauth-id-jag+jwt'
const ALGORITHMS = ['RS256', 'PS256', 'ES256']
const OLDEST_SECONDS = 600
const LEEWAY_SECONDS = 30

/**
 * Believes what an enterprise's identity provider asserts, in this order: that the operator trusts the issuer with this
 * client, before anything is fetched; the signature and what has to be in it; whom and what it is about; and last,
 * that nobody has used it before, since only what would be believed is worth remembering.
 *
 * @see draft-ietf-oauth-identity-assertion-authz-grant §4.4, RFC 7523 §3
 */
export function createAssertions(needs: AssertionsNeeds) {
  const { issuers, records, resources, clock, log, publicUrl, trusted, userOf } = needs

  async function open({ assertion, clientId }: Presented) {
    const issuer = issuerIn(assertion)
    const known = trusted.find((each) => each.issuer === issuer && each.clients.includes(clientId))
    if (known === undefined) throw refuse('its issuer does not speak for this client here')
    const { payload } = await jwtVerify(assertion, await issuers.keysOf(known.issuer), {
      issuer: known.issuer,
      typ: TYPE,
      algorithms: ALGORITHMS,
      maxTokenAge: OLDEST_SECONDS,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(clock.now()),
    })
    const claims = Claims.safeParse(payload)
    if (!claims.success) throw refuse('a claim is missing')
    return claims.data
  }

  return {
    /** @throws {errors.InvalidGrant} and what else of the library says that the client is at fault */
    async verify(presented: Presented): Promise<Asserted> {
      const claims = await open(presented).catch((error: unknown) => {
        if (error instanceof joseErrors.JOSEError && !FETCHING.has(error.code)) throw refuse('it is not valid')
        throw error
      })
      const { iss: issuer, sub, aud, jti, exp, client_id: clientId, scope } = claims
      if (aud !== publicUrl) throw refuse('it is for another authorization server')
      if (clientId !== presented.clientId) throw refuse('it is for another client')
      if (scope !== undefined && !scope.split(' ').includes('mcp'))
        throw new errors.InvalidScope('mcp is not allowed', 'mcp')
      const resource = chooseResource(resources, claims.resource, presented.resource)
      const account = await userOf(issuer, sub, clientId)
      if (account === undefined) {
        log.warn({ issuer, clientId }, 'oauth.subject_unknown')
        throw refuse('its subject is nobody here')
      }
      const isFirst = await records.claim('Assertion', `${issuer} ${jti}`, {
        payload: {},
        expiresAt: (exp + LEEWAY_SECONDS) * 1000,
      })
      if (!isFirst) throw refuse('it has been used before')
      return { issuer, account, resource }
    },
  }
}
export type Assertions = ReturnType<typeof createAssertions>

/** What went wrong on the way to the issuer's keys is not the client's fault. */
const FETCHING: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'])

const One = z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)])
const Claims = z.object({
  iss: z.string(),
  sub: z.string().min(1),
  aud: One,
  client_id: z.string(),
  jti: z.string().min(1).max(500),
  exp: z.number(),
  iat: z.number(),
  resource: One.optional(),
  scope: z.string().optional(),
})

function issuerIn(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).iss
  } catch {
    return undefined
  }
}

/** What both allow: the assertion's resource or, where that is the whole gate, the part of it that is asked for. */
function chooseResource(resources: Resources, asserted: string | undefined, asked: string | undefined): string {
  const allowed = asserted === undefined ? resources.all : resources.find(asserted)
  const wanted = asked === undefined ? allowed : resources.find(asked)
  const isCovered = allowed === resources.all || wanted === allowed
  if (allowed === undefined || wanted === undefined || !isCovered) throw new errors.InvalidTarget()
  return wanted
}

function refuse(reason: string): Error {
  return new errors.InvalidGrant(`the assertion is refused: ${reason}`)
}
