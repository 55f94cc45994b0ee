import type { Clock } from '../../base/clock.ts'
import type { TenantId, UserId } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'
import type { Storage } from '../../storage/database.ts'
import type { Challenges } from './challenges.ts'
import {
  challengeIn,
  findAssertion,
  parseAssertion,
  parseNewPasskey,
  userIn,
  type Assertion,
  type NewPasskey,
} from './passkey-answers.ts'
import { createPasskeyStore, type KeptPasskey } from './passkey-store.ts'
import { relyingPartyAt, type RelyingParty } from './relying-party.ts'
import type { Spent } from '../spent.ts'

/** Loaded when somebody first comes with a passkey, or could: it takes 20 MB. */
const webauthn = () => import('@simplewebauthn/server')

export interface PasskeysNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly challenges: Challenges
  readonly spent: Spent
  readonly publicUrl: string
}

/** Whose passkey it was that somebody held, and unlocked. */
export interface PasskeyProof {
  readonly userId: UserId
  /** A key and what unlocked it: two factors. @see RFC 8176 §2 */
  readonly amr: readonly string[]
}

interface Named {
  readonly id: UserId
  readonly name: string
}

/** More than anybody has devices. */
const MOST = 20
const TIMEOUT_MS = 5 * 60_000
/** Ed25519, ES256 and RS256: between them every authenticator has one. @see RFC 9053, RFC 8812 */
const ALGORITHMS = [-8, -7, -257]

/**
 * Passkeys: each is kept by its user's device, which shows it to nobody but this gate and unlocks it only for them.
 * `use` ties a question to the browser it is put in and to what it is for.
 *
 * @see {@link https://www.w3.org/TR/webauthn-3/ WebAuthn}
 */
export function createPasskeys({ storage, clock, challenges, spent, publicUrl }: PasskeysNeeds) {
  const party = relyingPartyAt(publicUrl)
  const store = createPasskeyStore({ storage, clock })

  function requireParty(): RelyingParty {
    if (party === undefined) throw problem('passkey.no_name', { url: publicUrl })
    return party
  }

  return {
    /** Whether there can be any: the address people use needs a name. */
    possible: party !== undefined,

    list: store.list,

    /**
     * Asks for a new passkey: what a page hands to `navigator.credentials.create`, as JSON.
     *
     * @throws {Problem} `passkey.no_name`
     */
    async offer(tenant: TenantId, user: Named, use: string): Promise<string> {
      const { id: rpID, name: rpName } = requireParty()
      const known = await store.list(tenant, user.id)
      const { generateRegistrationOptions } = await webauthn()
      const options = await generateRegistrationOptions({
        rpName,
        rpID,
        userID: new Uint8Array(Buffer.from(user.id)),
        userName: user.name,
        userDisplayName: user.name,
        challenge: new Uint8Array(Buffer.from(challenges.issue(use), 'base64url')),
        attestationType: 'none',
        excludeCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })),
        supportedAlgorithmIDs: ALGORITHMS,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        timeout: TIMEOUT_MS,
      })
      return JSON.stringify(options)
    },

    /**
     * Keeps the passkey that a browser made.
     *
     * @throws {Problem} `passkey.refused`, `passkey.expired`, `passkey.too_many`, `passkey.no_name`
     */
    async add(tenant: TenantId, userId: UserId, made: { answer: string; name: string; use: string }): Promise<void> {
      const answer = parseNewPasskey(made.answer)
      const challenge = challenges.require(challengeIn(answer), made.use)
      const passkey = await readNew(answer, challenge.text, requireParty())
      await storage.for(tenant).transaction(async (db) => {
        if (!(await spent.spendIn(db, challenge.text, challenge.expiresAt))) throw refused('the challenge was used')
        if ((await store.count(db, userId)) >= MOST) throw problem('passkey.too_many', { most: MOST })
        await store.add(db, userId, { ...passkey, name: made.name })
      })
    },

    /**
     * Asks for a passkey: what a page hands to `navigator.credentials.get`, as JSON. Without a user any passkey of
     * this gate will do, so that it tells nobody who is known here.
     *
     * @throws {Problem} `passkey.no_name`
     */
    async ask(use: string, of?: { readonly tenant: TenantId; readonly userId: UserId }): Promise<string> {
      const known = of && (await store.list(of.tenant, of.userId))
      const { generateAuthenticationOptions } = await webauthn()
      const options = await generateAuthenticationOptions({
        rpID: requireParty().id,
        challenge: new Uint8Array(Buffer.from(challenges.issue(use), 'base64url')),
        userVerification: 'required',
        timeout: TIMEOUT_MS,
        ...(known && { allowCredentials: known.map(({ id, transports }) => ({ id, transports: [...transports] })) }),
      })
      return JSON.stringify(options)
    },

    /**
     * Finds the tenant of whoever a passkey says it is of. Nothing is proven by that; what is no answer of a passkey, or
     * of one that is not known, is of none.
     */
    findTenant: async (text: string): Promise<TenantId | undefined> => {
      const answer = findAssertion(text)
      return answer && store.findTenant(answer.id, userIn(answer))
    },

    /**
     * Finds whose passkey answered. An answer is good for once: the one that comes first uses its challenge up and
     * raises the counter, both or neither.
     *
     * @throws {Problem} `passkey.refused`, with the user as `target` where that is known; `passkey.expired`
     */
    async prove(tenant: TenantId, text: string, use: string): Promise<PasskeyProof> {
      const answer = parseAssertion(text)
      const challenge = challenges.require(challengeIn(answer), use)
      const passkey = await store.find(tenant, answer.id)
      if (passkey === undefined) throw refused('the passkey is not known')
      const counter = await verify(answer, challenge.text, { passkey, party: requireParty() })
      await storage.for(tenant).transaction(async (db) => {
        const isFirst = await spent.spendIn(db, challenge.text, challenge.expiresAt)
        if (!isFirst) throw refused('the challenge was used', passkey.userId)
        if (!(await store.used(db, passkey, counter))) throw refused('the counter went back', passkey.userId)
      })
      return { userId: passkey.userId, amr: [passkey.keptIn === 'device' ? 'hwk' : 'swk', 'user', 'mfa'] }
    },

    /** Takes a passkey away, in a transaction; answers whether it was that user's. */
    removeIn: store.remove,
    /** Takes all of a user's away. */
    removeAllIn: store.removeAll,
  }
}
export type Passkeys = ReturnType<typeof createPasskeys>

