import { CompiledQuery } from 'kysely'
import type { Clock } from '../base/clock.ts'
import type { TenantId, UserId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { problem } from '../base/problem.ts'
import type { Storage } from '../storage/database.ts'
import { genesis, link, toEntry, type Head } from './chain.ts'
import type { AuditEvent, EventKind } from './events.ts'

export interface AuditNeeds {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  /** How long an entry waits for others to be written with, in milliseconds. */
  readonly every?: number
  /** How many entries are written without waiting any longer, and at most in one statement. */
  readonly atMost?: number
  /** How many entries of one tenant may wait while the database cannot be written. */
  readonly queueLimit?: number
  /** Whether each entry is written at once; what must not be answered before it is kept, awaits `record`. */
  readonly synchronous?: boolean
}

interface Waiting {
  readonly at: number
  readonly userId: UserId | null
  readonly kind: EventKind
  readonly entry: string
}

const RETRY_MS = 1_000

/** Room left for what is already under way when new work is refused. */
const ROOM = 0.1

/**
 * Keeps what happened, in one chain of hashes per tenant, written in groups: a hard kill may lose the last
 * group, never one in the middle. Where the database cannot be written entries wait, and once too many of a
 * tenant do, {@link Audit.requireRoom} and then `record` refuse, so that nothing is done unrecorded.
 */
export function createAudit(needs: AuditNeeds) {
  const { clock, log, every = 100, atMost = 200, queueLimit = 20_000, synchronous = false } = needs
  const chains = createChains(needs.storage, atMost)
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  function flush(): Promise<void> {
    next ??= writing.then(() => {
      next = undefined
      const group = write()
      writing = group.catch(() => undefined)
      return group
    })
    return next
  }
  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    try {
      await chains.writeAll()
    } catch (error) {
      log.error({ error, waiting: chains.waiting }, 'audit.write_failed')
      timer ??= setTimeout(() => void flushNow(), RETRY_MS)
      throw error
    }
  }
  /** Whoever does not wait for the outcome may leave it: a failure is logged, and tried again. */
  function flushNow(): Promise<void> {
    const outcome = flush().catch((cause: unknown) => {
      throw problem('audit.full', { cause })
    })
    outcome.catch(() => undefined)
    return outcome
  }
  function requireLess(tenant: TenantId, limit: number): void {
    const waiting = chains.waitingOf(tenant)
    if (waiting >= limit) throw problem('audit.full', { tenant, waiting })
  }

  function record(tenant: TenantId, event: AuditEvent): Promise<void> | undefined {
    requireLess(tenant, queueLimit)
    const at = clock.now()
    chains.add(tenant, { at, userId: event.userId ?? null, kind: event.kind, entry: toEntry(at, event) })
    if (synchronous) return flushNow()
    if (chains.waiting === atMost) void flushNow()
    else timer ??= setTimeout(() => void flushNow(), every)
    return undefined
  }

  return {
    /**
     * Takes an entry. It is durable soon, or, where the log is synchronous, when the promise ends.
     *
     * @throws {Problem} `audit.full`, with which the promise rejects as well; its entry still waits to be written
     */
    record,

    /** Takes an entry of what happened by itself, for which nobody waits: where there is no room, the log says so. */
    note(tenant: TenantId, event: AuditEvent): void {
      try {
        void record(tenant, event)
      } catch (error) {
        log.error({ tenant, kind: event.kind, error }, 'audit.not_kept')
      }
    },

    /**
     * To be asked before something is done that will have to be recorded for that tenant.
     *
     * @throws {Problem} `audit.full`
     */
    requireRoom(tenant: TenantId): void {
      requireLess(tenant, queueLimit * (1 - ROOM))
    },

    /** Writes what waits. Ends when all that was recorded before is durable; throws what kept it from that. */
    flush,

    /** Writes what waits and stops trying. */
    async close(): Promise<void> {
      try {
        await flush()
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
export type Audit = ReturnType<typeof createAudit>

/** The entries that wait, and the heads of the chains they will be linked to. */
function createChains(storage: Storage, atMost: number) {
  const queues = new Map<TenantId, Waiting[]>()
  const heads = new Map<TenantId, Head>()
  /** Groups whose write failed in a way that leaves open whether it happened. */
  const unsure = new Map<TenantId, { last: Head; entries: number }>()
  const insertGroup = createInsert(storage)
  let waiting = 0

  function taken(tenant: TenantId, entries: number, head: Head): void {
    queues.get(tenant)?.splice(0, entries)
    waiting -= entries
    heads.set(tenant, head)
  }

  /** Another process may have gone on with the chain: then its end is read again and the group linked to that. */
  async function writeGroup(tenant: TenantId, group: readonly Waiting[]): Promise<void> {
    for (;;) {
      const links = chain(heads.get(tenant) ?? (await readHead(storage, tenant)), group)
      const last = links.at(-1)
      if (last === undefined) return
      try {
        await insertGroup(tenant, group, links)
        return taken(tenant, group.length, last)
      } catch (error) {
        heads.delete(tenant)
        if (storage.isConflict(error)) continue
        unsure.set(tenant, { last, entries: group.length })
        throw error
      }
    }
  }

  /** A connection can be lost after the commit and before the answer; the group is then not written twice. */
  async function settle(tenant: TenantId): Promise<void> {
    const open = unsure.get(tenant)
    if (open === undefined) return
    const row = await readHash(storage, tenant, open.last.seq)
    unsure.delete(tenant)
    if (row === open.last.hash) taken(tenant, open.entries, open.last)
  }

  async function writeQueue(tenant: TenantId, queue: readonly Waiting[]): Promise<void> {
    if (queue.length === 0) return
    await settle(tenant)
    for (let left = queue.length; left > 0; left -= atMost) {
      await writeGroup(tenant, queue.slice(0, Math.min(left, atMost)))
    }
  }

  return {
    get waiting(): number {
      return waiting
    },
    waitingOf: (tenant: TenantId): number => queues.get(tenant)?.length ?? 0,
    add(tenant: TenantId, entry: Waiting): void {
      waiting++
      const queue = queues.get(tenant)
      if (queue === undefined) queues.set(tenant, [entry])
      else queue.push(entry)
    },
    /** Writes what waits now; what comes meanwhile is for the next time. No tenant waits for the trouble of another. */
    async writeAll(): Promise<void> {
      const outcomes = await Promise.allSettled([...queues].map(([tenant, queue]) => writeQueue(tenant, queue)))
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}

function chain(head: Head, group: readonly Waiting[]): Head[] {
  const links: Head[] = []
  let previous = head
  for (const { entry } of group) links.push((previous = link(previous, entry)))
  return links
}

async function readHead(storage: Storage, tenant: TenantId): Promise<Head> {
  const last = storage.for(tenant).selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1)
  return (await last.executeTakeFirst()) ?? genesis(tenant)
}

async function readHash(storage: Storage, tenant: TenantId, seq: number): Promise<string | undefined> {
  const row = await storage.for(tenant).selectFrom('audit').select('hash').where('seq', '=', seq).executeTakeFirst()
  return row?.hash
}

/**
 * One statement per group. Its text depends only on the number of rows, and building it costs several times
 * what running it does, so it is built once per number (`bench/audit.ts`).
 */
function createInsert({ system }: Storage) {
  const texts = new Map<number, string>()

  function textFor(rows: number): string {
    const known = texts.get(rows)
    if (known !== undefined) return known
    const row = { tenant_id: '' as TenantId, seq: 0, at: 0, user_id: null, kind: '', entry: '', hash: '' }
    const { sql } = system
      .insertInto('audit')
      .values(Array.from({ length: rows }, () => row))
      .compile()
    texts.set(rows, sql)
    return sql
  }

  return async (tenant: TenantId, group: readonly Waiting[], links: readonly Head[]): Promise<void> => {
    const values: unknown[] = []
    for (const [index, { at, userId, kind, entry }] of group.entries()) {
      const head = links[index]
      if (head !== undefined) values.push(tenant, head.seq, at, userId, kind, entry, head.hash)
    }
    await system.executeQuery(CompiledQuery.raw(textFor(group.length), values))
  }
}
