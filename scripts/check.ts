import { readArguments } from './lib/arguments.ts'
import { runStep, showOutcome, type Outcome, type Step } from './steps.ts'
import { npx } from './tools.ts'

const HELP = `Checks everything that needs no test: types, lint, format, unused code, stale pages. Exits with 1 where one fails.

  npm run check

It takes no options.`

readArguments(HELP, {})

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', command: npx(['oxlint', 'oxlint-tsgolint'], 'oxlint', '--deny-warnings'), only: 'linux' },
  { name: 'format', command: npx(['oxfmt'], 'oxfmt', '--check', '.'), only: 'linux' },
  { name: 'unused', command: npx(['knip'], 'knip', '--no-progress'), only: 'linux' },
  { name: 'supply', command: [process.execPath, 'scripts/supply.ts'] },
  { name: 'docs', command: [process.execPath, 'scripts/docs.ts', '--check'] },
]

const AT_ONCE = 2

const waiting = [...steps]
const outcomes: Outcome[] = []
await Promise.all(Array.from({ length: AT_ONCE }, work))

for (const { name, output } of outcomes.filter(({ result }) => result === 'failed')) {
  console.log(`\n--- ${name}\n${output.trim()}`)
}
process.exitCode = outcomes.some(({ result }) => result === 'failed') ? 1 : 0

async function work(): Promise<void> {
  for (let step = waiting.shift(); step; step = waiting.shift()) {
    const outcome = await runStep(step, 'keep')
    outcomes.push(outcome)
    console.log(showOutcome(outcome))
  }
}
