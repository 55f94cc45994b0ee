/** Tells a story step by step, a line each; the first step that does not hold ends it. */
export function createStory(print: (line: string) => void) {
  const startedAt = performance.now()
  let count = 0

  return {
    /** Does a step and says how long it took; `action` throws where the step does not hold. */
    async step<T>(title: string, action: () => T | Promise<T>): Promise<T> {
      const before = performance.now()
      count += 1
      try {
        const result = await action()
        print(`  ok      ${title} (${seconds(before)})`)
        return result
      } catch (error) {
        print(`  FAILED  ${title} (${seconds(before)})`)
        throw error
      }
    },
    end: () => print(`All ${count} steps held, in ${seconds(startedAt)}.`),
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
