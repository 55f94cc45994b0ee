import { spawnSync } from 'node:child_process'
import { readArguments } from './lib/arguments.ts'

const RUNS = '20000'
const PLACES = ['packages/gateway/test/fuzz', 'packages/gateway/test/e2e/transparency']
const FRONT = 'packages/gateway/test/fuzz/front.test.ts'

const HELP = `The properties that npm test checks with a few thousand cases, with as many as there is time for. A failure shows the seed
to replay it.

  npm run fuzz [-- options] [places]

  places        paths of tests, handed to vitest; all properties without them
  --minutes N   the HTTP front alone, for so long: prints how many inputs it took
  --help        this text

SEKISHO_FUZZ_RUNS says how many cases of each (default ${RUNS}).`

const { values, positionals } = readArguments(HELP, {
  options: { minutes: { type: 'string' } },
  allowPositionals: true,
})
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
