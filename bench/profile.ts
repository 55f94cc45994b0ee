import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArguments } from '../scripts/lib/arguments.ts'
import { parseRecords } from './ratio.ts'
import { runHarness } from './run-harness.ts'
import { busySamples, chargeSamples, type CpuProfile } from './samples.ts'
import { benchTargets, type Target } from './targets.ts'

const HELP = `Says where each microsecond of a guarded call goes, in the gate and in its ceiling. Linux only.

  npm run bench:profile [-- options]

  --scenario S   one of the harness's, modern by default
  --only a,b     the targets, ceiling-checked and gate-server by default
  --top N        the functions that take most, beside the rooms (default 25)
  --help         this text

A sampled share of the measured CPU time; sampling itself costs a little, so the sum is above what npm run bench shows.`

const { values: options } = readArguments(HELP, {
  options: {
    scenario: { type: 'string', default: 'modern' },
    only: { type: 'string', default: 'ceiling-checked,gate-server' },
    top: { type: 'string', default: '25' },
  },
})

await main()

async function main(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'profile-'))
  const wanted = options.only.split(',')
  const targets = benchTargets().filter(({ name }) => wanted.includes(name))
  await writeFile(join(work, 'targets.json'), JSON.stringify(targets.map((target) => profiled(target, work))))
  const results = join(work, 'results.jsonl')
  const load = [
    '--scenarios',
    options.scenario,
    '--rounds',
    '1',
    '--duration',
    '6',
    '--warmup',
    '2',
    '--warm-calls',
    '15000',
  ]
  await runHarness([
    '--targets',
    join(work, 'targets.json'),
    '--out',
    results,
    '--work',
    join(work, 'targets'),
    ...load,
  ])
  const records = parseRecords(await readFile(results, 'utf8'))
  for (const { name } of targets) {
    const cpuUs = records.find(({ target, scenario }) => target === name && scenario === options.scenario)?.cpuUs
    if (cpuUs !== undefined) print(name, cpuUs, await readProfile(join(work, name)))
  }
  console.log(`The profiles, for a browser's developer tools, are in ${work}`)
}

/** Its process samples itself, and writes what it found when it ends, which a ceiling does at once. */
function profiled(target: Target, work: string): Target {
  const { name, cmd = [] } = target
  const flags = ['--cpu-prof', '--cpu-prof-interval', '250', '--cpu-prof-dir', join(work, name)]
  const ending = 'data:text/javascript,process.on("SIGTERM",()=>process.exit())'
  return { ...target, cmd: [...cmd.slice(0, 1), ...flags, '--import', ending, ...cmd.slice(1)] }
}

async function readProfile(directory: string): Promise<CpuProfile> {
  const [file = ''] = await readdir(directory)
  return JSON.parse(await readFile(join(directory, file), 'utf8'))
}

function print(name: string, cpuUs: number, profile: CpuProfile): void {
  const busy = busySamples(profile)
  const { rooms, functions } = chargeSamples(busy)
  const micros = (samples: number) => ((samples / busy.length) * cpuUs).toFixed(1).padStart(7)
  console.log(`\n${name}: ${cpuUs} us of CPU a call\n\n     us  where`)
  for (const [room, samples] of rooms) console.log(`${micros(samples)}  ${room}`)
  console.log('\n     us  function')
  for (const [place, samples] of functions.slice(0, Number(options.top))) console.log(`${micros(samples)}  ${place}`)
}
