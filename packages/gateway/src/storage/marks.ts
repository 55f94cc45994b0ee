import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createRecent } from '../base/recent.ts'

/** That something was used, and when. */
export interface Mark<T> {
  readonly what: T
  readonly at: number
}

export interface MarksNeeds<T> {
  readonly clock: Clock
  readonly log: Log
  /** Writes a group of marks. One that fails is logged and forgotten: the next use marks again. */
  write(marks: readonly Mark<T>[]): Promise<void>
  /** How long a mark waits for others to be written with, in milliseconds. */
  readonly every?: number
  /** A second use within this many milliseconds is not marked: the time kept is exact to that. */
  readonly precision?: number
}

/** Things whose last use is remembered; beyond that many, the one used longest ago is marked anew. */
const REMEMBERED = 10_000

/** Collects when things were last used, cheaply enough for every call, and writes it in groups. */
export function createMarks<T>({ clock, log, write, every = 50, precision = 10_000 }: MarksNeeds<T>) {
  const marked = createRecent<string, number>(REMEMBERED)
  let waiting: (Mark<T> & { readonly id: string })[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    // In one order in every process: two that lock the same rows in another one would wait for each other.
    const group = waiting.toSorted((one, other) => Number(one.id > other.id) - Number(one.id < other.id))
    waiting = []
    if (group.length > 0) writing = writing.then(() => write(group)).catch((error: unknown) => fail(error))
    return writing
  }
  function fail(error: unknown): void {
    marked.clear()
    log.warn({ error }, 'storage.marks_lost')
  }

  return {
    mark(id: string, what: T): void {
      const at = clock.now()
      if (at - (marked.get(id) ?? -Infinity) < precision) return
      marked.set(id, at)
      waiting.push({ id, what, at })
      timer ??= setTimeout(() => void flush(), every)
    },
    /** Writes what waits; ends when it, and what was being written, is durable or given up. */
    flush,
  }
}
