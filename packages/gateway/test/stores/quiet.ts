import type { Log } from '../../src/base/log.ts'

/** A log that nobody reads. */
export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }
