import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { judge, parseChecks, scenarioOf, type ScenarioOutcome } from './conformance-results.ts'
import { startProgram, type Program } from './processes.ts'

/** Where the official suite is. */
export const SUITE = resolve(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance')

/** One run of the suite. */
export interface SuiteRun {
  /** The words of its command line, beside where it leaves its results. */
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Does what has to be done while it runs. */
  readonly meanwhile?: (suite: Program) => Promise<void>
}

export interface SuiteResult {
  /** Whether the suite itself is content. */
  readonly ok: boolean
  readonly outcomes: readonly ScenarioOutcome[]
  /** What it wrote. */
  readonly output: string
}

const SUITE_MS = 600_000

/** Runs the suite to its end. The outcomes are read from the files it leaves: what it prints is for people. */
export async function runSuite({ args, env, meanwhile }: SuiteRun): Promise<SuiteResult> {
  const results = await mkdtemp(join(tmpdir(), 'conformance-'))
  const suite = startProgram({
    name: 'The conformance suite',
    command: process.execPath,
    args: [join(SUITE, 'dist/index.js'), ...args, '--output-dir', results],
    cwd: results,
    ...(env && { env: { ...process.env, ...env } }),
  })
  const timer = setTimeout(() => suite.signal('SIGKILL'), SUITE_MS)
  try {
    await meanwhile?.(suite)
    const { code } = await suite.ended
    return { ok: code === 0, outcomes: await readOutcomes(results), output: suite.output() }
  } finally {
    clearTimeout(timer)
    await suite.stop()
    await rm(results, { recursive: true, force: true })
  }
}

/** A scenario that does not apply to the revision leaves an empty folder. */
async function readOutcomes(results: string): Promise<ScenarioOutcome[]> {
  const outcomes: ScenarioOutcome[] = []
  for (const entry of await readdir(results, { recursive: true, withFileTypes: true })) {
    const scenario = scenarioOf(relative(results, entry.parentPath))
    if (entry.name !== 'checks.json' || scenario === undefined) continue
    outcomes.push(judge(scenario, parseChecks(await readFile(join(entry.parentPath, entry.name), 'utf8'))))
  }
  return outcomes
}
