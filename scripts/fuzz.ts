/**
 * `npm run fuzz`: the properties that `npm test` checks with a few thousand cases, with as many as there is time for.
 * `SEKISHO_FUZZ_RUNS` says how many of each; arguments are handed to vitest. A failure shows the seed to replay it.
 * With `--minutes 20`, the HTTP front alone, for so long: it prints how many inputs it took.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const RUNS = '20000'
const PLACES = ['packages/gateway/test/fuzz', 'packages/gateway/test/e2e/transparency']
const FRONT = 'packages/gateway/test/fuzz/front.test.ts'

const { values, positionals } = parseArgs({ options: { minutes: { type: 'string' } }, allowPositionals: true })
const seconds = values.minutes === undefined ? undefined : String(Number(values.minutes) * 60)
const places = positionals.length > 0 ? positionals : PLACES
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...(seconds === undefined ? places : [FRONT])],
  {
    stdio: 'inherit',
    env: { SEKISHO_FUZZ_RUNS: RUNS, ...process.env, ...(seconds && { SEKISHO_FUZZ_SECONDS: seconds }) },
  },
)
process.exitCode = status ?? 1
