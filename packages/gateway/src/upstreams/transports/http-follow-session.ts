import { problem } from '../../base/problem.ts'
import type { FollowPlan } from '../era.ts'
import type { Caller, Interests } from '../transport.ts'
import { holderOf, NOTHING, type Group } from './http-group.ts'
import type { Hearing } from './http-hearing.ts'
import { streamHeaders, type Link, type Route } from './http-link.ts'
import type { Links } from './http-links.ts'
import { isDone, type Speech, type Way } from './http-speech.ts'
import { openStream, type Stream, type StreamEnd } from './http-stream.ts'

export interface FollowNeeds {
  readonly upstream: string
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
  readonly links: Pick<Links, 'renew' | 'openAlone'>
  readonly speech: Speech
  readonly hearing: Hearing
  readonly clock: { now(): number }
  routeFor(caller: Caller): Route
  /** Told that a stream which was open has ended. */
  onLost(group: Group, end: StreamEnd): void
}

type SessionPlan = Extract<FollowPlan, { readonly kind: 'session' }>

/** What an upstream tells from now on; `again` where that must be asked of another link. */
export type Followed = Interests | 'again'

/** How long the headers of a stream are waited for: some servers send them with the first event only. */
const OPEN_MS = 2_000
const PING = { method: 'ping', params: '{}' }

/**
 * Makes the stream of a session, and the subscriptions in it, what a group wants.
 *
 * @returns a function that throws {Problem} `upstream.*`
 * @see MCP 2025-11-25, basic/transports#listening-for-messages-from-the-server
 */
export function createSessionFollower(needs: FollowNeeds) {
  const { upstream: server, settings, links, speech, hearing, clock, routeFor } = needs

  /** Ends with the stream open, or with what came instead. */
  async function open(group: Group, way: Way): Promise<StreamEnd | 'open' | 'again'> {
    const { streams, path } = way.route
    const opened = Promise.withResolvers<StreamEnd | 'open'>()
    const headers = streamHeaders(way.route, way.link, group.lastId)
    let isOpen = false
    let isLost = false
    const consider = () => {
      isOpen = true
      opened.resolve('open')
    }
    const stream: Stream = openStream(
      streams,
      { method: 'GET', path, headers, body: null, eventBytes: settings.answerBytes },
      {
        onOpen: consider,
        onMessage: (data) => hear(group, way, data),
        onEnd(end) {
          if (group.stream !== stream) return
          group.stream = undefined
          isLost = isOpen
          if (isOpen) needs.onLost(group, end)
          else opened.resolve(end)
        },
      },
    )
    group.stream = stream
    group.openedAt = clock.now()
    const timer = setTimeout(consider, OPEN_MS)
    const word = await opened.promise.finally(() => clearTimeout(timer))
    // Not where it was lost already: it is asked for again when that is due.
    const isReplaced = group.stream !== stream && !isLost
    return word === 'open' && isReplaced ? 'again' : word
  }

  function hear(group: Group, way: Way, data: Buffer): void {
    const message = hearing.read(data)
    if (message?.kind === 'request') hearing.request(group, way, message)
    else if (message) hearing.notification(group, message, way.link)
  }

  /** What it means that a server has answered with something else than a stream. */
  async function judge(group: Group, way: Way, end: StreamEnd): Promise<'again' | 'silent'> {
    if (end.kind === 'lost') throw problem('upstream.unreachable', { server })
    const { status } = end
    if (status === 401 || status === 403) throw problem('upstream.refused', { server, upstreamStatus: status })
    if (status === 429 || status >= 500) throw problem('upstream.busy', { server, upstreamStatus: status })
    if (group.lastId !== undefined) {
      group.lastId = undefined
      group.isMissing = true
      return 'again'
    }
    if (status === 409) return goAlone(group, way)
    if (status !== 404 && status !== 400) return 'silent'
    return (await isKnown(way)) ? 'silent' : renew(group, way.link)
  }

  /**
   * Another process listens in this session already, and a server may have one stream in each. A client's own session
   * cannot be had twice: there the other stream is one that has gone, or is about to.
   */
  async function goAlone(group: Group, { link }: Way): Promise<'again'> {
    if (group.client.session !== undefined || group.isAlone) {
      throw problem('upstream.busy', { server, upstreamStatus: 409 })
    }
    return replace(group, link, true)
  }

  /** Servers without such a stream answer 404 too. */
  async function isKnown(way: Way): Promise<boolean> {
    return way.link.sessionId === undefined || (await speech.request(way, PING)).kind !== 'status'
  }

  function renew(group: Group, link: Link): Promise<'again'> {
    return replace(group, link, group.isAlone)
  }

  async function replace(group: Group, lost: Link, alone: boolean): Promise<'again'> {
    const holder = holderOf(group, routeFor)
    const link = alone ? await links.openAlone(holder) : await links.renew(holder, lost)
    group.subscribed.clear()
    group.refused.clear()
    group.link = link
    group.isAlone = alone && link !== undefined
    return 'again'
  }

  async function settle(group: Group, way: Way, plan: SessionPlan, wanted: Interests): Promise<'again' | undefined> {
    const { subscribed, refused } = group
    for (const uri of subscribed) {
      if (wanted.uris.has(uri)) continue
      subscribed.delete(uri)
      await speech.request(way, plan.unsubscribe(uri))
      if (group.link !== way.link) return 'again'
    }
    for (const uri of wanted.uris) {
      if (subscribed.has(uri) || refused.has(uri)) continue
      const reply = await speech.request(way, plan.subscribe(uri))
      // What was subscribed to in one session is not in another.
      if (group.link !== way.link) return 'again'
      if (reply.kind === 'status') return renew(group, way.link)
      const taken = isDone(reply) ? subscribed : refused
      taken.add(uri)
    }
    return undefined
  }

  return {
    async follow(group: Group, link: Link, plan: SessionPlan, wanted: Interests): Promise<Followed> {
      const way = { route: routeFor(group.caller), link }
      const isResting = group.timer !== undefined
      if (!group.stream && !group.isSilent && !isResting) {
        const word = await open(group, way)
        const meaning = typeof word === 'string' ? word : await judge(group, way, word)
        if (meaning === 'again') return 'again'
        group.isSilent = meaning === 'silent'
      }
      if (group.isSilent) return NOTHING
      const { listeners, client } = group
      await speech.ensureLevel(way, { ...client, logLevel: listeners.level() })
      if ((await settle(group, way, plan, wanted)) === 'again') return 'again'
      return { lists: wanted.lists, uris: new Set([...wanted.uris].filter((uri) => group.subscribed.has(uri))) }
    },
    /** Gives up what was subscribed to, since nobody is left. Never rejects. */
    async leave(group: Group, link: Link, plan: SessionPlan): Promise<void> {
      const way = { route: routeFor(group.caller), link }
      if (group.isAlone) return speech.end(way)
      const left = settle(group, way, plan, NOTHING)
      await left.catch(() => {})
    },
  }
}
