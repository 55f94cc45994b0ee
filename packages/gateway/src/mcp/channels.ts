import type { UpstreamId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { isRecord } from '../base/json-rpc.ts'
import type { Principal } from '../identity/principal.ts'
import { leastSevere, type ClientView, type LogLevel } from '../upstreams/client.ts'
import type { Interests, ListName, Question, Reply, Watcher, Watching, Who } from '../upstreams/transport.ts'
import { notAsked } from './bridge/askable.ts'

/** Somebody who wants to be told what happens at the servers of one endpoint. */
export interface Follower {
  readonly principal: Principal
  readonly client: ClientView
  /** The one server of `/mcp/<server>`; `undefined` for all that this user sees. */
  readonly server: UpstreamId | undefined
  /** Whether it also takes what is no change of a list or of a resource: log messages, news of tasks. */
  readonly takesAll: boolean
  /** Takes a notification, with the names and URIs of its endpoint. */
  told(message: Buffer, method: string): void
  /** Has its client answer a question; absent where the client cannot be asked. */
  ask?(question: Question): Promise<Reply>
}

/** One follower at one server. */
export interface Member {
  readonly follower: Follower
  readonly channel: Channel
  /** By the server's own URIs. */
  interests: Interests
}

/** One server that is listened to, for all clients of one user that are alike. */
interface Channel {
  readonly key: string
  /** The user and the server. */
  readonly place: string
  /** Set where it is one session's own. */
  readonly session: string | undefined
  readonly server: UpstreamId
  readonly who: Who
  readonly members: Set<Member>
  readonly watching: Watching
  /** What the server was asked for last. */
  asked: Interests
  /** What it can tell of that, once somebody wanted to know. */
  answer: Promise<Interests> | undefined
}

export interface ChannelsNeeds {
  watch(server: UpstreamId, watcher: Watcher, principal: Principal): Watching
  /** A notification of a server as the merged endpoint shows it. */
  expose(message: Buffer, method: string, server: UpstreamId): Buffer
  readonly log: Log
}

/**
 * So many sessions of one user are listened to at a server each for itself, since what a server tells may be meant for
 * one session. Beyond that they share: a thousand idle streams do not become a thousand at every server.
 */
const OWN_MOST = 8

/** The servers that are listened to, each once for many. */
export function createChannels(needs: ChannelsNeeds) {
  const all = new Map<string, Channel>()
  /** How many sessions of a user have one of their own at a server. */
  const owned = new Map<string, number>()

  /** By the session where it has a channel of its own, and else by what the client can do. */
  function placeOf(server: UpstreamId, { principal, client }: Follower) {
    const place = `${principal.tenant} ${principal.userId} ${server}`
    const shared = { place, key: `${place} ${client.capabilities}`, session: undefined }
    if (client.session === undefined) return shared
    const own = { place, key: `${place} #${client.session}`, session: client.session }
    return all.has(own.key) || (owned.get(place) ?? 0) < OWN_MOST ? own : shared
  }

  function countOwn({ place, session }: Pick<Channel, 'place' | 'session'>, by: 1 | -1): void {
    if (session === undefined) return
    const count = (owned.get(place) ?? 0) + by
    if (count > 0) owned.set(place, count)
    else owned.delete(place)
  }

  function open(server: UpstreamId, follower: Follower, interests: Interests): Channel {
    const { key, place, session } = placeOf(server, follower)
    const known = all.get(key)
    if (known) return known
    const { tenant, userId } = follower.principal
    const members = new Set<Member>()
    const watcher: Watcher = {
      client: viewOf(members, follower.client.capabilities, session),
      interests,
      notify: (message, method) => deliver(channel, message, method),
      ask: (question) => askOne(members, question),
    }
    const watching = needs.watch(server, watcher, follower.principal)
    const who = { tenant, userId }
    const channel: Channel = {
      key,
      place,
      session,
      server,
      who,
      members,
      watching,
      asked: interests,
      answer: undefined,
    }
    all.set(key, channel)
    countOwn(channel, 1)
    return channel
  }

  function deliver({ members, server }: Channel, message: Buffer, method: string): void {
    try {
      const uri = method === UPDATED ? uriOf(message) : undefined
      let exposed: Buffer | undefined
      for (const { follower, interests } of members) {
        if (!(isAbout(interests, method, uri) ?? follower.takesAll)) continue
        if (follower.server !== undefined) follower.told(message, method)
        else follower.told((exposed ??= needs.expose(message, method, server)), method)
      }
    } catch (error) {
      needs.log.warn({ server, method, error }, 'following.bad_message')
    }
  }

  return {
    get size() {
      return all.size
    },
    join(server: UpstreamId, follower: Follower, interests: Interests): Member {
      const channel = open(server, follower, interests)
      const member = { follower, channel, interests }
      channel.members.add(member)
      if (!isWithin(interests, channel.asked)) settle(channel).catch(() => {})
      return member
    },
    leave(member: Member): void {
      const { channel, interests } = member
      if (!channel.members.delete(member)) return
      if (channel.members.size === 0) {
        all.delete(channel.key)
        countOwn(channel, -1)
        channel.watching.close()
      } else if (interests.uris.size > 0) settle(channel).catch(() => {})
    },
    /** Tells all who listen to a server of it that lists of it are others now. */
    changed(server: UpstreamId, lists: readonly ListName[], who?: Who): void {
      for (const channel of all.values()) {
        if (channel.server !== server || (who && !isSameWho(channel.who, who))) continue
        for (const list of lists) deliver(channel, listChanged(list), `notifications/${list}/list_changed`)
      }
    },
  }
}

/**
 * Has the server take note of what all together want, unless it has.
 *
 * @returns what of it the server can tell.
 * @throws {Problem} `upstream.*`
 */
export function settle(channel: Channel): Promise<Interests> {
  const wanted = unionOf(channel.members)
  if (channel.answer && isSame(wanted, channel.asked)) return channel.answer
  channel.asked = wanted
  return askAgain(channel)
}

/** One after the other, and always for what is wanted by then. */
export function askAgain(channel: Channel): Promise<Interests> {
  const before = channel.answer?.catch(() => {}) ?? Promise.resolve()
  const answer = before.then(() => channel.watching.update(channel.asked))
  channel.answer = answer
  // What failed is asked for again by whoever wants to know next.
  answer.catch(() => {
    if (channel.answer === answer) channel.answer = undefined
  })
  return answer
}

/** What a server is told of the clients that share a channel. */
function viewOf(members: ReadonlySet<Member>, capabilities: string, session: string | undefined): ClientView {
  return {
    capabilities,
    session,
    get logLevel() {
      let least: LogLevel | undefined
      for (const { follower } of members) if (follower.takesAll) least = leastSevere(least, follower.client.logLevel)
      return least
    },
  }
}

/** One of them is as good as another: the one that came last is the likeliest to be there. */
function askOne(members: ReadonlySet<Member>, question: Question): Promise<Reply> {
  const last = [...members].findLast(({ follower }) => follower.ask)
  return last?.follower.ask?.(question) ?? Promise.resolve(notAsked(question))
}

const UPDATED = 'notifications/resources/updated'
const LISTS: Readonly<Record<string, ListName>> = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
}

