/** One line of the harness's results, as far as it is read here. */
export interface BenchRecord {
  readonly round: number
  readonly target: string
  readonly scenario: string
  /** Why there is no measurement. */
  readonly failed?: string
  /** CPU time per answered request, in microseconds, of the whole process tree. */
  readonly cpuUs?: number
  readonly errors?: number
  /** Resident memory two seconds after it began to serve, in MB of 2^20 bytes; with scenario `start`. */
  readonly rssReadyMb?: number
  /** The same two seconds after it was set up. */
  readonly rssIdleMb?: number
  /** The most resident memory under load. */
  readonly rssPeakMb?: number
  /** How many streams were asked for, and how many were open; with the scenarios of idle streams. */
  readonly asked?: number
  readonly opened?: number
  readonly kbPerStream?: number
}

type Figure = 'cpuUs' | 'rssReadyMb' | 'rssIdleMb' | 'rssPeakMb' | 'kbPerStream'

/** What is measured, against which ceiling, and how many times the ceiling's it may be, where that is laid down. */
export interface Row {
  readonly title: string
  readonly target: string
  readonly scenario: string
  readonly ceiling: string
  readonly figure: Figure
  readonly most?: number
}

/** A verdict on one row. */
export interface Verdict {
  readonly line: string
  /** Measured, and without an error. */
  readonly ok: boolean
  /** Whether it is what it shall be; `undefined` where nothing is laid down. */
  readonly isMet: boolean | undefined
}

const server = { target: 'gate-server', ceiling: 'ceiling-checked', figure: 'cpuUs' } as const
const merged = { target: 'gate', ceiling: 'ceiling-rewrite', figure: 'cpuUs' } as const

/** The guarded calls: each path in each era, against the ceiling that does the same work. */
export const guardedRows: readonly Row[] = [
  { ...server, title: '/mcp/{server} modern c16', scenario: 'modern', most: 1.15 },
  { ...server, title: '/mcp/{server} legacy c16', scenario: 'c16', most: 1.15 },
  { ...merged, title: '/mcp modern c16', scenario: 'modern', most: 1.25 },
  { ...merged, title: '/mcp legacy c16', scenario: 'c16', most: 1.25 },
]

/** Everything that is compared. */
export const rows: readonly Row[] = [
  ...guardedRows,
  { ...server, title: '/mcp/{server} legacy c1', scenario: 'c1' },
  { ...server, title: '10 KB answers, modern', scenario: 'modern-10k', most: 1.15 },
  { ...server, title: '10 KB answers, legacy', scenario: '10k', most: 1.15 },
  { ...server, title: '1 MB answers, modern', scenario: 'modern-1m', most: 1.15 },
  { ...server, title: '1 MB answers, legacy', scenario: '1m', most: 1.15 },
  { ...server, title: '1 MB answers, modern, memory', scenario: 'modern-1m', figure: 'rssPeakMb', most: 1.3 },
  { ...server, title: '1 MB answers, legacy, memory', scenario: '1m', figure: 'rssPeakMb', most: 1.3 },
  { ...server, title: '1 MB requests, legacy', scenario: 'up1m' },
  { ...server, title: 'answers as events, modern', scenario: 'modern-sse', most: 1.25 },
  { ...server, title: 'answers as events, legacy', scenario: 'sse', most: 1.25 },
  { ...server, title: 'tools/list of 20, modern', scenario: 'modern-list', most: 1 },
  { ...server, title: 'tools/list of 20, legacy', scenario: 'list', most: 1 },
  { ...server, title: 'an idle stream, modern', scenario: 'modern-idle', figure: 'kbPerStream', most: 2 },
  { ...server, title: 'an idle stream, legacy', scenario: 'idle', figure: 'kbPerStream', most: 2 },
]

/** What several workers cost, beside one process. */
export const workerRows: readonly Row[] = [
  { ...server, title: '/mcp/{server} modern c16, workers', target: 'gate-workers', scenario: 'modern', most: 1.5 },
  { ...server, title: '/mcp/{server} legacy c16, workers', target: 'gate-workers', scenario: 'c16', most: 1.5 },
]

