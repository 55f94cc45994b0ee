/** Lets work begin, or has it wait for its turn, or until there is no time for that any more. */
export type Turns = <T>(work: () => Promise<T>, hurried: Promise<void>) => Promise<T>

/** At most so many at once; the others begin in the order they came. What is in a hurry is not counted among them. */
export function createTurns(most: number): Turns {
  const waiting = new Set<() => void>()
  let free = most

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      const [next] = waiting
      if (next) {
        waiting.delete(next)
        next()
      } else free++
    }
  }

  return async (work, hurried) => {
    if (free > 0) {
      free--
      return inTurn(work)
    }
    const { promise: turn, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    await Promise.race([turn, hurried])
    return waiting.delete(resolve) ? work() : inTurn(work)
  }
}
