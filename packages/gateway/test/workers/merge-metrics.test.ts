import { expect, test } from 'vitest'
import { mergeMetrics } from '../../src/merge-metrics.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

/** What a worker would say. */
async function count(calls: Readonly<Record<string, number>>, sessions: number): Promise<string> {
  const metrics = createMetrics()
  for (const [method, times] of Object.entries(calls)) {
    metrics.mcp_requests_total.inc({ method, server: 'files', outcome: 'ok' }, times)
    metrics.mcp_request_duration_seconds.observe({ method }, 0.002)
  }
  metrics.oauth_active_sessions.set(sessions)
  return metrics.text()
}

test('what each has counted is added up; what all report of one database is not', async () => {
  const merged = mergeMetrics([await count({ ping: 2 }, NaN), await count({ ping: 3, 'tools/call': 1 }, 7)])
  const lines = merged.split('\n')
  expect(lines).toContain('mcp_requests_total{method="ping",server="files",outcome="ok"} 5')
  expect(lines).toContain('mcp_requests_total{method="tools/call",server="files",outcome="ok"} 1')
  expect(lines).toContain('mcp_request_duration_seconds_bucket{le="0.001",method="ping"} 0')
  expect(lines).toContain('mcp_request_duration_seconds_bucket{le="+Inf",method="ping"} 2')
  expect(lines).toContain('mcp_request_duration_seconds_count{method="ping"} 2')
  expect(lines).toContain('oauth_active_sessions 7')
})

test('the delay of all is that of the latest', async () => {
  const texts = [0.2, 0.7, 0.1].map((seconds) => {
    const metrics = createMetrics()
    metrics.sekisho_event_loop_delay_seconds.set(seconds)
    return metrics.text()
  })
  expect(mergeMetrics(await Promise.all(texts)).split('\n')).toContain('sekisho_event_loop_delay_seconds 0.7')
})

test('every metric stays in one piece, and is described once', async () => {
  const merged = mergeMetrics([await count({ ping: 1 }, 0), await count({ 'tools/call': 1 }, 0)])
  const names = merged
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/(?:_bucket|_sum|_count)?(?:\{.*)? [^ ]+$/, ''))
  const pieces = names.filter((name, index) => name !== names[index - 1])
  expect(pieces).toEqual([...new Set(pieces)])
  expect(merged.match(/^# HELP mcp_requests_total /gm)).toHaveLength(1)
})

test('of one process alone nothing is changed but the order of empty lines', async () => {
  const text = await count({ ping: 1 }, 3)
  const filled = (all: string) => all.split('\n').filter((line) => line !== '')
  expect(filled(mergeMetrics([text]))).toEqual(filled(text))
})
