/** `npm test`: everything that must hold, one step after the other, all of them even where one fails. */
import { runStep, showOutcome, type Outcome, type Step } from './steps.ts'

/** Arguments are handed to vitest: `npm test -- packages/gateway/test/config`. */
const filters = process.argv.slice(2)

const steps: readonly Step[] = [
  { name: 'check', command: [process.execPath, 'scripts/check.ts'] },
  { name: 'tests', command: [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...filters] },
]

const outcomes: Outcome[] = []
for (const step of steps) {
  console.log(`\n=== ${step.name}`)
  outcomes.push(await runStep(step, 'show'))
}

console.log('\n=== summary')
for (const outcome of outcomes) console.log(showOutcome(outcome))
process.exitCode = outcomes.some(({ result }) => result === 'failed') ? 1 : 0
