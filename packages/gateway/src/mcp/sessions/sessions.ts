import type { Clock } from '../../base/clock.ts'
import type { Random, UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import type { Principal } from '../../identity/principal.ts'
import type { Storage } from '../../storage/database.ts'
import type { LogLevel } from '../../upstreams/client.ts'
import type { Who } from '../../upstreams/transport.ts'
import { createKnown, newEntry, takeOver, type Entry, type Holder } from './known.ts'
import { createSealedIds } from './sealed-id.ts'
import type { Session } from './session.ts'
import { createSessionStore, type Change } from './store.ts'
import type { Wire } from './wire.ts'

/** Who asks for a resource, and at which endpoint. */
export interface From {
  readonly principal: Principal
  readonly server: UpstreamId | undefined
}

export interface Sessions {
  /** Opens a session on what its client says in `initialize`; the value is that of the header `Mcp-Session-Id`. */
  open(principal: Principal, params: Readonly<Record<string, unknown>>, version: string): Opened
  /**
   * The session that a request comes in; at once where this process has seen it a moment ago.
   *
   * @throws {Problem} `request.session_unknown` where it is none of this user's, has ended, or is too old
   */
  find(principal: Principal, headerValue: string): Session | Promise<Session>
  /** @throws {Problem} `limit.sessions` */
  setLevel(session: Session, level: LogLevel): Promise<void>
  /** @throws {Problem} `limit.sessions`, `resource.unknown`; `upstream.*` where the server could not take note, and all is as before */
  subscribe(session: Session, uri: string, from: From): Promise<void>
  unsubscribe(session: Session, uri: string, from: From): Promise<void>
  /**
   * Ends a session for ever, in every process.
   *
   * @throws {Problem} `limit.sessions`
   */
  end(session: Session): Promise<void>
  /** What it has subscribed to, by the URIs it has for them. */
  resourcesOf(session: Session): ReadonlySet<string>
  /** When it was last used here, in milliseconds since the epoch. */
  usedAt(session: Session): number
  /** Tells somebody of what happens to a session, until the returned function is called. */
  hold(session: Session, holder: Holder): () => void
  /** Takes away what is kept of sessions that are too old to be used. */
  sweep(): Promise<void>
}

export interface Opened {
  readonly headerValue: string
  readonly session: Session
}

export interface SessionsNeeds {
  readonly storage: Pick<Storage, 'for' | 'system'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** 32 bytes that all processes of the gate know. */
  readonly key: Uint8Array
  readonly wire: Wire
  /** @throws {Problem} `resource.unknown` where no server that they see can have it */
  checkResource(uri: string, from: From): void
  /** Ends what servers keep for a session. */
  forget(session: string, who: Who): Promise<void>
  /** Of how many sessions of a user something is kept. */
  readonly keptMost: number
  /** How long what is known is believed where another process may have changed it; for ever where there is none. */
  readonly rereadMs?: number
  /** How many that nobody holds are remembered; any other is opened anew from its id. */
  readonly knownMost?: number
}

/** How long an id is good after it was made, or after the session last changed. */
const GOOD_MS = 30 * 24 * 3_600_000
const RESOURCES_MOST = 1_000
/** Each is written down, and read with the session. @see RFC 9110 §4.1, on how long a URI everybody takes */
const URI_LENGTH = 8_000

/**
 * The sessions of the older revisions. An id says by itself what was agreed on; only a log level, subscriptions and
 * the end of a session are kept in the database, and told to the other processes.
 *
 * @see MCP 2025-11-25, basic/transports#session-management
 */
export function createSessions(needs: SessionsNeeds): Sessions {
  const { clock, wire, log, keptMost, rereadMs = Infinity } = needs
  const ids = createSealedIds(needs)
  const store = createSessionStore(needs)
  const known = createKnown(needs.knownMost)
  /** By the very objects that are handed out. */
  const entries = new WeakMap<Session, Entry>()

  function keep(entry: Entry): Entry {
    const kept = known.keep(entry)
    entries.set(kept.session, kept)
    return kept
  }

  function entryOf(session: Session): Entry {
    const entry = entries.get(session)
    if (!entry) throw new TypeError('a session that was not opened here')
    return entry
  }

  function live(entry: Entry): Session {
    const now = clock.now()
    if (entry.ended || now - entry.changedAt > GOOD_MS) throw problem('request.session_unknown')
    entry.usedAt = now
    return entry.session
  }

  /** The first request of a session that this process sees. */
  async function meet(who: Who, headerValue: string): Promise<Session> {
    const sealed = ids.open(who, headerValue)
    if (!sealed) throw problem('request.session_unknown')
    const found = known.named(sealed.id)
    if (found) return live(keep(found))
    const entry = newEntry(who, headerValue, sealed)
    const row = await store.find(who, sealed.id)
    takeOver(entry, row)
    entry.ended = row?.ended ?? false
    entry.readAt = clock.now()
    return live(keep(entry))
  }

  /** A database that cannot be asked ends no session: what was known is believed for a while longer. */
  async function reread(entry: Entry): Promise<void> {
    const { changes, session, who } = entry
    try {
      const row = await store.find(who, session.id)
      // What changed meanwhile is newer, and makes the next request read again.
      if (entry.changes !== changes) return
      if (row?.ended) forget(session.id, end(entry))
      else if (takeOver(entry, row)) tellHolders(entry).catch(() => {})
    } catch (error) {
      log.warn({ session: session.id, error }, 'session.not_read')
    }
    if (entry.changes === changes) entry.readAt = clock.now()
  }

  /** @throws {Problem} `limit.sessions` where nothing is kept of a session yet, and something of too many others */
  async function makeRoom({ who, isKept }: Entry): Promise<void> {
    if (isKept) return
    if ((await store.countOf(who)) >= keptMost) throw problem('limit.sessions', { user: who.userId })
  }

  /** Every other process reads again what has been written. */
  function apply(entry: Entry, change: Partial<Pick<Entry, 'logLevel' | 'resources'>>): void {
    Object.assign(entry, change)
    entry.changes++
    entry.changedAt = clock.now()
    entry.isKept = true
    void wire.tell('changed', { ...entry.who, session: entry.session.id, ended: false })
  }

  function changeOf({ who, session: { id } }: Entry): Change {
    return { who, id, at: clock.now() }
  }

  function end(entry: Entry): Who {
    if (!entry.ended) for (const holder of entry.holders) holder.ended()
    entry.ended = true
    return entry.who
  }

  function forget(session: string, who: Who): void {
    needs.forget(session, who).catch((error: unknown) => log.warn({ session, error }, 'session.not_forgotten'))
  }

  async function unsubscribe(entry: Entry, uri: string): Promise<void> {
    await store.unsubscribe(changeOf(entry), uri)
    apply(entry, { resources: new Set([...entry.resources].filter((one) => one !== uri)) })
    // Nobody is told of it any more, whether its server takes note or not.
    await tellHolders(entry).catch(() => {})
  }

  wire.hear('changed', ({ tenant, userId, session, ended }) => {
    if (ended) forget(session, { tenant, userId })
    const entry = known.named(session)
    if (entry && ended) end(entry)
    if (!entry || ended) return
    entry.changes++
    entry.readAt = -Infinity
    if (entry.holders.size > 0) void reread(entry)
  })

  return {
    open(principal, params, version) {
      const { headerValue, facts } = ids.make(principal, params, version)
      const entry = newEntry(principal, headerValue, facts)
      entry.readAt = clock.now()
      return { headerValue, session: live(keep(entry)) }
    },
    find(principal, headerValue) {
      const entry = known.find(headerValue)
      if (!entry) return meet(principal, headerValue)
      if (!isOf(entry, principal)) throw problem('request.session_unknown')
      if (clock.now() - entry.readAt >= rereadMs) return reread(entry).then(() => live(entry))
      return live(entry)
    },
    async setLevel(session, level) {
      const entry = entryOf(session)
      await makeRoom(entry)
      await store.setLevel(changeOf(entry), level)
      apply(entry, { logLevel: level })
      // Servers that cannot be told now are told with the next call.
      await tellHolders(entry).catch(() => {})
    },
    async subscribe(session, uri, from) {
      const entry = entryOf(session)
      if (uri.length > URI_LENGTH)
        throw problem('request.params', { reason: `uri is longer than ${URI_LENGTH} characters` })
      needs.checkResource(uri, from)
      if (entry.resources.size >= RESOURCES_MOST && !entry.resources.has(uri))
        throw problem('request.params', { reason: `more than ${RESOURCES_MOST} resources are subscribed to` })
      await makeRoom(entry)
      await store.subscribe(changeOf(entry), uri)
      apply(entry, { resources: new Set([...entry.resources, uri]) })
      try {
        await tellHolders(entry)
      } catch (error) {
        await unsubscribe(entry, uri)
        throw error
      }
    },
    unsubscribe: (session, uri) => unsubscribe(entryOf(session), uri),
    async end(session) {
      const entry = entryOf(session)
      await makeRoom(entry)
      await store.end(changeOf(entry))
      forget(session.id, end(entry))
      await wire.tell('changed', { ...entry.who, session: session.id, ended: true })
    },
    resourcesOf: (session) => entryOf(session).resources,
    usedAt: (session) => entryOf(session).usedAt,
    hold: (session, holder) => known.hold(entryOf(session), holder),
    sweep: () => store.sweep(clock.now() - GOOD_MS),
  }
}

function isOf({ who }: Entry, { tenant, userId }: Who): boolean {
  return who.userId === userId && who.tenant === tenant
}

async function tellHolders({ holders }: Entry): Promise<void> {
  await Promise.all([...holders].map((holder) => holder.changed()))
}