async function readNew(response: NewPasskey, expectedChallenge: string, { id, origin }: RelyingParty) {
  const { verifyRegistrationResponse } = await webauthn()
  const outcome = await verifyRegistrationResponse({
    response,
    expectedChallenge,
    expectedOrigin: origin,
    expectedRPID: id,
    supportedAlgorithmIDs: ALGORITHMS,
    requireUserVerification: true,
  }).catch((cause: unknown) => {
    throw refused('the new passkey was not verified', undefined, cause)
  })
  if (!outcome.verified) throw refused('the new passkey was not verified')
  const { credential, credentialDeviceType } = outcome.registrationInfo
  return {
    id: credential.id,
    publicKey: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: response.response.transports,
    keptIn: credentialDeviceType === 'singleDevice' ? ('device' as const) : ('cloud' as const),
  }
}

interface Against {
  readonly passkey: KeptPasskey
  readonly party: RelyingParty
}

/** Answers with the new counter. */
async function verify(response: Assertion, expectedChallenge: string, { passkey, party }: Against): Promise<number> {
  const { id, publicKey, counter, userId } = passkey
  if (userIn(response) !== userId) throw refused('the passkey is another user’s', userId)
  const { verifyAuthenticationResponse } = await webauthn()
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response,
    expectedChallenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    credential: { id, publicKey: new Uint8Array(publicKey), counter },
    requireUserVerification: true,
  }).catch((cause: unknown) => {
    throw refused('the answer was not verified', userId, cause)
  })
  if (!verified) throw refused('the signature is wrong', userId)
  return authenticationInfo.newCounter
}

function refused(reason: string, target?: UserId, cause?: unknown) {
  return problem('passkey.refused', { reason, target, cause })
}
