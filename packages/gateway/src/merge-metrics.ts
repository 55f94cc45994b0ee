/** What every process reports of the same database: one of them is as right as their sum is wrong. */
const SAME_EVERYWHERE = new Set(['oauth_active_sessions'])
/** What is as bad as in the process where it is worst. */
const WORST_COUNTS = new Set(['sekisho_event_loop_delay_seconds'])

/** One metric: what is said of it, and its series. */
interface Metric {
  readonly name: string
  readonly comments: Set<string>
  readonly series: Map<string, number>
}

/**
 * Makes one text of metrics out of those of several processes: what each has counted is added up, series by series.
 * A metric stays in one piece, as the format asks.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format Prometheus, text format}
 */
export function mergeMetrics(texts: readonly string[]): string {
  const metrics = new Map<string, Metric>()
  for (const text of texts) readInto(metrics, text)
  return Array.from(metrics.values(), show).join('\n')
}

function readInto(metrics: Map<string, Metric>, text: string): void {
  let metric: Metric | undefined
  for (const line of text.split('\n')) {
    const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1]
    if (name !== undefined) {
      metric = metrics.get(name) ?? { name, comments: new Set(), series: new Map() }
      metrics.set(name, metric)
      metric.comments.add(line)
    } else if (line !== '' && metric) add(metric, line)
  }
}

function add({ name, series }: Metric, line: string): void {
  const end = line.lastIndexOf(' ')
  const [id, value] = [line.slice(0, end), Number(line.slice(end + 1))]
  const known = series.get(id)
  if (known === undefined || Number.isNaN(known)) series.set(id, value)
  else if (WORST_COUNTS.has(name)) series.set(id, Math.max(known, value))
  else if (!SAME_EVERYWHERE.has(name)) series.set(id, known + value)
}

function show({ comments, series }: Metric): string {
  const lines = Array.from(series, ([id, value]) => `${id} ${Number.isNaN(value) ? 'Nan' : value}`)
  return [...comments, ...lines, ''].join('\n')
}
