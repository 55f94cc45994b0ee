import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * The metrics table. Labels take values from short, known lists only (methods, servers of the
 * configuration, error codes): never a user, a tool of somebody else's naming or anything secret.
 */
export const metricsTable = {
  mcp_requests_total: {
    kind: 'counter',
    labels: ['method', 'server', 'outcome'],
    help: 'MCP requests answered. `outcome` is ok (an error of the server’s own is an answer too) or an error code of the gate.',
  },
  mcp_request_duration_seconds: {
    kind: 'histogram',
    labels: ['method'],
    help: 'Time from the first byte of an MCP request to the end of its answer.',
  },
  sekisho_errors_total: { kind: 'counter', labels: ['code'], help: 'Errors answered, by code of the error table.' },
  sekisho_refused_total: {
    kind: 'counter',
    labels: ['limit'],
    help: 'What was refused, ended or given up because a limit was reached, by the setting that is the limit.',
  },
  sekisho_requests_waiting: {
    kind: 'gauge',
    labels: [],
    help: 'Requests and new connections that wait for the turn of their address.',
  },
  sekisho_requests_in_flight: {
    kind: 'gauge',
    labels: [],
    help: 'HTTP requests that are being answered, streams included.',
  },
  sekisho_streams: { kind: 'gauge', labels: [], help: 'Streams that are open in which clients are told of changes.' },
  sekisho_connections: { kind: 'gauge', labels: [], help: 'Connections that are open on the gate’s own port.' },
  sekisho_event_loop_delay_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'How late the process was for its work in the last quarter of a second; of several, the one that was latest.',
  },
  sekisho_calls_in_flight: { kind: 'gauge', labels: [], help: 'MCP requests that are being answered.' },
  sekisho_children: { kind: 'gauge', labels: ['server'], help: 'Stdio servers running.' },
  sekisho_child_starts_total: { kind: 'counter', labels: ['server', 'outcome'], help: 'Starts of stdio servers.' },
  sekisho_builtin_operations_total: {
    kind: 'counter',
    labels: ['server', 'what', 'outcome'],
    help: 'What servers of our own did: calls of their tools, requests to their provider by endpoint, readings from memory (`kept`). `outcome` is ok, cached, joined, stale, asked, left, or what went wrong (throttled, token_rejected, …).',
  },
  sekisho_builtin_seconds_total: {
    kind: 'counter',
    labels: ['server', 'what', 'outcome'],
    help: 'How long that took together; divided by the number of operations it is their mean time.',
  },
  sekisho_auth_total: {
    kind: 'counter',
    labels: ['outcome'],
    help: 'Checks of API keys and access tokens: ok, missing, invalid.',
  },
  sekisho_sign_in_proofs_total: {
    kind: 'counter',
    labels: ['kind', 'outcome'],
    help: 'Proofs that people gave to sign in: password, passkey, app (a one-time code) or recovery (a recovery code). `outcome` is ok or an error code.',
  },
  sekisho_odd_total: {
    kind: 'counter',
    labels: ['what'],
    help: 'What was odd about users’ accounts, and told to them: new_place, after_failures, token_replayed, client_moved or many_refused.',
  },
  oauth_operations_total: {
    kind: 'counter',
    labels: ['operation', 'outcome'],
    help: 'Steps of OAuth, toward clients and toward providers. `outcome` is ok or an error code.',
  },
  oauth_active_sessions: {
    kind: 'gauge',
    labels: [],
    help: 'Browsers that are signed in now; not a number while the database cannot say.',
  },
} as const satisfies Record<string, MetricRow>

interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

type Table = typeof metricsTable
type Made = {
  readonly [Name in keyof Table]: Table[Name]['kind'] extends 'counter'
    ? Counter<Table[Name]['labels'][number]>
    : Table[Name]['kind'] extends 'gauge'
      ? Gauge<Table[Name]['labels'][number]>
      : Histogram<Table[Name]['labels'][number]>
}
/** Numbers on their way into a metric. */
export interface Batch {
  add(value: number): void
}

export type Metrics = Made & {
  /**
   * Collects what is counted for every call, and hands it on together, at the latest when somebody reads the metrics:
   * the same few lines run a hundred times in a row cost a tenth of what they do between other work.
   */
  batch(take: (values: Float64Array) => void): Batch
  /** Everything as Prometheus' text. */
  text(): Promise<string>
  readonly contentType: string
}

/** Makes one set of metrics; every gate has its own, so that two in one process do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const made = Object.fromEntries(
    Object.entries<MetricRow>(metricsTable).map(([name, row]) => [name, make(name, row, registry)]),
  ) as Made
  const flushes: (() => void)[] = []
  return {
    ...made,
    batch(take) {
      const { add, flush } = createBatch(take)
      flushes.push(flush)
      return { add }
    },
    text() {
      for (const flush of flushes) flush()
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

const BATCH = 64

function createBatch(take: (values: Float64Array) => void) {
  const values = new Float64Array(BATCH)
  let count = 0
  function flush(): void {
    if (count > 0) take(values.subarray(0, count))
    count = 0
  }
  function add(value: number): void {
    values[count++] = value
    if (count === BATCH) flush()
  }
  return { add, flush }
}

function make(name: string, { kind, labels, help }: MetricRow, registry: Registry) {
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  if (kind === 'counter') return new Counter(options)
  return kind === 'gauge' ? new Gauge(options) : new Histogram({ ...options, buckets: BUCKETS })
}
