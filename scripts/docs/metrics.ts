import { metricsTable } from '../../packages/gateway/src/telemetry/metrics.ts'
import { code, heading, table } from './markdown.ts'

/** What `/metrics` shows. */
export function metricsPage(): string {
  const rows = Object.entries<Row>(metricsTable).map(([name, { kind, labels, help }]) => [
    code(name),
    kind,
    labels.map(code).join(', '),
    help,
  ])
  const intro =
    '`/metrics` shows these as Prometheus text. Labels take values from short, known lists only: never a user, a name of ' +
    'somebody else’s choosing or anything secret.'
  return heading('Metrics', intro) + table(['Metric', 'Kind', 'Labels', 'What it counts'], rows)
}

interface Row {
  readonly kind: string
  readonly labels: readonly string[]
  readonly help: string
}
