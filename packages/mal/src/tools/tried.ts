import { MalProblem } from '../api/problem.ts'

/** What came of it, where what went wrong is an answer too. */
export async function tried<Value>(work: () => Promise<Value>): Promise<{ value?: Value; problem?: MalProblem }> {
  try {
    return { value: await work() }
  } catch (error) {
    if (error instanceof MalProblem) return { problem: error }
    throw error
  }
}
