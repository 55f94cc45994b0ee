import { Problem } from '../../base/problem.ts'
import { createRecent } from '../../base/recent.ts'
import type { ClientView } from '../client.ts'
import { otherEra, type EraName, type Handshake } from '../era.ts'
import type { Caller, Who } from '../transport.ts'
import { clientKey, type Holder, type KeptLinks } from './http-kept.ts'
import type { Link } from './http-link.ts'
import type { OpenLink } from './http-open.ts'
import type { Speech } from './http-speech.ts'

export interface LinksNeeds {
  readonly clock: { now(): number }
  readonly kept: KeptLinks
  readonly speech: Pick<Speech, 'end' | 'ensureLevel'>
  readonly open: OpenLink
  /** Whether somebody listens on that session, though nobody calls. */
  isWatched(key: string): boolean
  /** What to say of a server that speaks neither era. */
  unsupported(caller: Caller): Promise<Problem>
  /** Told that sessions of that key go on as another link. */
  onRenewed(key: string): void
}

/** A session at the upstream, one per user and client, with the credential it was opened with. */
interface Session {
  readonly holder: Holder
  readonly token: string | undefined
  readonly link: Promise<Link | undefined>
  opened: Link | undefined
  /** Whether other processes, and later ones, go on with it. */
  kept: boolean
  usedAt: number
  touchedAt: number
}

interface Said {
  readonly handshake: Handshake
  readonly since: number
}

interface Found {
  readonly link: Link
  readonly kept: boolean
}

const SESSIONS = 20_000
const SESSION_IDLE_MS = 30 * 60_000
/** How exactly it is kept when a session was last used. */
const TOUCH_MS = 10 * 60_000
/** How long "does not speak it" is believed, and what a server says of itself: it may be updated while the gate runs. */
const BELIEVED_MS = 10 * 60_000

export type Links = ReturnType<typeof createLinks>

/**
 * Finds out which era an upstream speaks, remembers it, and keeps the sessions that the legacy era needs.
 *
 * The era is a property of the server and remembered for all; a session belongs to one user, token and client. It
 * outlives this process, and is ended only where it is of no use to anybody any more.
 *
 * @see MCP 2026-07-28, basic/versioning: a client that speaks both tries one and falls back
 */
