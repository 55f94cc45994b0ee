import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { readArguments } from '../scripts/lib/arguments.ts'
import { createFlights, noSeat, type Flight } from '../packages/gateway/src/mcp/flights.ts'

/**
 * What keeping requests under way costs the collector: the dense list of `mcp/flights.ts` against a Map that
 * every request enters and leaves. Sixteen are under way at a time, and each holds what a request holds.
 */
const REQUESTS = 400_000
const UNDER_WAY = 16

const HELP = `What keeping requests under way costs the collector, against a Map that every request enters and leaves.

  npm run bench:flights

It takes no options.`

readArguments(HELP, {})

let collecting = 0
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collecting += duration
}).observe({ entryTypes: ['gc'] })

const open = new Map<Flight, number>()
await measure('a Map', (flight) => {
  open.set(flight, 0)
  return () => open.delete(flight)
})
const flights = createFlights()
await measure('mcp/flights.ts', (flight) => {
  flights.begin(flight)
  return () => flights.end(flight)
})
await flights.close(0)

async function measure(name: string, begin: (flight: Flight) => () => void): Promise<void> {
  collecting = 0
  const leaving: (() => void)[] = []
  for (let count = 0; count < REQUESTS; count++) {
    leaving.push(begin(request(count)))
    if (leaving.length > UNDER_WAY) leaving.shift()?.()
    if (count % 1000 === 0) await turn()
  }
  for (const leave of leaving) leave()
  await turn()
  console.log(`bench flights in ${name}: ${((collecting * 1000) / REQUESTS).toFixed(2)} µs of collecting per request`)
}

/** A request holds its message and a few functions, as the endpoint's does. */
function request(count: number): Flight {
  const message = { id: count, params: Array.from({ length: 50 }, (_, index) => `value ${index} of ${count}`) }
  return {
    flightKey: () => undefined,
    abort: () => void message.id,
    keepAlive: () => void message.params,
    seat: noSeat(),
  }
}
