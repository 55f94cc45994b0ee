import { createMalApi, type MalApi } from './api/client.ts'
import { systemClock, type Clock } from './api/clock.ts'
import { createNetwork, type Fetch } from './api/network.ts'
import { createPace, type PaceSettings } from './api/pace.ts'
import type { Credentials } from './auth/credentials.ts'

export interface MalSettings {
  /** @default https://api.myanimelist.net/v2 */
  readonly apiBaseUrl?: string
  readonly clock?: Clock
  /** How requests leave; connections of its own when absent. */
  readonly fetch?: Fetch
  /** The account of calls that bring no token; without it such calls are refused. */
  readonly credentials?: Credentials
  readonly pace?: PaceSettings
  /** How long to wait before each further attempt. */
  readonly retryDelaysMs?: readonly number[]
  /** The deadline of one request to MyAnimeList. */
  readonly requestTimeoutMs?: number
  /** The deadline of one tool call, waiting and all pages included. */
  readonly callTimeoutMs?: number
  /** No more entries of one list are read. */
  readonly maxEntries?: number
  /** Hears of faults of this server; what they say is not shown to callers. */
  readonly onerror?: (error: Error) => void
}

/** What every tool call of one server shares. */
export interface Mal {
  readonly api: MalApi
  readonly callTimeoutMs: number
  readonly maxEntries: number
  readonly onerror: (error: Error) => void
  close(): Promise<void>
}

/** Puts the parts together; throws when `apiBaseUrl` is nothing to send tokens to. */
export function createMal(settings: MalSettings): Mal {
  const clock = settings.clock ?? systemClock
  const network = settings.fetch ? { fetch: settings.fetch, close: async () => {} } : createNetwork()
  return {
    api: createMalApi({
      apiBaseUrl: settings.apiBaseUrl ?? 'https://api.myanimelist.net/v2',
      fetch: network.fetch,
      // Nothing is documented; about one request a second is what the community keeps to.
      pace: createPace(settings.pace ?? { burst: 5, perSecond: 1 }, clock),
      clock,
      settings: {
        requestTimeoutMs: settings.requestTimeoutMs ?? 20_000,
        retryDelaysMs: settings.retryDelaysMs ?? [1000, 2000, 4000],
      },
    }),
    callTimeoutMs: settings.callTimeoutMs ?? 120_000,
    maxEntries: settings.maxEntries ?? 20_000,
    onerror: settings.onerror ?? (() => {}),
    close: network.close,
  }
}
