import type { Clock } from './base/clock.ts'
import type { Random } from './base/ids.ts'
import type { Log } from './base/log.ts'
import type { LoadBuiltin } from './upstreams/transports/builtin.ts'
import type { AskPassphrase } from './vault/passphrase.ts'
import type { SystemKeyring } from './vault/system-keyring.ts'

/** What a gate takes from outside itself. */
export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The servers of ours that may run in this process, loaded when they are first called. */
  readonly builtins: Readonly<Record<string, LoadBuiltin>>
  /** The keyring of whoever runs the gate, where there may be one. */
  readonly systemKeyring?: SystemKeyring | undefined
  /** Asks whoever started the gate, where they sit at a terminal. */
  readonly askPassphrase?: AskPassphrase | undefined
  /** The PostgreSQL schema to use, where it is not the usual one. */
  readonly schema?: string | undefined
  /** The other workers of this gate on this machine, where there are any. */
  readonly siblings?: Siblings | undefined
}

/** What is told of all workers of one machine together, whichever of them is asked. */
export interface Siblings {
  /** Gives the way in which this one measures itself: Prometheus’ text. */
  measureBy(own: () => Promise<string>): void
  /** The metrics of all, this one included. */
  metrics(): Promise<string>
}
