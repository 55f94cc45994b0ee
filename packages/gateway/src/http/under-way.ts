/** Counts the work that must end before what it needs is let go of. */
export function createUnderWay() {
  const all = new Set<Promise<unknown>>()
  return {
    /** Gives the work back, which counts until it ends, well or not. */
    follow<T>(work: Promise<T>): Promise<T> {
      all.add(work)
      const over = () => void all.delete(work)
      work.then(over, over)
      return work
    },
    /** Waits until all that is under way has ended, `graceMs` at the latest. */
    async landed(graceMs: number): Promise<void> {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, graceMs)
      await Promise.race([Promise.allSettled(all), late.promise])
      clearTimeout(timer)
    },
  }
}
