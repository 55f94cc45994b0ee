import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import type { Principal } from '../../identity/principal.ts'
import type { StreamLimits } from '../../limits/streams.ts'
import type { EventLog } from '../../storage/shared/event-log.ts'
import type { Interests, ListName, Question, Reply } from '../../upstreams/transport.ts'
import { listChanged, type Follower } from '../channels.ts'
import { hasOwnStream, isPrimed } from '../eras/legacy-streams.ts'
import type { Following } from '../following.ts'
import { isWantedMessage } from '../messages.ts'
import type { CallStreams } from './call-streams.ts'
import { answeringStream, currentStream, hasUnread, idleSince, type Desk, type OwnStream } from './desk.ts'
import { give, isOpen, newJournal, writeHead, writePriming, type Journals } from './journal.ts'
import type { Pulse } from './pulse.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { eventId, readEventId, type createStreamIds, type Place } from './stream-ids.ts'
import type { Wire } from './wire.ts'

/** A GET of the endpoint. */
export interface StreamRequest {
  readonly request: Pick<IncomingMessage, 'headers'>
  readonly response: ServerResponse
  readonly principal: Principal
  readonly server: UpstreamId | undefined
  readonly requestId: string
}

export interface SessionStreams {
  /**
   * Answers a GET: with a stream of the session's own or, where the client was cut off, with the rest of any stream of
   * its session. Ends when the stream is open.
   *
   * @throws {Problem} `limit.streams`, `gate.overloaded`, `request.http_method`, `request.not_acceptable`, `request.session_unknown`,
   * `request.stream_unknown`
   */
  open(asked: StreamRequest): Promise<string>
  /** Writes to a session's own stream; answers `false` where it is not here, or nobody reads it. */
  send(session: string, message: Buffer): boolean
  /** Ends the streams of those who may not read them any more. */
  endOf(isMeant: (principal: Principal) => boolean): void
  /** How many sessions have one here. */
  readonly size: number
  close(): void
}

export interface SessionStreamsNeeds {
  readonly sessions: Pick<Sessions, 'find' | 'hold' | 'resourcesOf' | 'usedAt'>
  readonly following: Pick<Following, 'follow'>
  readonly calls: Pick<CallStreams, 'resume'>
  readonly events: EventLog
  readonly journals: Journals
  readonly ids: ReturnType<typeof createStreamIds>
  readonly limits: StreamLimits
  readonly pulse: Pulse
  readonly wire: Wire
  /** Asks the client of a session, on that very stream. */
  ask(session: Session, question: Question): Promise<Reply>
  readonly clock: Clock
  readonly log: Log
  /** How long a session that is not used any more is followed for, after its client was there last. */
  readonly lingerMs?: number
}

const LINGER_MS = 5 * 60_000
/** How long another process may take to let go of a stream that goes on here. */
const LET_GO_MS = 5_000
/** Clients open one; a connection that is only half dead may stand beside it for a while. */
const STREAMS_MOST = 3
const LISTS: ReadonlySet<ListName> = new Set<ListName>(['tools', 'prompts', 'resources'])

