/**
 * `npm run fuzz`: the properties that `npm test` checks with a few thousand cases, with as many as there is time for.
 * `SEKISHO_FUZZ_RUNS` says how many of each; arguments are handed to vitest. A failure shows the seed to replay it.
 */
import { spawnSync } from 'node:child_process'

const RUNS = '20000'
const PLACES = ['packages/gateway/test/fuzz', 'packages/gateway/test/e2e/transparency']

const filters = process.argv.slice(2)
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...(filters.length > 0 ? filters : PLACES)],
  { stdio: 'inherit', env: { SEKISHO_FUZZ_RUNS: RUNS, ...process.env } },
)
process.exitCode = status ?? 1
