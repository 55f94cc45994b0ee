/** How long something is begun in one turn of the event loop before what is under way goes on, in milliseconds. */
const TURN_MS = 5
/** How many of those who wait are begun in one turn at most. */
const STEPS = 32

/** Begins what waited; answers `false` where there was nothing to begin any more. */
export type Waiting = () => boolean

export interface TurnsNeeds {
  /** In milliseconds, and never back. */
  readonly now: () => number
  /** Does something later in this turn of the event loop or, asked for by what is done so, in the next one. */
  readonly soon: (step: () => void) => void
}

/**
 * Shares the time of the process out among addresses. What comes while there is time is begun at once; what comes
 * beyond waits, and then one of each address is begun in turn: who sends a thousand requests waits for those, and who
 * sends one waits for one of each other address.
 */
export function createTurns({ now, soon }: TurnsNeeds) {
  /** In the order in which it is their turn; none is empty. */
  const queues = new Map<string, Waiting[]>()
  /** What is still planned for this turn; 0 before anybody asked in it. */
  let steps = 0
  let endsAt = 0
  let size = 0

  function plan(): void {
    if (steps === STEPS) return
    soon(steps === 0 ? firstStep : step)
    steps++
  }

  function firstStep(): void {
    endsAt = now() + TURN_MS
    step()
  }

  /** Begins one: the next step comes when it has gone as far as it can by itself, and its time is counted. */
  function step(): void {
    while (now() < endsAt) {
      const begin = next()
      if (begin === undefined || begin()) break
    }
    steps--
    if (steps === 0) for (let count = Math.min(STEPS, size); count > 0; count--) plan()
  }

  function next(): Waiting | undefined {
    const [first] = queues
    if (first === undefined) return undefined
    const [address, queue] = first
    queues.delete(address)
    if (queue.length > 1) queues.set(address, queue)
    size--
    return queue.shift()
  }

  return {
    /** Whether something may be begun now. Asking is what begins a turn. */
    isFree(): boolean {
      if (steps === 0) {
        endsAt = now() + TURN_MS
        plan()
      }
      return size === 0 && now() < endsAt
    },
    /** Has something wait for the turn of its address. */
    wait(address: string, begin: Waiting): void {
      const queue = queues.get(address)
      if (queue === undefined) queues.set(address, [begin])
      else queue.push(begin)
      size++
      plan()
    },
    /** How many of an address wait. */
    waitingOf: (address: string): number => queues.get(address)?.length ?? 0,
    /** Counts time that is spent later in this turn, by what was begun in it. */
    spend(milliseconds: number): void {
      endsAt -= milliseconds
    },
    /** How many wait. */
    get size() {
      return size
    },
  }
}
