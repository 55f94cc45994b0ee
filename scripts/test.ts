import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerHelp } from './lib/arguments.ts'
import { runStep, showOutcome, type Outcome, type Step } from './steps.ts'

answerHelp(`Everything that must hold, one step after the other, all of them even where one fails.

  npm test [-- parts of paths]

  parts of paths   only the tests whose file’s path has one of these in it; options are handed to vitest as well
  --help           this text`)
const filters = process.argv.slice(2)

const reports = mkdtempSync(join(tmpdir(), 'sekisho-test-report-'))
const report = join(reports, 'vitest.json')
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json']

const tests: Step = {
  name: 'tests',
  command: [process.execPath, ...vitest, `--outputFile.json=${report}`, ...filters],
}
const everything: readonly Step[] = [
  { name: 'check', command: [process.execPath, 'scripts/check.ts'] },
  tests,
  // By itself: it keeps the machine busy, and other tests look at the clock.
  { name: 'fuzz', command: [process.execPath, 'scripts/fuzz.ts', '--minutes', '2'] },
  { name: 'conformance', command: [process.execPath, 'scripts/conformance.ts'] },
  { name: 'tour', command: [process.execPath, 'scripts/tour.ts'], only: 'linux' },
]

const outcomes: Outcome[] = []
for (const step of filters.length > 0 ? [tests] : everything) {
  console.log(`\n=== ${step.name}`)
  outcomes.push(await runStep(step, 'show'))
}

console.log('\n=== summary')
for (const outcome of outcomes) console.log(showOutcome(outcome))
console.log(countTests())
process.exitCode = outcomes.some(({ result }) => result === 'failed') ? 1 : 0
rmSync(reports, { recursive: true, force: true })

/** The figures of the test runner, in one line that reads the same in every log. */
function countTests(): string {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'))
    return `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`
  } catch {
    return '0 passed, 1 failed'
  }
}