export function listChanged(list: ListName): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`)
}

/** Whether somebody wants to be told that; `undefined` where it is about neither a list nor a resource. */
function isAbout({ lists, uris }: Interests, method: string, uri: string | undefined): boolean | undefined {
  const list = LISTS[method]
  if (list !== undefined) return lists.has(list)
  return method === UPDATED ? uri !== undefined && hasResource(uris, uri) : undefined
}

/** A server may name a part of what was subscribed to. @see MCP 2025-11-25, server/resources#subscriptions */
function hasResource(uris: ReadonlySet<string>, uri: string): boolean {
  return uris.has(uri) || uris.values().some((whole) => uri.startsWith(whole))
}

function uriOf(message: Buffer): string | undefined {
  const { params }: { params?: unknown } = JSON.parse(message.toString())
  const uri = isRecord(params) ? params['uri'] : undefined
  return typeof uri === 'string' ? uri : undefined
}

function unionOf(members: ReadonlySet<Member>): Interests {
  const lists = new Set<ListName>()
  const uris = new Set<string>()
  for (const { interests } of members) {
    for (const list of interests.lists) lists.add(list)
    for (const uri of interests.uris) uris.add(uri)
  }
  return { lists, uris }
}

function isWithin(part: Interests, whole: Interests): boolean {
  return (
    part.lists.values().every((list) => whole.lists.has(list)) && part.uris.values().every((uri) => whole.uris.has(uri))
  )
}

export function isSame(a: Interests, b: Interests): boolean {
  return a.lists.size === b.lists.size && a.uris.size === b.uris.size && isWithin(a, b)
}

function isSameWho(a: Who, b: Who): boolean {
  return a.userId === b.userId && a.tenant === b.tenant
}