/** The scenarios in which a target is one side of a row: to measure more of it says nothing. */
export function scenariosOf(name: string): string[] {
  const sided = [...rows, ...workerRows].filter(({ target, ceiling }) => target === name || ceiling === name)
  return [...new Set(sided.map(({ scenario }) => scenario))]
}

/** What the gate's process may hold after its start, in MB. */
const RESIDENT_MOST = 170

/** Reads the harness's results: one JSON object a line. */
export function parseRecords(text: string): BenchRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): BenchRecord => JSON.parse(line))
}

/** Whether both sides of a row were to be measured at all. */
export function isMeasured({ target, ceiling, scenario }: Row, records: readonly BenchRecord[]): boolean {
  const has = (name: string) =>
    records.some((record) => record.target === name && (record.scenario === scenario || record.failed !== undefined))
  return has(target) && has(ceiling)
}

/** Compares a figure with the ceiling's, medians over the rounds of one run and the same era. */
export function judgeRow(
  { title, target, scenario, ceiling, figure, most }: Row,
  records: readonly BenchRecord[],
): Verdict {
  const ofTarget = (name: string) => records.filter((record) => record.target === name && record.scenario === scenario)
  const own = ofTarget(target)
  const ratio = medianOf(own, figure) / medianOf(ofTarget(ceiling), figure)
  if (!Number.isFinite(ratio)) return { line: `bench ${title}: not measured`, ok: false, isMet: false }
  const isMet = most === undefined ? undefined : Number(ratio.toFixed(2)) <= most
  const line = `bench ${title}: ${ratio.toFixed(2)} x ${ceiling}, ${troubleOf(own)}, ${atMost(`${most} x`, isMet)}`
  return { line, ok: !hasTrouble(own), isMet }
}

/**
 * Says what the gate's own process holds after its start, and once a first user has signed in: the most of all starts
 * of the run.
 */
export function judgeMemory(records: readonly BenchRecord[]): Verdict {
  const targets = new Set(guardedRows.map(({ target }) => target))
  const starts = records.filter(({ target, scenario }) => scenario === 'start' && targets.has(target))
  const most = Math.max(...valuesOf(starts, 'rssReadyMb'))
  const used = Math.max(...valuesOf(starts, 'rssIdleMb'))
  if (!Number.isFinite(most)) return { line: 'bench resident: not measured', ok: false, isMet: false }
  const isMet = Math.round(most) <= RESIDENT_MOST
  const held = `${Math.round(most)} MB after start, ${Math.round(used)} MB after a first sign-in`
  return { line: `bench resident: ${held}, ${atMost(`${RESIDENT_MOST} MB`, isMet)}`, ok: true, isMet }
}

function atMost(limit: string, isMet: boolean | undefined): string {
  if (isMet === undefined) return 'no target'
  return `at most ${limit}: ${isMet ? 'met' : 'missed'}`
}

/** Answers that were missing, late or wrong; or streams that were not open. */
function troubleOf(records: readonly BenchRecord[]): string {
  if (!records.some(({ asked }) => asked !== undefined)) return `${errorsOf(records)} errors`
  const fewest = Math.min(...records.map(({ opened = 0 }) => opened))
  return `${fewest} of ${records[0]?.asked} streams`
}

function hasTrouble(records: readonly BenchRecord[]): boolean {
  return errorsOf(records) > 0 || records.some(({ asked, opened = 0 }) => asked !== undefined && opened < asked)
}

function errorsOf(records: readonly BenchRecord[]): number {
  return records.reduce((sum, { errors = 0 }) => sum + errors, 0)
}

function medianOf(records: readonly BenchRecord[], figure: Figure): number {
  const sorted = valuesOf(records, figure).sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function valuesOf(records: readonly BenchRecord[], figure: Figure): number[] {
  return records.flatMap((record) => (record.failed === undefined ? (record[figure] ?? []) : []))
}
