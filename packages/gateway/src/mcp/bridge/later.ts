/** Runs something after a while, unless the returned function is called before. Handed in, so that a test can turn time. */
export type Later = (run: () => void, ms: number) => () => void

/** Holds up no process that has nothing else to do. */
export const systemLater: Later = (run, ms) => {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}
