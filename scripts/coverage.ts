import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readArguments } from './lib/arguments.ts'
import { guarded } from './lib/rooms.ts'

const LINES_LEAST = 90
const BRANCHES_LEAST = 85
const HELP = `How much of the guarded rooms their tests run, room by room. Fails under ${LINES_LEAST} % of lines or ${BRANCHES_LEAST} % of branches. What only
other processes run, started by end-to-end tests, is not counted.

  npm run coverage

It takes no options.`

readArguments(HELP, {})

const directory = 'artifacts/coverage'

const flags = ['--coverage', '--coverage.provider=v8', `--coverage.reportsDirectory=${directory}`]
// A test that fails is reason enough to fail, and none to say nothing.
flags.push('--coverage.reportOnFailure')
const reporters = ['json-summary', 'html', 'lcovonly'].map((name) => `--coverage.reporter=${name}`)
const measured = `--coverage.include=packages/gateway/src/{${guarded.join(',')}}/**/*.ts`
const tests = guarded.map((room) => `packages/gateway/test/${room}/`)
const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...flags, ...reporters, measured, ...tests]
const { status } = spawnSync(process.execPath, vitest, { stdio: 'inherit' })

interface Share {
  readonly total: number
  readonly covered: number
}
type Summary = Readonly<Record<string, { readonly lines: Share; readonly branches: Share }>>

const summary: Summary = JSON.parse(readFileSync(`${directory}/coverage-summary.json`, 'utf8'))
const results = guarded.map(judge)
process.exitCode = status === 0 && results.every(Boolean) ? 0 : 1

/** Prints a line for a room, and answers whether it is enough. */
function judge(room: string): boolean {
  const files = Object.entries(summary).filter(([file]) => file.includes(`/src/${room}/`))
  const percent = (kind: 'lines' | 'branches') => {
    const sum = (what: keyof Share) => files.reduce((all, [, shares]) => all + shares[kind][what], 0)
    return (100 * sum('covered')) / sum('total')
  }
  const [lines, branches] = [percent('lines'), percent('branches')]
  const least = `at least ${LINES_LEAST} % and ${BRANCHES_LEAST} %`
  console.log(
    `coverage  ${room.padEnd(12)} ${lines.toFixed(1)} % of lines, ${branches.toFixed(1)} % of branches (${least})`,
  )
  return lines >= LINES_LEAST && branches >= BRANCHES_LEAST
}
