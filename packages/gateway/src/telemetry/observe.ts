import type { Log } from '../base/log.ts'
import type { Problem } from '../base/problem.ts'
import type { Batch as Times, Metrics } from './metrics.ts'

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

interface Ended {
  readonly outcome: string
  readonly seconds: number
}

/**
 * Counts and times every MCP request. What a method, a server and an outcome have in common is looked up
 * once and kept: finding a metric by its labels costs more than counting.
 */
export function createObserver(metrics: Metrics) {
  const { mcp_requests_total: requests, mcp_request_duration_seconds: duration } = metrics
  const kept = new Map<string, Map<string, Map<string, Times>>>()

  function find(method: string, server: string, outcome: string): Times {
    const ofMethod = inner(kept, method)
    const ofServer = inner(ofMethod, server)
    const known = ofServer.get(outcome)
    if (known) return known
    const counter = requests.labels(method, server, outcome)
    const histogram = duration.labels(method)
    const times = metrics.batch((seconds) => {
      counter.inc(seconds.length)
      for (const each of seconds) histogram.observe(each)
    })
    ofServer.set(outcome, times)
    return times
  }

  return (method: string, server: string, { outcome, seconds }: Ended): void =>
    find(METHODS.has(method) ? method : 'other', server, outcome).add(seconds)
}

function inner<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const known = maps.get(key)
  if (known) return known
  const made = new Map<string, Value>()
  maps.set(key, made)
  return made
}

/** Logs and counts every failure: one of ours or of an upstream's as a warning, a client's own quietly. */
export function createFailureNote({ log, metrics }: { readonly log: Log; readonly metrics: Metrics }) {
  return (failure: Problem, requestId: string): void => {
    const { code, row } = failure
    const details = loggable(failure.details)
    metrics.sekisho_errors_total.labels(code).inc()
    const limit = row.limit === undefined ? undefined : (details['setting'] ?? row.limit)
    if (typeof limit === 'string') metrics.sekisho_refused_total.labels(limit).inc()
    if (row.status >= 500 && code !== 'request.cancelled')
      log.warn({ requestId, code, details, error: failure }, 'request.failed')
    else log.debug({ requestId, code, details }, 'request.refused')
  }
}

/** What stands in an address behind its path is often good for something: a ticket, a code. */
function loggable(details: Problem['details']): Problem['details'] {
  const { url } = details
  return typeof url === 'string' ? { ...details, url: url.replace(/[?#].*$/s, '') } : details
}
