/** What the suite found out about one scenario. */
export interface ScenarioOutcome {
  readonly scenario: string
  readonly passed: boolean
  /** The checks that failed: their ids and what was said. */
  readonly failures: readonly string[]
}

/** One entry of the suite's `checks.json`. */
interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}

/**
 * Judges a scenario by its checks, as strictly as the suite does where it compares with a list of expected
 * failures: a warning counts as a failure, and a scenario of which nothing succeeded did not pass.
 */
export function judge(scenario: string, checks: readonly Check[]): ScenarioOutcome {
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  return {
    scenario,
    passed: failed.length === 0 && checks.some(({ status }) => status === 'SUCCESS'),
    failures: failed.map(({ id, errorMessage }) => (errorMessage === undefined ? id : `${id}: ${errorMessage}`)),
  }
}

/** Reads the checks of a scenario; anything of another shape is a change of the suite, and an error. */
export function parseChecks(text: string): Check[] {
  const value: unknown = JSON.parse(text)
  if (Array.isArray(value) && value.every(isCheck)) return value
  throw new Error('the suite wrote checks of a shape that is not known')
}

function isCheck(value: unknown): value is Check {
  return typeof value === 'object' && value !== null && 'id' in value && 'status' in value
}

/** Which side of the protocol a scenario is about, in the suite's words. */
export type Leg = 'server' | 'client' | 'authorization'

/** Reads the name of the scenario from its folder of results: `<scenario>-<time>`, for servers with their kind before. */
export function scenarioOf(folder: string): string | undefined {
  return /^(?:(?:authorization-)?server-)?(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1]
}

/** Lists the scenarios that a file of requirements asks for: the list under the key `server` or `client`. */
export function requiredScenarios(requirements: string, leg: Leg): string[] {
  const lines = requirements.split('\n')
  const start = lines.indexOf(`${leg}:`) + 1
  const length = lines.slice(start).findIndex((line) => /^\S/.test(line) && !line.startsWith('#'))
  const list = lines.slice(start, length < 0 ? undefined : start + length)
  return start === 0 ? [] : list.flatMap((line) => /^ +- ([\w/-]+)/.exec(line)?.[1] ?? [])
}

/** Lists the scenarios that a file of requirements has run without asking for them: those of its key `not_scored`. */
export function unscoredScenarios(requirements: string, leg: Leg): string[] {
  const entries = requirements.matchAll(/^ +- scenario: (\S+)\n +leg: (\w+)$/gm)
  return [...entries].flatMap(([, scenario = '', of]) => (of === leg ? scenario : []))
}

/** A set of scenarios of one leg and revision, all of which have to pass. */
export interface RequiredSet {
  readonly leg: Leg
  readonly revision: string
  readonly required: readonly string[]
}

/** The line a set ends with. A required scenario of which there is no outcome did not pass. */
export function conformanceLine(
  { leg, revision, required }: RequiredSet,
  outcomes: readonly ScenarioOutcome[],
): string {
  const passed = new Set(outcomes.filter((outcome) => outcome.passed).map(({ scenario }) => scenario))
  const count = required.filter((scenario) => passed.has(scenario)).length
  return `conformance ${leg} ${revision}: ${count}/${required.length}`
}
