import type { UpstreamId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { Principal } from '../identity/principal.ts'
import type { OwnUri } from '../registry/names.ts'
import type { Interests, ListName, Who } from '../upstreams/transport.ts'
import { askAgain, createChannels, isSame, settle, type ChannelsNeeds, type Follower, type Member } from './channels.ts'

/** What somebody follows. Resources stand in it by the URIs of the follower's endpoint. */
export interface Followed {
  /**
   * Wants to be told of something else from now on.
   *
   * @throws {Problem} `upstream.*` where a server whose resources are others now could not take note
   */
  update(wanted: Interests): Promise<void>
  /** What of it the follower will be told, as far as the servers say so within a moment. */
  honoured(): Promise<Interests>
  /** The least severe log messages that its client wants are others now. */
  levelChanged(): void
  close(): void
}

export interface FollowingNeeds extends ChannelsNeeds {
  /** The servers that somebody sees: all that there are, or the one of the endpoint. */
  visible(principal: Principal, server: UpstreamId | undefined): readonly UpstreamId[]
  readUri(exposed: string): OwnUri | undefined
  /** How long a server may take to say what it can tell. */
  readonly answerMs?: number
}

export interface Following {
  follow(follower: Follower, wanted: Interests): Followed
  /** @throws {Problem} `resource.unknown` where no server of that endpoint can have it */
  checkResource(uri: string, from: Pick<Follower, 'principal' | 'server'>): void
  /** Tells whoever follows a server that lists of it are others now, for a reason that the server does not know. */
  changed(server: UpstreamId, lists: readonly ListName[], who?: Who): void
  /** How often servers are listened to. */
  readonly channels: number
}

const ANSWER_MS = 5_000

type Members = ReadonlyMap<UpstreamId, Member>
type Endpoint = Pick<Follower, 'principal' | 'server'>

/** Who is told what of which servers: of its lists, and of the resources that they subscribed to. */
export function createFollowing(needs: FollowingNeeds): Following {
  const { answerMs = ANSWER_MS } = needs
  const channels = createChannels(needs)

  function ownUri(uri: string, server: UpstreamId | undefined): OwnUri | undefined {
    return server === undefined ? needs.readUri(uri) : { server, uri }
  }

  /** What of it is for which server: the lists for all, and each resource for the one that has it. */
  function divide({ lists, uris }: Interests, { principal, server }: Endpoint): Map<UpstreamId, Interests> {
    const visible = needs.visible(principal, server)
    const parts = new Map(visible.map((id) => [id, { lists, uris: new Set<string>() }]))
    for (const uri of uris) {
      const own = ownUri(uri, server)
      if (own) parts.get(own.server)?.uris.add(own.uri)
    }
    return parts
  }

  async function update(members: Members, parts: ReadonlyMap<UpstreamId, Interests>): Promise<void> {
    const changes: Promise<unknown>[] = []
    for (const [server, member] of members) {
      const interests = parts.get(server)
      if (!interests || isSame(interests, member.interests)) continue
      member.interests = interests
      changes.push(settle(member.channel))
    }
    await within(answerMs, Promise.all(changes))
  }

  /** What the servers can tell; those that do not say so are left out. */
  async function answersOf(members: Members): Promise<ReadonlyMap<UpstreamId, Interests>> {
    const answers = new Map<UpstreamId, Interests>()
    const asked = [...members].map(async ([server, { channel }]) => {
      const answer = await within(answerMs, settle(channel)).catch(() => undefined)
      if (answer) answers.set(server, answer)
    })
    await Promise.all(asked)
    return answers
  }

  /**
   * Of its lists the gate can tell by itself where it merges several, and where a server has yet to say; a resource is
   * followed where its server says so.
   */
  async function honouredOf({ lists, uris }: Interests, { server }: Endpoint, members: Members): Promise<Interests> {
    const answers = await answersOf(members)
    const only = server === undefined ? undefined : answers.get(server)
    const isFollowed = (uri: string) => {
      const own = ownUri(uri, server)
      return own !== undefined && answers.get(own.server)?.uris.has(own.uri) === true
    }
    return {
      lists: only ? new Set([...lists].filter((list) => only.lists.has(list))) : lists,
      uris: new Set([...uris].filter(isFollowed)),
    }
  }

  return {
    follow(follower, first) {
      let wanted = first
      const parts = [...divide(first, follower)]
      const members: Members = new Map(parts.map(([id, part]) => [id, channels.join(id, follower, part)]))
      return {
        update(next) {
          wanted = next
          return update(members, divide(next, follower))
        },
        honoured: () => honouredOf(wanted, follower, members),
        levelChanged() {
          for (const { channel } of members.values()) askAgain(channel).catch(() => {})
        },
        close() {
          for (const member of members.values()) channels.leave(member)
        },
      }
    },
    checkResource(uri, { principal, server }) {
      const own = ownUri(uri, server)
      if (!own || !needs.visible(principal, server).includes(own.server)) throw problem('resource.unknown', { uri })
    },
    changed: channels.changed,
    get channels() {
      return channels.size
    },
  }
}

/** What comes of the work; `undefined` where that takes longer. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, milliseconds, undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
