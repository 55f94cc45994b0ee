import fc from 'fast-check'
import { FOUND } from './found.ts'

/** `npm run fuzz` asks for many more than a test has time for. */
const RUNS = Number(process.env['SEKISHO_FUZZ_RUNS'] ?? 0)

export const isLong = RUNS > 0

/**
 * Checks a property with what was found to break it before, and then with new cases. Where one fails, its seed and path
 * are in the message; they belong into `found.ts`.
 *
 * @param usual how many cases are enough for every day. `endOnFailure` where each case takes too long to look for a
 * smaller one.
 */
export async function holds<T>(
  name: string,
  property: fc.IRawProperty<T>,
  usual: number,
  { endOnFailure = false } = {},
): Promise<void> {
  for (const { seed, path } of FOUND[name] ?? []) await fc.assert(property, { seed, path, numRuns: 1 })
  await fc.assert(property, { numRuns: RUNS > 0 ? RUNS : usual, endOnFailure })
}

/** The time limit of a test that checks such a property. */
export const TIME_MS = isLong ? 3_600_000 : 120_000
