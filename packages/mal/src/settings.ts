import { createApi, type Api } from '#kit/api'
import { createCache, type Cache } from '#kit/cache'
import { systemClock, type Clock } from '#kit/clock'
import { createCounters, type Counted, type Counters } from '#kit/counters'
import { createNetwork, type Fetch } from '#kit/network'
import { createQueue, type Queue, type QueueSettings } from '#kit/queue'
import { MalProblem, type MalProblemCode } from './api/problem.ts'
import { readRefusal } from './api/refusal.ts'
import type { Credentials } from './auth/credentials.ts'
import { createFailures, type Failures } from './auth/failures.ts'
import { createRotations, type Rotations } from './auth/rotations.ts'
import type { Exports } from './storage/exports.ts'
import type { MalStorage } from './storage/storage.ts'
import { parseToolsets, type Offer } from './tools/offer.ts'

export interface MalSettings {
  /** @default https://api.myanimelist.net/v2 */
  readonly apiBaseUrl?: string
  readonly clock?: Clock
  /** How requests leave; connections of its own when absent. */
  readonly fetch?: Fetch
  /** The account of calls that bring no token; without it such calls are refused. */
  readonly credentials?: Credentials
  /** What whoever runs this server may want otherwise. */
  readonly limits?: MalLimits | undefined
  /** How requests follow each other, where `limits` does not say enough. */
  readonly pace?: QueueSettings
  /** How long to wait before each further attempt. */
  readonly retryDelaysMs?: readonly number[]
  /** The deadline of one request to MyAnimeList. */
  readonly requestTimeoutMs?: number
  /** The deadline of one tool call, waiting and all pages included. */
  readonly callTimeoutMs?: number
  /** No more entries of one list are read. */
  readonly maxEntries?: number
  /** For how long answers are kept; 0 keeps none. */
  readonly keep?: Partial<KeepSettings>
  /** How much memory kept answers may take together, for all accounts. */
  readonly cacheBytes?: number
  /** Where plans, journals and snapshots are kept; without one the tools that need it say that they are off. */
  readonly storage?: MalStorage
  /** Where lists are exported to; only where this server runs on the machine of whoever calls. */
  readonly exports?: Exports
  /** Names of toolsets, or `all`: what a caller is offered who asks for nothing else. @default core */
  readonly toolsets?: Iterable<string>
  /** Whether the tools that change anything are left out, for everybody. */
  readonly readOnly?: boolean
  /** Hears how each tool call, request and reading from memory ended, and how long it took; never of whom. */
  readonly onCounted?: (counted: Omit<Counted, 'account'>) => void
  /** Hears of faults of this server; what they say is not shown to callers. */
  readonly onerror?: (error: Error) => void
}

/** What is left out is as it usually is. */
export interface MalLimits {
  /** What one account may send to MyAnimeList. @default 1 */
  readonly requestsPerSecond?: number | undefined
  /** @default 3000 */
  readonly requestsPerHour?: number | undefined
  /** @default 20000 */
  readonly requestsPerDay?: number | undefined
  /** No more entries of one list are read. @default 20000 */
  readonly maxEntries?: number | undefined
  /** How long a list is answered without asking again. @default 300 */
  readonly listCacheSeconds?: number | undefined
}

