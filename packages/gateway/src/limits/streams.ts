import type { TenantId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'

export interface StreamLimitsNeeds {
  /** How many streams may be open at once. */
  readonly streams: number
  /** How many of them may be one user's. */
  readonly streamsPerUser: number
}

/** Says how many streams may be held open, in which a client is told what happens until one side ends them. */
export function createStreamLimits({ streams, streamsPerUser }: StreamLimitsNeeds) {
  const byUser = new Map<string, number>()
  let size = 0

  return {
    /**
     * Takes one stream off what there may be, and answers with what to do when it has ended (once; again does nothing).
     *
     * @throws {Problem} `limit.streams` where the user has too many, `gate.overloaded` where all together have
     */
    open({ tenant, userId }: { readonly tenant: TenantId; readonly userId: UserId }): () => void {
      const key = `${tenant} ${userId}`
      const own = byUser.get(key) ?? 0
      if (own >= streamsPerUser) throw problem('limit.streams', { user: userId })
      if (size >= streams) throw problem('gate.overloaded', { setting: 'limits.streams', seconds: 1 })
      byUser.set(key, own + 1)
      size++
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        size--
        const left = (byUser.get(key) ?? 1) - 1
        if (left > 0) byUser.set(key, left)
        else byUser.delete(key)
      }
    },
    /** How many may be one user's. */
    perUser: streamsPerUser,
    /** How many are open. */
    get size() {
      return size
    },
  }
}
export type StreamLimits = ReturnType<typeof createStreamLimits>
