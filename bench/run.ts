import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArguments } from '../scripts/lib/arguments.ts'
import { openSchema } from '../scripts/lib/faults-schema.ts'
import {
  guardedRows,
  isMeasured,
  judgeMemory,
  judgeRow,
  parseRecords,
  rows,
  scenariosOf,
  workerRows,
  type BenchRecord,
} from './ratio.ts'
import { runHarness } from './run-harness.ts'
import { benchTargets, type Several, type Target } from './targets.ts'

/** Requests of 1 MB come last of the calls: they leave a heap behind that other rows would be measured in. */
const CALLS = [
  'c16',
  'modern',
  'c1',
  '10k',
  'modern-10k',
  '1m',
  'modern-1m',
  'list',
  'modern-list',
  'sse',
  'modern-sse',
]
const SCENARIOS = [...CALLS, 'up1m', 'idle', 'modern-idle']

const HELP = `Measures the gate against its ceilings: bare reverse proxies on the same upstream. Linux only.

  npm run bench [-- options]

  --quick         the guarded calls only, one short round: under a minute on a quiet machine
  --rounds N      how often each target is measured, interleaved (default 3, with --quick 1)
  --only a,b      only these of ${benchTargets()
    .map(({ name }) => name)
    .join(', ')}
  --scenarios a,b only these of ${SCENARIOS.join(', ')}
  --workers N     the gate with N workers as well, on PostgreSQL and Redis of this machine
  --help          this text`

const POSTGRES = process.env['SEKISHO_TEST_POSTGRES'] ?? 'postgres://root@127.0.0.1/test'
const REDIS_URL = process.env['SEKISHO_TEST_REDIS'] ?? 'redis://127.0.0.1:6379'

const GUARDED = guardedRows.flatMap(({ target, ceiling }) => [target, ceiling])
const WORKERS = workerRows.flatMap(({ target, ceiling }) => [target, ceiling])
const QUICK = ['--duration', '1.5', '--warmup', '1', '--warm-calls', '10000']
const QUICK_SCENARIOS = 'c16,modern'
const FULL = ['--duration', '3', '--warm-calls', '15000']

const { values: options } = readArguments(HELP, {
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    scenarios: { type: 'string' },
    workers: { type: 'string' },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const records = await measure()
  const measured = [...rows, ...workerRows].filter((row) => isMeasured(row, records))
  const isOne = records.some(({ target }) => guardedRows.some((row) => row.target === target))
  const verdicts = [...measured.map((row) => judgeRow(row, records)), ...(isOne ? [judgeMemory(records)] : [])]
  for (const { line } of verdicts) console.log(line)
  const judged = verdicts.filter(({ isMet }) => isMet !== undefined)
  console.log(`bench: ${verdicts.filter(({ isMet }) => isMet).length} of ${judged.length} targets met`)
  return verdicts.every(({ ok }) => ok) ? 0 : 1
}

/** Runs the harness in a process of its own, which does not share its time with this one. */
async function measure(): Promise<BenchRecord[]> {
  const work = await mkdtemp(join(tmpdir(), 'bench-'))
  const targets = join(work, 'targets.json')
  const results = join(work, 'results.jsonl')
  await using several = options.workers === undefined ? undefined : await openSeveral(Number(options.workers))
  await writeFile(targets, JSON.stringify(compared(several)))
  await harnessWith(['--targets', targets, '--out', results, '--work', join(work, 'targets')])
  const records = parseRecords(await readFile(results, 'utf8'))
  if (records.every(({ failed }) => failed === undefined)) await rm(work, { recursive: true })
  else console.log(`Something was not measured; the logs are in ${work}`)
  return records
}

/** The targets that are one side of a row, and of each only the scenarios that are; all where scenarios are named. */
function compared(several: Several | undefined): Target[] {
  if (options.scenarios !== undefined) return benchTargets(several)
  const targets = benchTargets(several).map((target) => ({ ...target, scenarios: scenariosOf(target.name) }))
  return targets.filter(({ scenarios }) => scenarios.length > 0)
}

/** What several workers share, as the tests of several processes do. */
async function openSeveral(count: number): Promise<Several & AsyncDisposable> {
  const schema = await openSchema(POSTGRES)
  return {
    count,
    environment: { DATABASE_URL: schema.databaseUrl, REDIS_URL },
    [Symbol.asyncDispose]: () => schema[Symbol.asyncDispose](),
  }
}

async function harnessWith(files: readonly string[]): Promise<void> {
  const { quick, rounds = quick ? '1' : '3', scenarios = quick ? QUICK_SCENARIOS : SCENARIOS.join(',') } = options
  const quickly = [...GUARDED, ...(options.workers === undefined ? [] : WORKERS)].join(',')
  const only = options.only ?? (quick ? quickly : undefined)
  const which = only === undefined ? [] : ['--only', only]
  await runHarness([...files, ...(quick ? QUICK : FULL), '--scenarios', scenarios, '--rounds', rounds, ...which])
}
