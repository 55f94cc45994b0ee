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
  /** Resident memory two seconds after the start, in MB of 2^20 bytes; with scenario `start`. */
  readonly rssIdleMb?: number
}

/** A row of guarded calls: what is measured, and against which ceiling. */
export interface GuardedRow {
  readonly title: string
  readonly target: string
  readonly scenario: string
  readonly ceiling: string
}

/** A verdict on one row. */
export interface Verdict {
  readonly line: string
  /** Measured, and without an error. */
  readonly ok: boolean
}

/** The four rows that have a target: each path in each era, against the ceiling that does the same work. */
export const guardedRows: readonly GuardedRow[] = [
  { title: '/mcp/{server} modern c16', target: 'gate-server', scenario: 'modern', ceiling: 'ceiling-checked' },
  { title: '/mcp/{server} legacy c16', target: 'gate-server', scenario: 'c16', ceiling: 'ceiling-checked' },
  { title: '/mcp modern c16', target: 'gate', scenario: 'modern', ceiling: 'ceiling-rewrite' },
  { title: '/mcp legacy c16', target: 'gate', scenario: 'c16', ceiling: 'ceiling-rewrite' },
]

/** Reads the harness's results: one JSON object a line. */
export function parseRecords(text: string): BenchRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): BenchRecord => JSON.parse(line))
}

/** Compares the CPU time per request with the ceiling's, medians over the rounds of one run and the same era. */
export function judgeRow({ title, target, scenario, ceiling }: GuardedRow, records: readonly BenchRecord[]): Verdict {
  const ofTarget = (name: string) => records.filter((record) => record.target === name && record.scenario === scenario)
  const ratio = medianOf(ofTarget(target), 'cpuUs') / medianOf(ofTarget(ceiling), 'cpuUs')
  const errors = ofTarget(target).reduce((sum, record) => sum + (record.errors ?? 0), 0)
  if (!Number.isFinite(ratio)) return { line: `bench ${title}: not measured`, ok: false }
  return { line: `bench ${title}: ${ratio.toFixed(2)} x ${ceiling}, ${errors} errors`, ok: errors === 0 }
}

/** Says what the gate's own process holds after its start: the most of all starts of the run. */
export function judgeMemory(records: readonly BenchRecord[]): Verdict {
  const targets = new Set(guardedRows.map(({ target }) => target))
  const starts = records.filter(({ target, scenario }) => scenario === 'start' && targets.has(target))
  const most = Math.max(...valuesOf(starts, 'rssIdleMb'))
  if (!Number.isFinite(most)) return { line: 'bench resident: not measured', ok: false }
  return { line: `bench resident: ${Math.round(most)} MB after start`, ok: true }
}

function medianOf(records: readonly BenchRecord[], figure: 'cpuUs' | 'rssIdleMb'): number {
  const sorted = valuesOf(records, figure).sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function valuesOf(records: readonly BenchRecord[], figure: 'cpuUs' | 'rssIdleMb'): number[] {
  return records.flatMap((record) => (record.failed === undefined ? (record[figure] ?? []) : []))
}
