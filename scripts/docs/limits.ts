import type { ErrorRow } from '../../packages/gateway/src/base/error-row.ts'
import { errors } from '../../packages/gateway/src/base/errors.ts'
import { configJsonSchema } from '../../packages/gateway/src/config/schema.ts'
import type { metricsTable } from '../../packages/gateway/src/telemetry/metrics.ts'
import { code, heading, table } from './markdown.ts'
import { queueRows } from './queues.ts'

type Schema = ReturnType<typeof configJsonSchema>

/** The sections of the configuration whose settings bound something. */
const SECTIONS = ['limits', 'timeouts', 'stdio']

/** Every limit that is a setting: what it bounds, and how it shows that it was reached. */
export function limitsPage(): string {
  const intro =
    'Every limit below is a key of `sekisho.jsonc`. Where one is reached, the request, the answer or the connection that ' +
    'went too far is refused or ended, nothing else is, and a metric counts it: `sekisho_refused_total` under the name of the ' +
    'setting, where no other is named. Where a gauge stands beside it, that tells how near the limit is. ' +
    'Health checks are answered whatever other request is refused, on every connection that is taken. How deep JSON is nested has no limit, since it is read without ' +
    'recursion; only a configuration may not be deeper than 64.'
  const { properties = {} } = configJsonSchema()
  const rows = SECTIONS.flatMap((name) => rowsOf(name, properties[name]))
  const settings =
    heading('Limits', intro) + table(['Setting', 'Default', 'What it bounds', 'Answered with', 'Metric'], rows)
  return settings + QUEUES + table(['What waits', 'How much of it', 'And then'], queueRows())
}

const QUEUES = `
## Queues

Nothing waits without end. A bound that is no setting holds for the one server, stream, tenant or process it is about.

`

function rowsOf(path: string, schema: Schema | boolean | undefined): string[][] {
  if (typeof schema !== 'object') return []
  if (schema.properties === undefined)
    return [[code(path), code(String(schema.default)), schema.description ?? '', answersFor(path), metricOf(path)]]
  return Object.entries(schema.properties).flatMap(([key, value]) => rowsOf(`${path}.${key}`, value))
}

/** An endpoint has a limit of its own, and all of them one error. */
function answersFor(path: string): string {
  const found = Object.entries<ErrorRow>(errors).filter(
    ([, { limit }]) => limit !== undefined && (path === limit || path.startsWith(`${limit}.`)),
  )
  const links = found.map(([name, { status }]) => `[${name}](errors.md#${name.replace('.', '')}) (${status})`)
  return links.length > 0 ? links.join(', ') : (ENDED[path] ?? '')
}

/** What is not answered at all, and those that share an error with another setting. */
const OVERLOADED = '[gate.overloaded](errors.md#gateoverloaded) (503)'
const ENDED: Readonly<Record<string, string>> = {
  'limits.connections': 'the connection is closed',
  'limits.connectionsPerAddress': 'the connection is closed',
  'limits.pipelined': 'the connection is closed',
  'limits.streams': OVERLOADED,
  'limits.requestsWaiting': OVERLOADED,
  'limits.waitMs': OVERLOADED,
  'limits.loopDelayMs': OVERLOADED,
  'limits.heapPercent': OVERLOADED,
  'timeouts.headersMs': '[request.timeout](errors.md#requesttimeout) (408)',
  'timeouts.listMs': 'the list as it was last known',
  'timeouts.drainMs': 'what is under way is given up',
  'stdio.maxChildrenPerUser': '[upstream.capacity](errors.md#upstreamcapacity) (503)',
  'stdio.idleMs': 'the server is ended until it is called',
  'stdio.logBytes': 'the oldest is forgotten',
}

/** Where it shows that a limit was reached; every metric that is named is one of the table. */
function metricOf(path: string): string {
  if (path === 'stdio.logBytes') return 'none: `sekisho logs` shows what is left'
  const counted = COUNTED[path] ?? { metric: 'sekisho_refused_total', label: `limit="${path}"` }
  const gauge = GAUGES[path]
  return [show(counted), ...(gauge === undefined ? [] : [show({ metric: gauge })])].join(', ')
}

interface Shown {
  readonly metric: keyof typeof metricsTable
  readonly label?: string
}

const show = ({ metric, label }: Shown): string => code(label === undefined ? metric : `${metric}{${label}}`)

/** Limits at which something else is counted than a refusal. */
const COUNTED: Readonly<Record<string, Shown>> = {
  'timeouts.drainMs': { metric: 'sekisho_errors_total', label: 'code="gate.stopping"' },
}

/** How near a limit is. */
const GAUGES: Readonly<Record<string, keyof typeof metricsTable>> = {
  'limits.concurrentCalls': 'sekisho_calls_in_flight',
  'limits.connections': 'sekisho_connections',
  'limits.requestsInFlight': 'sekisho_requests_in_flight',
  'limits.streams': 'sekisho_streams',
  'limits.requestsWaiting': 'sekisho_requests_waiting',
  'limits.loopDelayMs': 'sekisho_event_loop_delay_seconds',
  'stdio.maxChildren': 'sekisho_children',
}
