import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startProgram } from '../scripts/lib/processes.ts'
import { guardedRows, judgeMemory, judgeRow, parseRecords, type BenchRecord } from './ratio.ts'
import { benchTargets } from './targets.ts'

const HELP = `Measures the gate against its ceilings: bare reverse proxies on the same upstream. Linux only.

  npm run bench [-- options]

  --quick       the guarded calls only, one short round: under a minute
  --rounds N    how often each target is measured, interleaved (default 3, with --quick 1)
  --only a,b    only these of ${benchTargets()
    .map(({ name }) => name)
    .join(', ')}
  --help        this text`

const QUICK = ['--scenarios', 'c16,modern', '--duration', '1.5', '--warmup', '3']
const GUARDED = guardedRows.flatMap(({ target, ceiling }) => [target, ceiling])
const FULL = ['--scenarios', 'c16,modern,c1,10k,1m,list,idle']

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(HELP)
else process.exitCode = await main()

async function main(): Promise<number> {
  const records = await measure()
  const measured = new Set(records.map(({ target }) => target))
  const rows = guardedRows.filter(({ target, ceiling }) => measured.has(target) && measured.has(ceiling))
  const verdicts = [...rows.map((row) => judgeRow(row, records)), judgeMemory(records)]
  for (const { line } of verdicts) console.log(line)
  return verdicts.every(({ ok }) => ok) ? 0 : 1
}

/** Runs the harness in a process of its own, which does not share its time with this one. */
async function measure(): Promise<BenchRecord[]> {
  const work = await mkdtemp(join(tmpdir(), 'bench-'))
  const targets = join(work, 'targets.json')
  const results = join(work, 'results.jsonl')
  await writeFile(targets, JSON.stringify(benchTargets()))
  await runHarness(['--targets', targets, '--out', results, '--work', join(work, 'targets')])
  const records = parseRecords(await readFile(results, 'utf8'))
  if (records.every(({ failed }) => failed === undefined)) await rm(work, { recursive: true })
  else console.log(`Something was not measured; the logs are in ${work}`)
  return records
}

async function runHarness(files: readonly string[]): Promise<void> {
  const { quick, rounds = quick ? '1' : '3', only = quick ? GUARDED.join(',') : undefined } = options
  const harness = startProgram({
    name: 'The harness',
    command: process.execPath,
    args: [
      join(import.meta.dirname, 'harness/compare.mjs'),
      ...files,
      ...(quick ? QUICK : FULL),
      '--rounds',
      rounds,
      ...(only === undefined ? [] : ['--only', only]),
    ],
    onOutput: (text) => process.stdout.write(text),
  })
  const { code } = await harness.ended
  await harness.stop()
  if (code !== 0) throw new Error('the harness failed; see above')
}
