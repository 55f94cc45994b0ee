import { readArguments } from './lib/arguments.ts'
import { conformanceLine, type ScenarioOutcome } from './lib/conformance-results.ts'
import { extras, oneScenario, readSets, type ConformanceSet } from './lib/conformance-sets.ts'

const HELP = `Runs the official conformance suite through the gate: as a server (the playground's everything server behind
it), as a client (of the suite's own servers), and as an authorization server.

  npm run conformance [-- options]

  --list-failures   name every scenario that does not pass, and its failed checks
  --scenario X      run this scenario only, and show what the suite says about it
  --only LEG        run one leg only: server, client or authorization
  --help            this text

A required scenario that does not pass fails the run; what no revision requires is run and told as well.`

const { values: options } = readArguments(HELP, {
  options: {
    'list-failures': { type: 'boolean', default: false },
    scenario: { type: 'string' },
    only: { type: 'string' },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const { scenario, only } = options
  const sets = (await readSets()).filter(({ leg }) => only === undefined || leg === only)
  if (scenario !== undefined) return runOne(scenario, sets)
  const done: SetResult[] = []
  for (const set of sets) done.push(await runSet(set))
  for (const { unscored } of done) if (unscored !== undefined) console.log(unscored)
  for (const { line } of done) console.log(line)
  return done.every(({ ok }) => ok) ? 0 : 1
}

interface SetResult {
  readonly line: string
  /** Of the scenarios that no revision requires; `undefined` where there are none. */
  readonly unscored: string | undefined
  readonly ok: boolean
}

async function runSet(set: ConformanceSet): Promise<SetResult> {
  const startedAt = performance.now()
  await using place = await set.open()
  const { ok, outcomes, output } = await place.run(['--requirements', set.revision])
  const all = [...outcomes]
  for (const scenario of extras(set)) all.push(...(await place.run(oneScenario(scenario, set))).outcomes)

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${set.leg} ${set.revision}: ${all.length} scenarios run in ${seconds} s`)
  if (options['list-failures']) listFailures(all)
  const failed = set.required.filter((scenario) => !hasPassed(scenario, all))
  // Where all has passed and the suite is not content, only what it says can tell why.
  if (!ok && failed.length === 0) console.log(output)
  return { line: conformanceLine(set, all), unscored: unscoredLine(set, all), ok: ok && failed.length === 0 }
}

function hasPassed(name: string, outcomes: readonly ScenarioOutcome[]): boolean {
  return outcomes.some(({ scenario, passed }) => scenario === name && passed)
}

function unscoredLine({ leg, revision, unscored }: ConformanceSet, outcomes: readonly ScenarioOutcome[]) {
  const open = unscored.filter((scenario) => !hasPassed(scenario, outcomes))
  const without = open.length === 0 ? '' : `, without ${open.join(', ')}`
  const count = unscored.length - open.length
  return unscored.length === 0 ? undefined : `not scored: ${leg} ${revision}: ${count}/${unscored.length}${without}`
}

function listFailures(outcomes: readonly ScenarioOutcome[]): void {
  for (const { scenario, passed, failures } of outcomes) {
    if (!passed) console.log(`  ${scenario}\n${failures.map((failure) => `    ${failure}`).join('\n')}`)
  }
}

async function runOne(scenario: string, sets: readonly ConformanceSet[]): Promise<number> {
  const of = sets.filter(({ required, unscored }) => [...required, ...unscored].includes(scenario))
  if (of.length === 0) console.log(`There is no scenario called ${scenario}.`)
  const outcomes: ScenarioOutcome[] = []
  for (const set of of) {
    await using place = await set.open()
    const run = await place.run(oneScenario(scenario, set))
    console.log(run.output)
    outcomes.push(...run.outcomes)
  }
  return outcomes.length > 0 && outcomes.every(({ passed }) => passed) ? 0 : 1
}
