import { isRecord } from '../../base/json-rpc.ts'
import { createRecent } from '../../base/recent.ts'
import type { LogLevel } from '../../upstreams/client.ts'
import type { Who } from '../../upstreams/transport.ts'
import type { SealedId } from './sealed-id.ts'
import type { Session } from './session.ts'
import type { Kept } from './store.ts'

/** Somebody for whom a session is more than one request long: its stream. */
export interface Holder {
  /** The resources or the level are others now. @throws {Problem} `upstream.*` where a server could not take note */
  changed(): Promise<void>
  ended(): void
}

/** What this process knows of a session. */
export interface Entry {
  readonly headerValue: string
  readonly who: Who
  readonly session: Session
  readonly openedAt: number
  logLevel: LogLevel | undefined
  resources: ReadonlySet<string>
  changedAt: number
  /** Whether there is a row of it. */
  isKept: boolean
  ended: boolean
  /** When the database was asked last. */
  readAt: number
  usedAt: number
  /** Counts what was changed here: what was read meanwhile is older. */
  changes: number
  readonly holders: Set<Holder>
}

/** Beyond that, a session is opened anew from its id, and its row is read again. */
const KNOWN_MOST = 10_000

/** The sessions that this process knows, by their header and by their name. Those that are held stay. */
export function createKnown(most = KNOWN_MOST) {
  const byName = new Map<string, Entry>()
  const byHeader = createRecent<string, Entry>(most, drop)

  function drop(entry: Entry): void {
    if (entry.holders.size === 0 && byName.get(entry.session.id) === entry) byName.delete(entry.session.id)
  }

  return {
    get size() {
      return byName.size
    },
    find: (headerValue: string): Entry | undefined => byHeader.get(headerValue),
    named: (id: string): Entry | undefined => byName.get(id),
    /** Keeps an entry, or finds the one that was kept meanwhile: of one session there is one. */
    keep(entry: Entry): Entry {
      const kept = byName.get(entry.session.id) ?? entry
      byName.set(kept.session.id, kept)
      byHeader.set(kept.headerValue, kept)
      return kept
    },
    hold(entry: Entry, holder: Holder): () => void {
      entry.holders.add(holder)
      byName.set(entry.session.id, entry)
      return () => {
        entry.holders.delete(holder)
        if (!byHeader.has(entry.headerValue)) drop(entry)
      }
    },
  }
}

/** Makes what is known of a session from its id alone. */
export function newEntry(who: Who, headerValue: string, sealed: SealedId): Entry {
  const { id, version, capabilities, clientName, openedAt } = sealed
  const entry: Entry = {
    headerValue,
    who: { tenant: who.tenant, userId: who.userId },
    openedAt,
    logLevel: undefined,
    resources: NONE,
    changedAt: openedAt,
    isKept: false,
    ended: false,
    readAt: -Infinity,
    usedAt: 0,
    changes: 0,
    holders: new Set(),
    session: {
      id,
      principal: { tenant: who.tenant, userId: who.userId },
      version,
      clientName,
      opensAddresses: opensAddresses(capabilities),
      client: {
        capabilities,
        session: id,
        get logLevel() {
          return entry.logLevel
        },
      },
    },
  }
  return entry
}

const NONE: ReadonlySet<string> = new Set()

/** @see MCP 2025-11-25, client/elicitation#capabilities */
function opensAddresses(capabilities: string): boolean {
  const { elicitation }: { elicitation?: unknown } = JSON.parse(capabilities)
  return isRecord(elicitation) && 'url' in elicitation
}

/** Takes over what was read of a session; answers whether it is another than before. */
export function takeOver(entry: Entry, kept: Kept | undefined): boolean {
  const { logLevel, resources = NONE, changedAt = entry.openedAt } = kept ?? {}
  const isSame = logLevel === entry.logLevel && isSameSet(resources, entry.resources)
  entry.logLevel = logLevel
  entry.resources = resources
  entry.changedAt = changedAt
  entry.isKept = kept !== undefined
  return !isSame
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}
