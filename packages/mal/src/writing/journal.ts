import { MalProblem } from '../api/problem.ts'
import type { AccountStorage, Json } from '../storage/storage.ts'
import { packItems, unpackItems, type Item } from './item.ts'
import { Operation } from './operation.ts'

/** How long a plan can be carried out after it was shown. */
export const PLAN_MS = 3_600_000
/** So many operations can be undone. */
const OPERATIONS_MOST = 100
const PLANS_MOST = 20
/** Items that are kept in one document, which is what is written for each of them. */
const CHUNK = 25
/** Whoever has not been heard of for this long is taken for dead. */
export const LEASE_MS = 10_000

const OPERATIONS = 'operations'
const ITEMS = 'operation_items'

/** An operation in the hands of one process. */
export interface Held {
  readonly operation: Operation
  /** As it was before it was taken. */
  readonly before: Operation
  readonly items: Item[]
  /**
   * Writes down an item as it is now, durably, and with it all that were set since.
   * @throws {MalProblem} `operation_busy` where another process has taken it over
   */
  write(index: number, item: Item): Promise<void>
  /** Sets an item, to be written with the next one or at the end. */
  set(index: number, item: Item): void
  /** Says that somebody is still at it, once a third of the lease is over. @throws {MalProblem} `operation_busy` */
  renew(): Promise<void>
  /** Writes all down and lets go. @throws {MalProblem} `operation_busy` */
  release(last: Partial<Operation>): Promise<void>
}

/** What one account's operations were, are and will be. Every writing is a compare-and-set. */
export interface Journal {
  /** Keeps a plan; it makes room for it first. */
  add(plan: Pick<Operation, 'title' | 'onFailure' | 'undoes' | 'sizes'>, items: readonly Item[]): Promise<Operation>
  /** Newest first, without plans that nobody can carry out any more. */
  list(): Promise<readonly Operation[]>
  /** @throws {MalProblem} `operation_unknown` */
  require(id: string): Promise<Operation>
  items(operation: Operation): Promise<Item[]>
  /**
   * Takes an operation, so that nobody else carries it out.
   * @throws {MalProblem} `operation_unknown`, `operation_busy`
   */
  take(id: string): Promise<Held>
  /** Notes something about an operation that nobody holds; where somebody does, nothing. */
  amend(id: string, change: Partial<Operation>): Promise<void>
}

export interface JournalNeeds {
  readonly storage: AccountStorage
  now(): number
}

export function createJournal({ storage, now }: JournalNeeds): Journal {
  async function find(id: string): Promise<{ operation: Operation; version: number } | undefined> {
    const kept = await storage.find(OPERATIONS, id)
    const operation = kept && Operation.parse(kept.value)
    if (!operation || isLapsed(operation, now())) return undefined
    return { operation, version: kept.version }
  }

  async function requireKept(id: string) {
    const found = await find(id)
    if (!found) throw new MalProblem('operation_unknown', { says: `It was "${id}".` })
    return found
  }

  async function readChunks({ id, size }: Operation) {
    const chunks: { version: number; items: Item[] }[] = []
    for (let at = 0; at * CHUNK < size; at += 1) {
      const kept = await storage.find(ITEMS, chunkKey(id, at))
      if (!kept) throw new MalProblem('operation_unknown', { says: `It was "${id}".` })
      chunks.push({ version: kept.version, items: unpackItems(kept.value) })
    }
    return chunks
  }

  async function all(): Promise<Operation[]> {
    const kept = await storage.list(OPERATIONS, { limit: 2 * (OPERATIONS_MOST + PLANS_MOST) })
    return kept.map(({ value }) => Operation.parse(value))
  }

  /** Forgets lapsed plans, and the oldest of what is too much. */
  async function makeRoom(): Promise<void> {
    const kept = await all()
    const plans = kept.filter(({ state }) => state === 'planned')
    const others = kept.filter(({ state }) => state !== 'planned')
    const old = plans.filter((plan, at) => at >= PLANS_MOST - 1 || isLapsed(plan, now()))
    for (const { id, size } of [...old, ...others.slice(OPERATIONS_MOST - 1)]) {
      await storage.forget(OPERATIONS, id)
      for (let at = 0; at * CHUNK < size; at += 1) await storage.forget(ITEMS, chunkKey(id, at))
    }
  }

  return {
    async add(plan, items) {
      await makeRoom()
      for (let madeAt = now(); ; madeAt += 1) {
        const operation: Operation = { ...plan, id: idOf(madeAt), state: 'planned', madeAt, size: items.length }
        // Two plans of one moment: the second is a moment later.
        if (!(await storage.put(OPERATIONS, operation.id, toJson(operation), 0))) continue
        for (let at = 0; at * CHUNK < items.length; at += 1) {
          await storage.put(ITEMS, chunkKey(operation.id, at), packItems(items.slice(at * CHUNK, (at + 1) * CHUNK)), 0)
        }
        return operation
      }
    },
    list: async () => (await all()).filter((operation) => !isLapsed(operation, now())),
    require: async (id) => (await requireKept(id)).operation,
    items: async (operation) => (await readChunks(operation)).flatMap(({ items }) => items),
    async take(id) {
      const { operation, version } = await requireKept(id)
      if (isHeld(operation, now())) throw new MalProblem('operation_busy')
      const taken: Operation = { ...operation, state: 'running', leaseUntil: now() + LEASE_MS, stoppedBy: undefined }
      if (!(await storage.put(OPERATIONS, id, toJson(taken), version))) throw new MalProblem('operation_busy')
      return hold(
        { storage, now },
        { before: operation, operation: taken, version: version + 1 },
        await readChunks(taken),
      )
    },
    async amend(id, change) {
      const found = await find(id)
      if (!found || isHeld(found.operation, now())) return
      await storage.put(OPERATIONS, id, toJson({ ...found.operation, ...change }), found.version)
    },
  }
}