export function createLinks(needs: LinksNeeds) {
  const { clock, kept, speech, open } = needs
  const refusedAt = new Map<EraName, number>()
  const renewing = new WeakMap<Link, Promise<Link>>()
  /** What goes on in the background, until the gate closes. */
  const pending = new Set<Promise<void>>()
  let modern: Link | undefined
  let modernSince = 0
  /** What the upstream has said of itself to each way, and so to each credential. */
  const said = new WeakMap<Holder['route'], Said>()
  const saying = new WeakMap<Holder['route'], Promise<Link | undefined>>()
  const sessions = createRecent<string, Session>(SESSIONS, letGo)
  const purging = setInterval(purge, SESSION_IDLE_MS)
  purging.unref()

  function purge(): void {
    const now = clock.now()
    for (const [key, session] of sessions.entries()) {
      if (needs.isWatched(key)) use(session)
      else if (now - session.usedAt > SESSION_IDLE_MS && sessions.delete(key)) letGo(session)
    }
  }

  /** What is kept is found again when somebody wants it. */
  function letGo(session: Session): void {
    if (!session.kept) end(session)
  }

  function end({ holder: { route }, opened }: Session): void {
    if (opened) follow(speech.end({ route, link: opened }))
  }

  function follow(work: Promise<void>): void {
    const followed = work.finally(() => pending.delete(followed))
    pending.add(followed)
  }

  /** The link, where it is there already: the usual call waits for nothing. */
  function find(caller: Caller, client: ClientView, prefer: EraName): Link | undefined {
    const era = isRefused(prefer) ? otherEra(prefer) : prefer
    return era === 'modern' ? modern : findSession(caller, client)?.opened
  }

  function findSession(caller: Caller, client: ClientView): Session | undefined {
    const known = sessions.get(keyOf(caller, client))
    if (known === undefined || known.token !== caller.token?.reveal()) return undefined
    use(known)
    return known
  }

  function use(session: Session): void {
    const now = clock.now()
    session.usedAt = now
    if (!session.kept || now - session.touchedAt <= TOUCH_MS) return
    session.touchedAt = now
    follow(kept.touch(session.holder))
  }

  async function require(holder: Holder, prefer: EraName): Promise<Link> {
    let failure: Problem | undefined
    let refused: EraName | undefined
    for (const era of [prefer, otherEra(prefer)]) {
      if (isRefused(era)) continue
      try {
        const link = await (era === 'modern' ? openModern(holder) : openSession(holder))
        // Believed of the server only where the other era works: otherwise it may have been this caller's credential.
        if (link && refused) refusedAt.set(refused, clock.now())
        if (link) return link
        refused = era
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'upstream.bad_answer') throw error
        failure ??= error
      }
    }
    refusedAt.clear()
    throw failure ?? (await needs.unsupported(holder.caller))
  }

  function isRefused(era: EraName): boolean {
    const at = refusedAt.get(era)
    return at !== undefined && clock.now() - at < BELIEVED_MS
  }

  /**
   * One link serves everybody, since each request of the modern era stands for itself. Until there is one,
   * everybody tries alone: whose credential is refused must not fail the others.
   */
  async function openModern(holder: Pick<Holder, 'route' | 'client'>): Promise<Link | undefined> {
    return modern ?? askModern(holder)
  }

  async function askModern({ route, client }: Pick<Holder, 'route' | 'client'>): Promise<Link | undefined> {
    const link = await open('modern', route, client)
    if (link === undefined) return undefined
    const now = clock.now()
    said.set(route, { handshake: link.handshake, since: now })
    if (modern === undefined || isToldToAll(modern) || isToldToAll(link) || now - modernSince >= BELIEVED_MS) {
      modern = link
      modernSince = now
    }
    return link
  }

  /** A client asks for its lists at once: one answer does for all of them. */
  function askOnce(holder: Holder): Promise<Link | undefined> {
    const { route } = holder
    const known = saying.get(route)
    if (known) return known
    const asked = askModern(holder)
      .catch(() => undefined)
      .finally(() => saying.delete(route))
    saying.set(route, asked)
    return asked
  }

  /** Such words take the place of others and give way to any newer: the server may not say so any more. */
  function isToldToAll({ handshake }: Link): boolean {
    return handshake.isPublic === true
  }

  /** What may be told to whoever comes that way. */
  function findSaid({ route }: Holder): Said | undefined {
    if (modern && isToldToAll(modern)) return { handshake: modern.handshake, since: modernSince }
    return said.get(route)
  }

  /** Where it is not answered, it is not asked again by the next. */
  function putOff({ route }: Holder, { handshake }: Said): void {
    if (handshake.isPublic === true) modernSince = clock.now()
    else said.set(route, { handshake, since: clock.now() })
  }

  function openSession(holder: Holder): Promise<Link | undefined> {
    const { caller, client } = holder
    const known = findSession(caller, client)
    if (known) return known.link
    const key = keyOf(caller, client)
    const replaced = sessions.peek(key)
    const now = clock.now()
    const opening = findOrOpen(holder)
    const session: Session = {
      holder,
      token: caller.token?.reveal(),
      link: opening.then((found) => found?.link),
      opened: undefined,
      kept: false,
      usedAt: now,
      touchedAt: now,
    }
    sessions.set(key, session)
    // Opened with another credential: nobody goes on with it.
    if (replaced) end(replaced)
    const settle = (found: Found | undefined) => {
      session.opened = found?.link
      session.kept = found?.kept ?? false
      const wanted = sessions.peek(key) === session
      if (!found && wanted) sessions.delete(key)
      if (found && !wanted) forgetSession(session)
    }
    opening.then(settle, () => settle(undefined))
    return session.link
  }

  async function findOrOpen(holder: Holder): Promise<Found | undefined> {
    const known = await kept.find(holder)
    if (known) return { link: known, kept: true }
    const own = await open('legacy', holder.route, holder.client)
    const found = own && (await kept.save(holder, own))
    if (found && found.link !== own) follow(speech.end({ route: holder.route, link: own }))
    return found
  }

  /** Ends a session for good, wherever it is known. */
  function forgetSession(session: Session): void {
    const { holder, opened } = session
    if (opened) follow(kept.drop(holder, opened))
    end(session)
  }

  async function replace(holder: Holder, lost: Link, prefer: EraName): Promise<Link> {
    const { caller, client, route } = holder
    const key = keyOf(caller, client)
    await kept.drop(holder, lost)
    // It may have meant something else by its answer, and know the session yet.
    follow(speech.end({ route, link: lost }))
    if (sessions.peek(key)?.opened?.sessionId === lost.sessionId) sessions.delete(key)
    const link = await require(holder, prefer)
    if (lost.level !== undefined) await speech.ensureLevel({ route, link }, { ...client, logLevel: lost.level })
    needs.onRenewed(key)
    return link
  }

  /** Ends the sessions in memory that are meant; answers with their ids. */
  function endAll(isMeant: (holder: Holder) => boolean): ReadonlySet<string | undefined> {
    const ended = new Set<string | undefined>()
    for (const [key, session] of sessions.entries()) {
      if (!isMeant(session.holder)) continue
      ended.add(session.opened?.sessionId)
      end(session)
      sessions.delete(key)
    }
    return ended
  }

  return {
    find,
    require,
    /** The session of that client, in memory or kept, where one is open; none is opened. */
    async findOpen(holder: Holder): Promise<Link | undefined> {
      const known = findSession(holder.caller, holder.client)
      return known ? known.link.catch(() => undefined) : kept.find(holder)
    },
    /** A session that nobody else uses, not even another process; who asks for it ends it. */
    openAlone: ({ route, client }: Holder): Promise<Link | undefined> => open('legacy', route, client),
    /**
     * Opens a session in place of one that the upstream does not know any more, with the log level that one had:
     * once, however many find it lost.
     *
     * @throws {Problem} `upstream.*`
     */
    renew(holder: Holder, lost: Link, prefer: EraName = 'legacy'): Promise<Link> {
      const known = renewing.get(lost)
      if (known) return known
      const renewed = replace(holder, lost, prefer)
      renewing.set(lost, renewed)
      renewed.catch(() => renewing.delete(lost))
      return renewed
    },
    /**
     * What the upstream says of itself; asked again where that was said long ago, or to others only.
     *
     * @see MCP 2026-07-28, server/utilities/caching: what is private is for one credential
     */
    async describe(holder: Holder, prefer: EraName): Promise<Handshake> {
      const link = find(holder.caller, holder.client, prefer) ?? (await require(holder, prefer))
      if (link.era === 'legacy') return link.handshake
      const known = findSaid(holder)
      if (known && clock.now() - known.since < BELIEVED_MS) return known.handshake
      if (known) putOff(holder, known)
      const again = await askOnce(holder)
      return (again ?? known)?.handshake ?? { ...link.handshake, instructions: undefined }
    },
    /** Finds out anew which era is spoken: the upstream may have been replaced by one that speaks only the other. */
    doubt(link: Link): void {
      if (modern === link) modern = undefined
      refusedAt.delete(otherEra(link.era))
    },
    /** Ends the sessions of one user, or of one session of theirs; `shared` is the way to those nobody here has used. */
    async forget(who: Who, session: string | undefined, shared: Holder['route'] | undefined): Promise<void> {
      const ended = endAll(
        ({ caller, client }) =>
          caller.tenant === who.tenant &&
          caller.userId === who.userId &&
          (session === undefined || client.session === session),
      )
      for (const link of await kept.dropAll(who, session)) {
        if (shared && !ended.has(link.sessionId)) follow(speech.end({ route: shared, link }))
      }
      await Promise.all(pending)
    },
    /** Ends what nobody could go on with; the other sessions go on when the gate is back. */
    async close(): Promise<void> {
      clearInterval(purging)
      for (const session of sessions.values()) letGo(session)
      sessions.clear()
      await Promise.all(pending)
    },
  }
}

/** Names what one user and client have at the upstream. */
export function keyOf({ tenant, userId }: Who, client: ClientView): string {
  return `${tenant} ${userId} ${clientKey(client)}`
}
