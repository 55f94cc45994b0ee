/**
 * `npm run mutation`: changes the code of the rooms that guard secrets in small ways, one at a time, and counts how many
 * of the changes a test notices. Fails under 75 %. Takes long: `-- --room vault` is one room, `-- --file gcm` one file of it.
 */
import { Stryker } from '@stryker-mutator/core'
import { parseArgs } from 'node:util'
import { guarded } from './lib/rooms.ts'

const SCORE_LEAST = 75
const NOWHERE = 'postgres://nobody@127.0.0.1:9/none'

const { values } = parseArgs({ options: { room: { type: 'string', multiple: true }, file: { type: 'string' } } })
const wanted = values.room ?? guarded
const file = values.file ?? '**/*'

for (const room of wanted) {
  const score = await mutate(room)
  console.log(`mutation  ${room.padEnd(12)} ${score.toFixed(1)} % of at least ${SCORE_LEAST} %`)
  if (score < SCORE_LEAST) process.exitCode = 1
}

/** How many of a hundred changes are noticed by the tests of the room. */
async function mutate(room: string): Promise<number> {
  if (!guarded.includes(room)) throw new Error(`${room} is none of ${guarded.join(', ')}`)
  // On the embedded database alone: the stores are the same, and each change costs a fraction of the time.
  Object.assign(process.env, { SEKISHO_MUTATION_ROOM: room, SEKISHO_TEST_POSTGRES: NOWHERE, CI: '' })
  const stryker = new Stryker({
    mutate: [`packages/gateway/src/${room}/${file}.ts`],
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    reporters: ['progress-append-only', 'clear-text', 'json'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    jsonReporter: { fileName: `artifacts/mutation-${room}.json` },
    ignorePatterns: ['artifacts', '.sekisho', 'bench'],
    // Its way to read one needs an older compiler, and no path in ours has to be changed.
    tsconfigFile: 'none',
    // Words for people are what they are; only what decides is changed.
    mutator: { excludedMutations: ['StringLiteral'] },
    coverageAnalysis: 'perTest',
    // What runs once, as a module is loaded, would need every test anew for each change.
    ignoreStatic: true,
    concurrency: 1,
    timeoutMS: 20_000,
    allowConsoleColors: false,
    tempDirName: '.tmp/mutation',
    cleanTempDir: 'always',
  })
  const results = await stryker.runMutationTest()
  const counted = results.filter(({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status))
  const noticed = counted.filter(({ status }) => status === 'Killed' || status === 'Timeout')
  return counted.length === 0 ? 0 : (100 * noticed.length) / counted.length
}
