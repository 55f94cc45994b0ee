import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AUTHORIZATION_SCENARIOS, runAuthorization } from './conformance-authorization.ts'
import { startDriver } from './conformance-client/driver.ts'
import { runClient } from './conformance-client/run.ts'
import { requiredScenarios, unscoredScenarios, type RequiredSet } from './conformance-results.ts'
import { openFront, runServer } from './conformance-server.ts'
import { SUITE, type SuiteResult } from './conformance-suite.ts'

/** What the suite is asked to run of a set: all that is required, with what is run unscored, or one scenario. */
type Run = (which: readonly string[]) => Promise<SuiteResult>

/** A set of scenarios, and what more of its leg there is. */
export interface ConformanceSet extends RequiredSet {
  /** Scenarios that no revision requires: what the suite runs beside the required ones, and extensions. */
  readonly unscored: readonly string[]
  /** Opens what the scenarios are run against. */
  open(): Promise<{ readonly run: Run } & AsyncDisposable>
}

const REVISIONS = ['2025-11-25', '2026-07-28'] as const
type Revision = (typeof REVISIONS)[number]

/**
 * The skills extension stands in no list of requirements. Of its client scenarios the others are about what a host does
 * with a skill it has read, which the gate only passes on.
 */
const SKILLS: Readonly<Record<'server' | 'client', readonly string[]>> = {
  server: ['sep-2640-skills-directory', 'sep-2640-skills-enumeration', 'sep-2640-skills-manifest'],
  client: ['sep-2640-client-no-prefetch'],
}

/** What an older revision asked of clients, which today's lists have left out. */
const OLD_CLIENT = ['auth/2025-03-26-oauth-metadata-backcompat', 'auth/2025-03-26-oauth-endpoint-fallback']

/** Every set there is, in the order they are run. */
export async function readSets(): Promise<ConformanceSet[]> {
  const texts = await Promise.all(
    REVISIONS.map((revision) => readFile(join(SUITE, 'requirements', `${revision}.yaml`), 'utf8')),
  )
  const legs = [serverSet, clientSet, authorizationSet]
  return legs.flatMap((make) => REVISIONS.map((revision, index) => make(revision, texts[index] ?? '')))
}

function serverSet(revision: Revision, requirements: string): ConformanceSet {
  return {
    ...listed('server', revision, requirements),
    async open() {
      const front = await openFront()
      return { run: (which) => runServer(front, which), [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() }
    },
  }
}

function clientSet(revision: Revision, requirements: string): ConformanceSet {
  return {
    ...listed('client', revision, requirements),
    async open() {
      const driver = await startDriver()
      return { run: (which) => runClient(driver, which), [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose]() }
    },
  }
}

function authorizationSet(revision: Revision): ConformanceSet {
  return {
    leg: 'authorization',
    revision,
    required: AUTHORIZATION_SCENARIOS,
    unscored: [],
    open: async () => ({ run: () => runAuthorization(revision), async [Symbol.asyncDispose]() {} }),
  }
}

function listed(leg: 'server' | 'client', revision: Revision, requirements: string) {
  const more = revision === '2026-07-28' ? SKILLS[leg] : leg === 'client' ? OLD_CLIENT : []
  const unscored = [...unscoredScenarios(requirements, leg), ...more]
  return { leg, revision, required: requiredScenarios(requirements, leg), unscored }
}

/** The words that have the suite run one scenario, in the revision it is of. */
export function oneScenario(scenario: string, { revision }: Pick<ConformanceSet, 'revision'>): string[] {
  const of = OLD_CLIENT.includes(scenario) ? '2025-03-26' : revision
  return ['--scenario', scenario, '--spec-version', of, '--force']
}

/** Which of a set the suite does not run by itself with what is required. */
export function extras({ leg, unscored }: ConformanceSet): readonly string[] {
  const own: readonly string[] = leg === 'authorization' ? [] : [...SKILLS[leg], ...OLD_CLIENT]
  return unscored.filter((scenario) => own.includes(scenario))
}
