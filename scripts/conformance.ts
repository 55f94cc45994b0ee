import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  conformanceLine,
  judge,
  parseChecks,
  requiredScenarios,
  scenarioOf,
  type ScenarioOutcome,
} from './lib/conformance-results.ts'
import { runAuthorization } from './lib/conformance-authorization.ts'
import { freePort } from './lib/free-port.ts'
import { startGate } from './lib/gate.ts'
import { startHeaderProxy } from './lib/header-proxy.ts'
import { startProgram } from './lib/processes.ts'

const HELP = `Runs the official conformance suite's server scenarios through the gate, and its authorization scenarios against it.

  npm run conformance [-- options]

  --list-failures   name every required scenario that does not pass, and its failed checks
  --scenario X      run this scenario only, and show what the suite says about it
  --help            this text

Scenarios that are known to fail are listed in conformance/expected-failures.<revision>.yml. One that fails
and is not listed there fails the run, and so does one that is listed and passes.`

const REVISIONS = ['2025-11-25', '2026-07-28'] as const

const ROOT = resolve(import.meta.dirname, '..')
const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance')
const EVERYTHING = join(ROOT, 'packages/playground/src/everything/bin.ts')
const SUITE_MS = 300_000

const { values: options } = parseArgs({
  options: {
    'list-failures': { type: 'boolean', default: false },
    scenario: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(HELP)
else process.exitCode = await main()

async function main(): Promise<number> {
  const { scenario } = options
  const sets = []
  for (const revision of REVISIONS) sets.push(await runSet(revision, scenario))
  if (scenario !== undefined) return summariseScenario(scenario, sets)
  const authorization = []
  for (const revision of REVISIONS) authorization.push(await runAuthorization(SUITE, revision))
  for (const { line } of [...sets, ...authorization]) console.log(line)
  return [...sets, ...authorization].every(({ ok }) => ok) ? 0 : 1
}

interface SetResult {
  readonly line: string
  readonly ok: boolean
  readonly outcomes: readonly ScenarioOutcome[]
}

/** Runs one set against a server, a gate and a proxy of its own, so that no set finds what another left. */
async function runSet(revision: string, scenario: string | undefined): Promise<SetResult> {
  const startedAt = performance.now()
  await using front = await openFront()
  const results = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    const { code, output } = await runSuite({ url: front.url, revision, scenario, results })
    const required = requiredScenarios(await readFile(join(SUITE, 'requirements', `${revision}.yaml`), 'utf8'))
    const outcomes = await readOutcomes(results)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    if (scenario === undefined) console.log(`${revision}: ${outcomes.length} scenarios run in ${seconds} s`)
    if (scenario !== undefined) console.log(output)
    else if (code !== 0) console.log(verdictOf(output))
    const listed = outcomes.filter((outcome) => required.includes(outcome.scenario))
    if (options['list-failures']) listFailures(listed)
    return { line: conformanceLine(revision, required, outcomes), ok: code === 0, outcomes }
  } finally {
    await rm(results, { recursive: true, force: true })
  }
}

/** What the suite speaks to: the proxy with a key, the gate behind it, the server behind that. */
async function openFront(): Promise<AsyncDisposable & { url: string }> {
  await using open = new AsyncDisposableStack()
  const everything = startProgram({
    name: 'The everything server',
    command: process.execPath,
    args: [EVERYTHING, '--port', '0'],
  })
  open.defer(async () => void (await everything.stop()))
  const [, upstream = ''] = await everything.match(/everything on (\S+)/, 30_000)

  // The suite sends the proxy's address as Host and Origin, and the gate must not take any other for it.
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const gate = open.use(
    await startGate({
      config: {
        mcpServers: { everything: { url: upstream } },
        allowedHosts: [host],
        allowedOrigins: [`http://${host}`],
      },
    }),
  )
  const { key } = await gate.addUser('suite')
  const headers = { Authorization: `Bearer ${key}` }
  open.use(await startHeaderProxy({ port, target: gate.url, headers }))

  const opened = open.move()
  return { url: `http://${host}/mcp/everything`, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

interface SuiteRun {
  readonly url: string
  readonly revision: string
  readonly scenario: string | undefined
  readonly results: string
}

async function runSuite({ url, revision, scenario, results }: SuiteRun): Promise<{ code: number; output: string }> {
  const which =
    scenario === undefined
      ? ['--requirements', revision, '--expected-failures', expectedFailures(revision)]
      : ['--scenario', scenario, '--spec-version', revision]
  const suite = startProgram({
    name: 'The conformance suite',
    command: process.execPath,
    args: [join(SUITE, 'dist/index.js'), 'server', '--url', url, '-o', results, ...which],
    cwd: results,
  })
  const timer = setTimeout(() => suite.signal('SIGKILL'), SUITE_MS)
  const { code } = await suite.ended
  clearTimeout(timer)
  await suite.stop()
  return { code: code ?? 1, output: suite.output() }
}

function expectedFailures(revision: string): string {
  return join(ROOT, 'conformance', `expected-failures.${revision}.yml`)
}

/** The checks are read from the files the suite writes: what it prints is for people, and may change. */
async function readOutcomes(results: string): Promise<ScenarioOutcome[]> {
  const outcomes: ScenarioOutcome[] = []
  for (const folder of await readdir(results)) {
    const scenario = scenarioOf(folder)
    const file = join(results, folder, 'checks.json')
    // A scenario that does not apply to the revision leaves an empty folder.
    if (scenario === undefined || !existsSync(file)) continue
    outcomes.push(judge(scenario, parseChecks(await readFile(file, 'utf8'))))
  }
  return outcomes
}

/** What the suite says after its summary: the failures it did not expect, the entries that are stale. */
function verdictOf(output: string): string {
  return output.slice(output.lastIndexOf('\nTotal:')).trim()
}

function listFailures(outcomes: readonly ScenarioOutcome[]): void {
  for (const { scenario, passed, failures } of outcomes) {
    if (!passed) console.log(`  ${scenario}\n${failures.map((failure) => `    ${failure}`).join('\n')}`)
  }
}

function summariseScenario(scenario: string, sets: readonly SetResult[]): number {
  const outcomes = sets.flatMap((set) => set.outcomes)
  if (outcomes.length === 0) console.log(`There is no server scenario called ${scenario}.`)
  return outcomes.length > 0 && outcomes.every(({ passed }) => passed) ? 0 : 1
}