/** The streams on which clients of the older revisions are told what happens outside of their calls. */
export function createSessionStreams(needs: SessionStreamsNeeds): SessionStreams {
  const { sessions, journals, ids, pulse, wire, clock, lingerMs = LINGER_MS } = needs
  const desks = new Map<string, Desk>()

  // 1. What a GET is for.

  async function open(asked: StreamRequest): Promise<string> {
    const { sessionId, lastEventId } = readHeaders(asked.request)
    const session = await sessions.find(asked.principal, sessionId)
    if (!hasOwnStream(session.version)) throw problem('request.http_method')
    const place = lastEventId === undefined ? undefined : readEventId(lastEventId, session.id)
    if (lastEventId !== undefined && !place) throw problem('request.stream_unknown')
    if (!isOpen(asked.response)) return 'ok'
    asked.response.once('close', needs.limits.open(asked.principal))
    if (place?.requestId !== undefined) void needs.calls.resume(asked, { ...place, requestId: place.requestId })
    else if (place) await resume(asked, session, place)
    else begin(asked, session)
    return 'ok'
  }

  // 2. A new stream.

  /** Who comes anew instead of coming back has nothing of what it was told meanwhile. */
  function begin(asked: StreamRequest, session: Session): void {
    const { response, requestId } = asked
    writeHead(response, requestId)
    void wire.tell('streaming', { session: session.id })
    const desk = deskFor(asked, session)
    const isBehind = hasUnread(desk)
    addStream(desk, response)
    if (isBehind) tellMissed(desk)
  }

  function addStream(desk: Desk, response: ServerResponse): void {
    const journal = newJournal(ids.own(desk.session.id))
    const stream: OwnStream = { journal, connection: undefined, lostAt: 0, seen: 0 }
    desk.streams.push(stream)
    for (const old of desk.streams.slice(0, -STREAMS_MOST)) endStream(old)
    desk.streams = desk.streams.slice(-STREAMS_MOST)
    if (isPrimed(desk.session.version)) writePriming(response, eventId(journal.stream, 0))
    void connect(stream, response, 0)
  }

  function deskFor(asked: StreamRequest, session: Session): Desk {
    return findDesk(asked, session) ?? newDesk(asked, session)
  }

  /** There is one desk for a session: who comes by another endpoint or with another key gets one anew. */
  function findDesk({ principal, server }: StreamRequest, session: Session): Desk | undefined {
    const known = desks.get(session.id)
    if (known && known.server === server && known.principal.keyId === principal.keyId) return known
    if (known) closeDesk(known)
    return undefined
  }

  function newDesk({ principal, server }: StreamRequest, session: Session): Desk {
    makeRoom(principal)
    let level = session.client.logLevel
    const follower: Follower = {
      principal,
      client: session.client,
      server,
      takesAll: true,
      told(message, method) {
        if (method === 'notifications/message' && !isWantedMessage(message, session.client.logLevel)) return
        const stream = currentStream(desk)
        if (stream) journals.say(stream.journal, message)
      },
      ask: (question) => needs.ask(session, question),
    }
    const followed = needs.following.follow(follower, wantedBy(session))
    const release = sessions.hold(session, {
      changed() {
        if (level !== session.client.logLevel) followed.levelChanged()
        level = session.client.logLevel
        return followed.update(wantedBy(session))
      },
      ended: () => closeDesk(desk),
    })
    const desk: Desk = { session, principal, server, streams: [], followed, release }
    desks.set(session.id, desk)
    return desk
  }

  /** Whoever was gone longest looks at everything again when they come back. */
  function makeRoom({ tenant, userId }: Principal): void {
    const own = [...desks.values()].filter(({ principal: one }) => one.userId === userId && one.tenant === tenant)
    if (own.length < needs.limits.perUser) return
    const idle = own.filter((desk) => idleSince(desk) !== undefined)
    const [idlest] = idle.toSorted((a, b) => (idleSince(a) ?? 0) - (idleSince(b) ?? 0))
    if (idlest) closeDesk(idlest)
  }

  function wantedBy(session: Session): Interests {
    return { lists: LISTS, uris: sessions.resourcesOf(session) }
  }

  // 3. A stream that its client comes back to.

  async function resume(asked: StreamRequest, session: Session, place: Place): Promise<void> {
    const { response, requestId } = asked
    writeHead(response, requestId)
    const desk = findDesk(asked, session)
    const stream = desk?.streams.find(({ journal }) => journal.stream === place.stream)
    if (desk && stream) {
      const isWhole = await connect(stream, response, place.after)
      if (!isWhole) tellMissed(desk)
      return
    }
    void wire.tell('streaming', { session: session.id })
    await giveRest(response, place)
    if (!isOpen(response)) return
    const fresh = deskFor(asked, session)
    addStream(fresh, response)
    tellMissed(fresh)
  }

  /** What is kept of a stream that nobody writes here; where somebody else does, they end it now. */
  async function giveRest(response: ServerResponse, { stream, after }: Place): Promise<void> {
    const connection = { response, sent: after }
    const signal = AbortSignal.timeout(LET_GO_MS)
    try {
      await needs.events.follow(stream, after, (at, event) => give(connection, stream, at, event), signal)
    } catch (error) {
      needs.log.warn({ error }, 'stream.not_resumed')
    }
  }

  /** Nobody knows what happened meanwhile: the client looks at everything again. */
  function tellMissed(desk: Desk): void {
    const stream = currentStream(desk)
    if (!stream) return
    for (const list of LISTS) journals.say(stream.journal, listChanged(list))
    for (const uri of sessions.resourcesOf(desk.session)) journals.say(stream.journal, updated(uri))
  }

  // 4. Connections come and go.

  /** Ends when the client has all that came before; answers whether nothing of it was missing. */
  async function connect(stream: OwnStream, response: ServerResponse, sent: number): Promise<boolean> {
    const { journal } = stream
    const connection = { response, sent: Math.min(sent, journal.last), gone: new AbortController() }
    stream.connection?.gone.abort()
    stream.connection?.response.end()
    stream.connection = connection
    pulse.add(response)
    response.once('close', () => {
      connection.gone.abort()
      pulse.delete(response)
      if (stream.connection !== connection) return
      stream.connection = undefined
      stream.lostAt = clock.now()
      stream.seen = connection.sent
      journal.to = undefined
    })
    return journals.attach(journal, connection)
  }

  function endStream({ journal, connection }: OwnStream): void {
    journals.finish(journal)
    connection?.response.end()
  }

  function closeDesk(desk: Desk): void {
    if (desks.get(desk.session.id) === desk) desks.delete(desk.session.id)
    desk.followed.close()
    desk.release()
    for (const stream of desk.streams) endStream(stream)
    desk.streams = []
  }

  function closeIdle(): void {
    const before = clock.now() - lingerMs
    for (const desk of desks.values()) {
      const since = idleSince(desk)
      if (since !== undefined && Math.max(since, sessions.usedAt(desk.session)) < before) closeDesk(desk)
    }
  }

  wire.hear('streaming', ({ session }) => {
    const desk = desks.get(session)
    if (desk) closeDesk(desk)
  })
  pulse.onBeat(closeIdle)

  return {
    open,
    send(session, message) {
      const desk = desks.get(session)
      const stream = desk && answeringStream(desk, clock.now())
      if (stream) journals.say(stream.journal, message)
      return stream !== undefined
    },
    endOf(isMeant) {
      for (const desk of desks.values()) if (isMeant(desk.principal)) closeDesk(desk)
    },
    get size() {
      return desks.size
    },
    close() {
      for (const desk of desks.values()) closeDesk(desk)
    },
  }
}

/** @see MCP 2025-11-25, basic/transports#listening-for-messages-from-the-server: without a session there is no stream */
function readHeaders({ headers }: Pick<IncomingMessage, 'headers'>) {
  const { accept, 'mcp-session-id': sessionId, 'last-event-id': lastEventId } = headers
  if (typeof sessionId !== 'string') throw problem('request.http_method')
  if (accept === undefined || !EVENTS.test(accept)) throw problem('request.not_acceptable')
  return { sessionId, lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined }
}

const EVENTS = /\*\/\*|text\/(?:event-stream|\*)/i

function updated(uri: string): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } }))
}
