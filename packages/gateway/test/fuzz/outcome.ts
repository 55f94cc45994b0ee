import { Problem } from '../../src/base/problem.ts'

/**
 * What became of it: `ok`, the code of a failure that is foreseen, or the name of an error. A fault of the gate's own is
 * thrown on.
 */
export function outcomeOf(run: () => unknown, foreseen: readonly (new (words: string) => Error)[] = []): string {
  try {
    run()
    return 'ok'
  } catch (error) {
    if (error instanceof Problem && error.code !== 'gate.fault') return error.code
    if (foreseen.some((kind) => error instanceof kind)) return (error as Error).name
    throw error
  }
}
