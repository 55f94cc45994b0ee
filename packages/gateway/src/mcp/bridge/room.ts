/** How much may be kept at once: calls that have not ended, and bytes of questions and answers. */
export interface RoomLimits {
  readonly calls: number
  readonly callsPerUser: number
  readonly bytes: number
  readonly bytesPerUser: number
}

/** Counts what is kept, for each user and for all. */
export interface Room {
  readonly calls: number
  /** Lets one more call in; false where there are too many. */
  enter(user: string): boolean
  leave(user: string): void
  /** Takes so much; where it is too much takes nothing, and says for whom. */
  take(user: string, bytes: number): 'user' | 'all' | undefined
  give(user: string, bytes: number): void
}

interface Use {
  calls: number
  bytes: number
}

export function createRoom(limits: RoomLimits): Room {
  const all: Use = { calls: 0, bytes: 0 }
  const users = new Map<string, Use>()

  const useOf = (user: string) => users.get(user) ?? { calls: 0, bytes: 0 }

  function add(user: string, use: Use, calls: number, bytes: number): void {
    for (const each of [use, all]) {
      each.calls += calls
      each.bytes += bytes
    }
    if (use.calls > 0 || use.bytes > 0) users.set(user, use)
    else users.delete(user)
  }

  return {
    get calls() {
      return all.calls
    },
    enter(user) {
      const use = useOf(user)
      if (use.calls >= limits.callsPerUser || all.calls >= limits.calls) return false
      add(user, use, 1, 0)
      return true
    },
    leave: (user) => add(user, useOf(user), -1, 0),
    take(user, bytes) {
      const use = useOf(user)
      if (use.bytes + bytes > limits.bytesPerUser) return 'user'
      if (all.bytes + bytes > limits.bytes) return 'all'
      add(user, use, 0, bytes)
      return undefined
    },
    give: (user, bytes) => add(user, useOf(user), 0, -bytes),
  }
}
