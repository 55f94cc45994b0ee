import type { Clock } from '../../base/clock.ts'
import { eventBounds, type EventBounds } from './event-bounds.ts'
import type { EventLog, Followed } from './event-log.ts'

export interface MemoryEventLogNeeds {
  readonly clock: Clock
  /** In place of the usual bounds. */
  readonly bounds?: Partial<MemoryBounds>
}

interface MemoryBounds extends EventBounds {
  /** Of all streams together. */
  readonly totalBytes: number
}

const memoryBounds: MemoryBounds = { ...eventBounds, totalBytes: 64 * 1024 * 1024 }

const SWEEP_MS = 60_000

/** Keeps the events of streams within this process, which is the one that writes them: none is ever `lost`. */
export function createMemoryEventLog({ clock, bounds }: MemoryEventLogNeeds): EventLog {
  const most = { ...memoryBounds, ...bounds }
  /** The one touched longest ago first. */
  const streams = new Map<string, Stream>()
  let total = 0
  const timer = setInterval(sweep, SWEEP_MS).unref()

  function touch(name: string, stream: Stream): void {
    stream.touchedAt = clock.now()
    streams.delete(name)
    streams.set(name, stream)
  }

  function sweep(): void {
    const old = clock.now() - most.keptMs
    for (const [name, stream] of streams) {
      if (stream.touchedAt > old) return
      forget(name, stream)
    }
  }

  /** A stream that somebody follows stays, for what is yet to come. */
  function forget(name: string, stream: Stream): void {
    while (stream.events.length > 0) dropFirst(stream)
    if (stream.followers.size === 0) streams.delete(name)
    else touch(name, stream)
  }

  function dropFirst(stream: Stream): void {
    const bytes = stream.events.shift()?.event.length ?? 0
    stream.bytes -= bytes
    total -= bytes
  }

  function makeRoom(latest: Stream): void {
    while (latest.events.length > most.events || latest.bytes > most.bytes) dropFirst(latest)
    if (total <= most.totalBytes) return
    for (const [name, stream] of streams) {
      if (total <= most.totalBytes) return
      forget(name, stream)
    }
  }

  function find(name: string): Stream | undefined {
    sweep()
    return streams.get(name)
  }

  return {
    async append(name, at, event) {
      const stream = find(name) ?? newStream()
      if (stream.finished) return
      touch(name, stream)
      stream.events.push({ at, event })
      stream.last = at
      stream.bytes += event.length
      total += event.length
      for (const follower of stream.followers) follower.take(at, event)
      makeRoom(stream)
    },
    async finish(name) {
      const stream = find(name)
      if (!stream || stream.finished) return
      stream.finished = true
      touch(name, stream)
      for (const follower of stream.followers) follower.end('finished')
    },
    async follow(name, after, take, signal) {
      if (signal.aborted) return 'aborted'
      const stream = find(name)
      if (!stream || !keepsAllAfter(after, stream)) return 'gone'
      for (const { at, event } of stream.events) if (at > after) take(at, event)
      return stream.finished ? 'finished' : followOn(stream, take, signal)
    },
    async close() {
      clearInterval(timer)
      for (const { followers } of streams.values()) for (const follower of followers) follower.end('aborted')
      streams.clear()
    },
  }
}

interface Stream {
  /** Without holes up to the last; those before the first are dropped. */
  readonly events: { readonly at: number; readonly event: Buffer }[]
  last: number
  bytes: number
  finished: boolean
  touchedAt: number
  readonly followers: Set<Follower>
}

interface Follower {
  take(at: number, event: Buffer): void
  end(how: Followed): void
}

function newStream(): Stream {
  return { events: [], last: 0, bytes: 0, finished: false, touchedAt: 0, followers: new Set() }
}

function keepsAllAfter(after: number, { events, last }: Stream): boolean {
  const first = events[0]?.at ?? Infinity
  return after >= last || first <= after + 1
}

/** Nothing more is given to one whose signal has aborted, or who threw: then its promise fails. */
function followOn({ followers }: Stream, take: Follower['take'], signal: AbortSignal): Promise<Followed> {
  const { promise, resolve, reject } = Promise.withResolvers<Followed>()
  const follower: Follower = {
    end(how) {
      followers.delete(follower)
      resolve(how)
    },
    take(at, event) {
      try {
        take(at, event)
      } catch (error) {
        followers.delete(follower)
        reject(error)
      }
    },
  }
  const abort = () => follower.end('aborted')
  followers.add(follower)
  signal.addEventListener('abort', abort, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