/** Whether somebody is at it now. */
export function isHeld({ state, leaseUntil = 0 }: Operation, now: number): boolean {
  return state === 'running' && leaseUntil > now
}

function hold(
  { storage, now }: JournalNeeds,
  { before, operation, version }: { before: Operation; operation: Operation; version: number },
  chunks: { version: number; items: Item[] }[],
): Held {
  const items = chunks.flatMap((chunk) => chunk.items)
  const unwritten = new Set<number>()
  let current = operation
  let currentVersion = version
  /** Writings of the operation itself follow each other: the beat and the work are two. */
  let last: Promise<unknown> = Promise.resolve()

  async function put(collection: string, key: string, value: Json, expected: number): Promise<number> {
    if (!(await storage.put(collection, key, value, expected))) throw new MalProblem('operation_busy')
    return expected + 1
  }

  async function flush(): Promise<void> {
    for (const at of [...unwritten].toSorted((a, b) => a - b)) {
      const chunk = chunks[at]
      if (!chunk) continue
      const key = chunkKey(operation.id, at)
      chunk.version = await put(ITEMS, key, packItems(items.slice(at * CHUNK, (at + 1) * CHUNK)), chunk.version)
      unwritten.delete(at)
    }
  }

  function set(index: number, item: Item): void {
    items[index] = item
    unwritten.add(Math.floor(index / CHUNK))
  }

  function update(change: Partial<Operation>): Promise<void> {
    const mine = last.then(async () => {
      current = { ...current, ...change }
      currentVersion = await put(OPERATIONS, operation.id, toJson(current), currentVersion)
    })
    last = mine.catch(() => {})
    return mine
  }

  return {
    operation,
    before,
    items,
    set,
    async write(index, item) {
      set(index, item)
      await flush()
    },
    async renew() {
      if ((current.leaseUntil ?? 0) - now() < (LEASE_MS * 2) / 3) await update({ leaseUntil: now() + LEASE_MS })
    },
    async release(end) {
      await flush()
      await update({ ...end, leaseUntil: undefined })
    },
  }
}

/** A plan that was shown too long ago is as good as none. */
function isLapsed({ state, madeAt }: Operation, now: number): boolean {
  return state === 'planned' && madeAt + PLAN_MS < now
}

/** Milliseconds since the epoch: 9 digits of base 36 last until the year 5188, so that they sort as text. */
function idOf(madeAt: number): string {
  return madeAt.toString(36).padStart(9, '0')
}

function chunkKey(id: string, at: number): string {
  return `${id}.${String(at).padStart(4, '0')}`
}

function toJson(operation: Operation): Json {
  return JSON.parse(JSON.stringify(operation))
}
