import type { Log } from '../base/log.ts'
import type { Problem } from '../base/problem.ts'
import type { Metrics } from './metrics.ts'

/** Methods that are counted by name; a client can invent others without end. */
const METHODS = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
])

/** Counts and times every MCP request. */
export function createObserver({ mcp_requests_total: requests, mcp_request_duration_seconds: duration }: Metrics) {
  return (method: string, server: string, { outcome, seconds }: { outcome: string; seconds: number }): void => {
    const counted = METHODS.has(method) ? method : 'other'
    requests.labels(counted, server, outcome).inc()
    duration.labels(counted).observe(seconds)
  }
}

/** Logs and counts every failure: one of ours or of an upstream's as a warning, a client's own quietly. */
export function createFailureNote({ log, metrics }: { readonly log: Log; readonly metrics: Metrics }) {
  return (failure: Problem, requestId: string): void => {
    const { code, details, row } = failure
    metrics.sekisho_errors_total.labels(code).inc()
    if (row.status >= 500 && code !== 'request.cancelled')
      log.warn({ requestId, code, details, error: failure }, 'request.failed')
    else log.debug({ requestId, code, details }, 'request.refused')
  }
}
