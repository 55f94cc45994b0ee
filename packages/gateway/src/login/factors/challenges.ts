import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/ids.ts'
import { problem } from '../../base/problem.ts'

export interface ChallengesNeeds {
  readonly clock: Clock
  readonly random: Random
  /** Secret, and the same in every process. */
  readonly key: Buffer
}

/** A challenge of ours that is still good. */
export interface Challenge {
  readonly text: string
  readonly expiresAt: number
}

/** How long somebody may take to unlock a passkey. */
const CHALLENGE_MS = 10 * 60_000

const NONCE_BYTES = 16
const TIME_BYTES = 6
const TAG_BYTES = 32

/**
 * Challenges for passkeys: chance, when they end, and a keyed hash over both and what they are for, browser included.
 * Nothing is kept of one until it is used, so that asking for many fills nothing.
 *
 * @see {@link https://www.w3.org/TR/webauthn-3/#sctn-cryptographic-challenges WebAuthn §13.4.3}
 */
export function createChallenges({ clock, random, key }: ChallengesNeeds) {
  const tagOf = (body: Uint8Array, use: string) => createHmac('sha256', key).update(body).update(use).digest()

  return {
    /** Answers base64url. `use` says what for and in which browser: nothing that others can choose. */
    issue(use: string): string {
      const time = Buffer.alloc(TIME_BYTES)
      time.writeUIntBE(clock.now() + CHALLENGE_MS, 0, TIME_BYTES)
      const body = Buffer.concat([random(NONCE_BYTES), time])
      return Buffer.concat([body, tagOf(body, use)]).toString('base64url')
    },

    /**
     * Takes a challenge that came back. Whether it came back before, {@link Spent} knows.
     *
     * @throws {Problem} `passkey.refused` for one that is not ours or was for another use, `passkey.expired`
     */
    require(text: string, use: string): Challenge {
      const bytes = Buffer.from(text, 'base64url')
      const body = bytes.subarray(0, NONCE_BYTES + TIME_BYTES)
      const tag = bytes.subarray(NONCE_BYTES + TIME_BYTES)
      if (tag.length !== TAG_BYTES || !timingSafeEqual(tag, tagOf(body, use)))
        throw problem('passkey.refused', { reason: 'the challenge is not one for this browser' })
      const expiresAt = body.readUIntBE(NONCE_BYTES, TIME_BYTES)
      if (expiresAt <= clock.now()) throw problem('passkey.expired')
      return { text, expiresAt }
    },
  }
}
export type Challenges = ReturnType<typeof createChallenges>
