/** The code of the problem a promise fails with; `none` where it does not fail. */
export async function codeOf(outcome: Promise<unknown>): Promise<unknown> {
  try {
    await outcome
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}
