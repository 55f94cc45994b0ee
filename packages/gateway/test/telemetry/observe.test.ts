import { expect, test } from 'vitest'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { createObserver } from '../../src/telemetry/observe.ts'

/** The values of one metric by its labels, as somebody reads them now. */
async function read(metrics: ReturnType<typeof createMetrics>, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`))
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value = ''] = /^[^{]*\{(.*)\} (.*)$/.exec(line) ?? []
      return [labels, Number(value)]
    }),
  )
}

test.each([1, 63, 64, 65, 1_000])(
  '%i requests are counted and timed to the last, whenever somebody reads',
  async (times) => {
    const metrics = createMetrics()
    const observe = createObserver(metrics)
    for (let count = 0; count < times; count++) observe('tools/call', 'up', { outcome: 'ok', seconds: 0.002 })
    observe('tools/call', 'up', { outcome: 'upstream.died', seconds: 7 })
    observe('made/up', '', { outcome: 'ok', seconds: 0.002 })
    expect(await read(metrics, 'mcp_requests_total')).toEqual({
      'method="tools/call",server="up",outcome="ok"': times,
      'method="tools/call",server="up",outcome="upstream.died"': 1,
      'method="other",server="",outcome="ok"': 1,
    })
    expect(await read(metrics, 'mcp_request_duration_seconds_count')).toEqual({
      'method="tools/call"': times + 1,
      'method="other"': 1,
    })
    expect((await read(metrics, 'mcp_request_duration_seconds_bucket'))['le="0.0025",method="tools/call"']).toBe(times)
  },
)

test('reading twice counts nothing twice', async () => {
  const metrics = createMetrics()
  createObserver(metrics)('ping', '', { outcome: 'ok', seconds: 0.1 })
  await metrics.text()
  expect(await read(metrics, 'mcp_requests_total')).toEqual({ 'method="ping",server="",outcome="ok"': 1 })
})
