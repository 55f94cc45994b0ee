/** Lets work begin, or has it wait for its turn. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

/** At most so many at once; the others begin in the order they came. */
export function createTurns(most: number): Turns {
  const waiting: (() => void)[] = []
  let free = most
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
