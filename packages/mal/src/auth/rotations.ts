/**
 * Renewals that whoever is in front of this server does: a call refuses its own token on purpose, the one in front
 * renews it and repeats the call, and the repeated call sees that the token is another.
 */
export interface Rotations {
  /**
   * @returns `begun` where the call is now to refuse its token, `done` where it came back with another, `in_vain` where
   * it came back with the same
   */
  step(rotation: {
    readonly owner: string
    readonly account: string
    readonly now: number
  }): 'begun' | 'done' | 'in_vain'
}

/** A call that is repeated later than this is another call. */
const SOON_MS = 60_000

export function createRotations(): Rotations {
  const begun = new Map<string, { readonly account: string; readonly at: number }>()
  return {
    step({ owner, account, now }) {
      for (const [who, { at }] of begun) if (now - at > SOON_MS) begun.delete(who)
      const before = begun.get(owner)
      begun.delete(owner)
      if (before) return before.account === account ? 'in_vain' : 'done'
      begun.set(owner, { account, at: now })
      return 'begun'
    },
  }
}
