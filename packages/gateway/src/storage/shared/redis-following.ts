import type { EventLog, Followed } from './event-log.ts'
import type { RedisBus } from './redis-bus.ts'

export interface FollowingNeeds {
  readonly bus: RedisBus
  keyOf(stream: string): string
  topicOf(stream: string): string
}

/** One who follows a stream, from the number after `last`. */
interface Follower {
  readonly stream: string
  readonly take: Parameters<EventLog['follow']>[2]
  readonly signal: AbortSignal
  last: number
  writer: string
  /** Set where the writer was found dead; what it wrote before is read once more. */
  orphaned: boolean
  /** Whether there may be something that was not read yet; where that failed, it is tried again at the next look. */
  behind: boolean | 'failed'
  wake: () => void
}

interface Entry {
  readonly at: number
  readonly writer: string
  /** None at the end of the stream. */
  readonly event: Buffer | undefined
}

const AT_ONCE = 100
const LOOK_MS = 1_000

/** Reads streams as they are written. Every follower is told of new entries, and one timer watches all the writers. */
export function createFollowing({ bus, keyOf, topicOf }: FollowingNeeds) {
  const followers = new Set<Follower>()
  const timer = setInterval(() => void look(), LOOK_MS).unref()
  let closed = false
  bus.onBack(wakeAll)

  function wakeAll(): void {
    for (const follower of followers) wake(follower)
  }

  function wake(follower: Follower): void {
    follower.behind = true
    follower.wake()
  }

  async function look(): Promise<void> {
    for (const follower of followers) {
      if (follower.behind === 'failed') wake(follower)
      if (follower.orphaned || (await mayLive(follower.writer))) continue
      follower.orphaned = true
      wake(follower)
    }
  }

  /** Nobody is given up while Redis cannot say. */
  function mayLive(writer: string): Promise<boolean> {
    return bus.isAlive(writer).catch(() => true)
  }

  async function begin(follower: Follower): Promise<Followed> {
    const [tail] = readEntries(await bus.link.send('XREVRANGE', keyOf(follower.stream), '+', '-', 'COUNT', '1'))
    if (tail === undefined) return 'gone'
    follower.writer = tail.writer
    follower.orphaned = !(await mayLive(tail.writer))
    for (;;) {
      follower.behind = false
      const how = await readOn(follower)
      if (how !== undefined) return how
      if (mayRest(follower)) await rest(follower)
    }
  }

  function mayRest({ behind, signal }: Follower): boolean {
    return behind !== true && !signal.aborted && !closed
  }

  async function readOn(follower: Follower): Promise<Followed | undefined> {
    const { orphaned, stream, signal, last } = follower
    if (signal.aborted || closed) return 'aborted'
    const entries = await read(stream, last).catch(() => 'failed' as const)
    if (entries === 'failed') return void (follower.behind = 'failed')
    for (const entry of entries) {
      const how = signal.aborted ? 'aborted' : give(follower, entry)
      if (how !== undefined) return how
    }
    if (entries.length > 0) follower.behind = true
    else if (orphaned) return 'lost'
    return undefined
  }

  async function read(stream: string, last: number): Promise<Entry[]> {
    return readEntries(await bus.link.send('XRANGE', keyOf(stream), `(${last}-0`, '+', 'COUNT', String(AT_ONCE)))
  }

  return {
    async follow(stream: string, after: number, take: Follower['take'], signal: AbortSignal): Promise<Followed> {
      if (signal.aborted) return 'aborted'
      const begun = { stream, take, signal, last: after, writer: '', orphaned: false, behind: false, wake() {} }
      const follower: Follower = begun
      const abort = () => follower.wake()
      signal.addEventListener('abort', abort, { once: true })
      // Heard before it is read, so that nothing falls in between.
      const stop = await bus.subscribe(topicOf(stream), () => wake(follower))
      followers.add(follower)
      try {
        return await begin(follower)
      } finally {
        followers.delete(follower)
        stop()
        signal.removeEventListener('abort', abort)
      }
    },
    close(): void {
      closed = true
      clearInterval(timer)
      wakeAll()
    },
  }
}

/** A hole is as bad as what is not kept any more: what came after that number cannot be given. */
function give(follower: Follower, { at, event }: Entry): Followed | undefined {
  if (event === undefined) return at <= follower.last ? 'finished' : 'gone'
  if (at !== follower.last + 1) return 'gone'
  follower.last = at
  follower.take(at, event)
  return undefined
}

function rest(follower: Follower): Promise<void> {
  return new Promise((resolve) => (follower.wake = resolve))
}

type Raw = readonly [id: Buffer, fields: readonly Buffer[]]

function readEntries(raw: readonly Raw[] | null): Entry[] {
  return (raw ?? []).map(([id, fields]) => ({
    at: Number.parseInt(id.toString(), 10),
    writer: String(fields[1]),
    event: fields[3],
  }))
}
