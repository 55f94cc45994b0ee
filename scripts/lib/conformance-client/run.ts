import { resolve } from 'node:path'
import { runSuite, type SuiteResult } from '../conformance-suite.ts'
import type { Driver } from './driver.ts'

const ADAPTER = resolve(import.meta.dirname, '../../conformance-adapter.mjs')

/** The suite begins all scenarios at once, and most of them wait for their turn first. */
const SCENARIO_MS = 180_000

/** Runs client scenarios: the suite starts the adapter for each, and the driver does what the adapter is asked for. */
export function runClient({ url }: Driver, which: readonly string[]): Promise<SuiteResult> {
  const command = `${process.execPath} ${ADAPTER}`
  return runSuite({
    args: ['client', '--command', command, '--timeout', String(SCENARIO_MS), ...which],
    env: { SEKISHO_CONFORMANCE_DRIVER: url },
  })
}