/** For how many milliseconds each kind of answer is kept. Own writes change or forget what they touch at once. */
export interface KeepSettings {
  readonly list: number
  readonly profile: number
  /** Searches and details, which show the own entry. */
  readonly work: number
  /** Rankings, seasons, suggestions. */
  readonly catalogue: number
  readonly boards: number
  readonly forum: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const keepUsually: KeepSettings = {
  list: 5 * MINUTE,
  profile: HOUR,
  work: 10 * MINUTE,
  catalogue: 6 * HOUR,
  boards: 24 * HOUR,
  forum: MINUTE,
}

/**
 * Nothing is documented; about one request a second for an account is what the community keeps to. All accounts share
 * the address of this server, and take turns.
 */
function paceOf(limits: MalLimits): QueueSettings {
  const { requestsPerSecond: perSecond = 1, requestsPerHour: perHour = 3000, requestsPerDay: perDay = 20_000 } = limits
  return {
    burst: 5,
    perSecond,
    reserve: 2,
    // What everybody may send together grows with what one may.
    together: { burst: 20, perSecond: 5 * perSecond },
    budgets: { perHour, perDay },
  }
}

function keepOf({ listCacheSeconds: seconds }: MalLimits): Partial<KeepSettings> {
  return seconds === undefined ? {} : { list: seconds * 1000 }
}

/** What every tool call of one server shares. */
export interface Mal {
  readonly api: Api
  readonly queue: Queue
  readonly cache: Cache
  readonly counters: Counters
  readonly failures: Failures
  readonly rotations: Rotations
  readonly callTimeoutMs: number
  readonly maxEntries: number
  readonly keep: KeepSettings
  readonly storage: MalStorage | undefined
  readonly exports: Exports | undefined
  readonly offer: Offer
  /** Now, in milliseconds. */
  now(): number
  readonly wait: Clock['wait']
  readonly onerror: (error: Error) => void
  close(): Promise<void>
}

/** Puts the parts together; throws when `apiBaseUrl` is nothing to send tokens to, or a toolset has no such name. */
export function createMal(settings: MalSettings): Mal {
  const { limits = {} } = settings
  const clock = settings.clock ?? systemClock
  const network = settings.fetch ? { fetch: settings.fetch, close: async () => {} } : createNetwork()
  const queue = createQueue(settings.pace ?? paceOf(limits), clock)
  const counters = createCounters(({ account: _account, ...counted }) => settings.onCounted?.(counted))
  const api = createApi<MalProblemCode>({
    baseUrl: settings.apiBaseUrl ?? 'https://api.myanimelist.net/v2',
    userAgent: 'sekisho-mal',
    fetch: network.fetch,
    queue,
    clock,
    counters,
    settings: {
      requestTimeoutMs: settings.requestTimeoutMs ?? 20_000,
      retryDelaysMs: settings.retryDelaysMs ?? [1000, 2000, 4000],
    },
    endpointOf,
    readRefusal,
    problem: (code, more) => new MalProblem(code, more),
  })
  const cache = createCache({
    clock,
    maxBytes: settings.cacheBytes ?? 64 * 1024 * 1024,
    mayBeStale: (error) => error instanceof MalProblem && whileDown.has(error.code),
    count(key, outcome) {
      const [account, kept = ''] = key.split('/')
      counters.add({ account, what: `kept ${kept}`, outcome, ms: 0 })
    },
  })
  return {
    api,
    queue,
    cache,
    counters,
    failures: createFailures(),
    rotations: createRotations(),
    callTimeoutMs: settings.callTimeoutMs ?? 120_000,
    maxEntries: settings.maxEntries ?? limits.maxEntries ?? 20_000,
    keep: { ...keepUsually, ...keepOf(limits), ...settings.keep },
    storage: settings.storage,
    exports: settings.exports,
    offer: { toolsets: parseToolsets(settings.toolsets ?? ['core']), readOnly: settings.readOnly ?? false },
    now: () => clock.now(),
    wait: (ms, signal) => clock.wait(ms, signal),
    onerror: settings.onerror ?? (() => {}),
    close: network.close,
  }
}

/** `/users/ada/animelist` is `/users/{name}/animelist`: few names, and none of anybody. */
function endpointOf(path: string): string {
  return path.replace(/^\/users\/(?!@me\b)[^/]+/, '/users/{name}').replaceAll(/\/\d+(?=\/|$)/g, '/{id}')
}

/** Failures in which an older answer is better than none. */
const whileDown: ReadonlySet<MalProblemCode> = new Set([
  'unavailable',
  'timeout',
  'unreadable',
  'throttled',
  'budget_spent',
])
