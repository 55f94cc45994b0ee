import type { Random } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem, Problem } from '../../base/problem.ts'
import { PLAIN_CLIENT, type ClientView } from '../client.ts'
import type { EraName, UpstreamEras } from '../era.ts'
import type { Caller, Who } from '../transport.ts'
import { createRequestFollower } from './http-follow-request.ts'
import { createSessionFollower } from './http-follow-session.ts'
import { createGroup, holderOf, NOTHING, resetGroup, type Group } from './http-group.ts'
import { createHearing } from './http-hearing.ts'
import type { Link, Route } from './http-link.ts'
import { keyOf, type Links } from './http-links.ts'
import type { Speech } from './http-speech.ts'
import type { StreamEnd } from './http-stream.ts'

export interface GroupsNeeds {
  readonly upstream: string
  readonly eras: UpstreamEras
  readonly log: Log
  readonly clock: { now(): number }
  readonly random: Random
  readonly settings: {
    readonly answerBytes: number
    readonly startMs: number
    /** How long a stream that was lost is left alone at first: a second, where nothing else is said. */
    readonly pauseMs?: number
  }
  readonly links: Pick<Links, 'find' | 'require' | 'renew' | 'openAlone'>
  readonly speech: Speech
  routeFor(caller: Caller): Route
  /** Told of each notification, beside those who watch. */
  onNotification(method: string, who: Who): void
}

const PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** A server that wants to be asked again and again says how often; not more often than this. */
const POLL_LEAST_MS = 100
/** A stream that lasted so long was a good one: the next pause is a short one again. */
const STEADY_MS = 30_000
/** How often in a row another link may be needed. */
const ROUNDS = 4

/**
 * Keeps what groups want followed: a stream that is lost is opened again for as long as anybody watches, after growing
 * pauses, and everybody is told to look again then.
 */
export function createGroups(needs: GroupsNeeds) {
  const { upstream: server, eras, log, clock, random, settings, links, speech, routeFor } = needs
  const groups = new Map<string, Group>()
  const hearing = createHearing(needs)
  const followers = { ...needs, hearing, onLost }
  const session = createSessionFollower(followers)
  const followRequest = createRequestFollower(followers)
  const ending = new Set<Promise<void>>()
  let isClosed = false

  /** The group of a client; where the era has no sessions, all clients of a user are one. */
  function groupFor(caller: Caller, client: ClientView, era: EraName | undefined): Group {
    const isShared = era === 'modern'
    const key = isShared ? sharedKeyOf(caller) : keyOf(caller, client)
    let group = groups.get(key)
    if (!group) groups.set(key, (group = createGroup({ key, isShared, caller, client })))
    return group
  }

  function isLive(group: Group): boolean {
    return !isClosed && groups.get(group.key) === group
  }

  /** Follows what is wanted now, whatever is being followed; it ends when the upstream has taken note. */
  function refollow(group: Group): Promise<void> {
    group.next ??= followNext(group)
    return group.next
  }

  async function followNext(group: Group): Promise<void> {
    await group.running?.catch(() => {})
    // All who come at this moment are followed at once.
    await Promise.resolve()
    group.next = undefined
    group.running = run(group)
    await group.running
  }

  function followSoon(group: Group): void {
    refollow(group).catch((error: unknown) => log.debug({ server, error }, 'upstream.not_followed'))
  }

  async function run(group: Group): Promise<void> {
    if (isClosed) throw problem('gate.stopping')
    if (group.listeners.size === 0) return release(group)
    try {
      await follow(group)
    } catch (error) {
      group.isStale ||= error instanceof Problem && error.code === 'upstream.refused'
      group.isMissing ||= group.stream === undefined
      later(group)
      throw error
    }
    if (!isLive(group)) return drop(group)
    const isOpen = group.timer === undefined && !group.isSilent
    if (!group.isMissing || !isOpen) return
    group.isMissing = false
    hearing.missed(group)
  }

  async function follow(group: Group): Promise<void> {
    for (let round = 0; round < ROUNDS && isLive(group); round++) {
      if (group.isStale) await refresh(group)
      const link = group.isStale ? undefined : (group.link ?? (await findLink(group)))
      // The credential may have gone meanwhile, and with it what was found by it.
      if (link === undefined || group.isStale) continue
      if (group.isShared !== (link.era === 'modern')) return moveAll(group, link.era)
      group.link = link
      const era = eras[link.era]
      const wanted = era.honoured(group.listeners.wanted(), link.handshake)
      const plan = era.follow(wanted, PLAIN_CLIENT)
      const followed =
        plan.kind === 'session'
          ? await session.follow(group, link, plan, wanted)
          : await followRequest(group, link, plan, wanted)
      if (followed === 'again') continue
      group.honoured = followed
      return
    }
    if (isLive(group)) throw problem('upstream.died', { server })
  }

  async function findLink(group: Group): Promise<Link> {
    const { caller, client } = group
    const prefer = preferredEra(client)
    return links.find(caller, client, prefer) ?? links.require(holderOf(group, routeFor), prefer)
  }

  /** Whoever can get another credential lends it to all. */
  async function refresh(group: Group): Promise<void> {
    // Before the other one is here: that may be gone by then as well.
    group.isStale = false
    group.link = undefined
    try {
      for (const { watcher } of group.entries) {
        const caller = await watcher.renew?.()
        if (caller === undefined) continue
        group.caller = caller
        break
      }
    } catch (error) {
      group.isStale = true
      throw error
    }
  }

  /** The server was found to speak the other era, in which the same people listen together with others. */
  async function moveAll(group: Group, era: EraName): Promise<void> {
    groups.delete(group.key)
    const targets = new Set<Group>()
    for (const entry of group.entries) {
      const { watcher, caller, listener } = entry
      const target = groupFor(caller, watcher.client, era)
      entry.group = target
      entry.listener = target.listeners.add(watcher)
      entry.listener.wanted = listener.wanted
      target.entries.add(entry)
      target.isMissing ||= group.isMissing
      targets.add(target)
    }
    group.entries.clear()
    drop(group)
    await Promise.all([...targets].map(refollow))
  }

  /** Nobody is left: what the upstream does for the group is ended before anybody else may want it again. */
  async function release(group: Group): Promise<void> {
    const { link, stream } = group
    group.stream = undefined
    stream?.close()
    const plan = link && eras[link.era].follow(NOTHING, PLAIN_CLIENT)
    if (link && plan?.kind === 'session') await session.leave(group, link, plan)
    group.link = undefined
    group.isAlone = false
    if (group.listeners.size === 0 && isLive(group)) groups.delete(group.key)
  }

  /** Lets go of everything at once, and of the group. */
  function drop(group: Group): void {
    clearTimeout(group.timer)
    group.timer = undefined
    const { isAlone, link, caller } = group
    if (isAlone && link) track(speech.end({ link, route: routeFor(caller) }))
    resetGroup(group)
    if (group.listeners.size === 0 && isLive(group)) groups.delete(group.key)
  }

  function track(work: Promise<void>): void {
    const followed = work.finally(() => ending.delete(followed))
    ending.add(followed)
  }

  function onLost(group: Group, end: StreamEnd): void {
    if (clock.now() - group.openedAt >= STEADY_MS) group.tries = 0
    if (end.kind === 'refused' && end.status === 405) {
      group.isSilent = true
      group.honoured = NOTHING
      return
    }
    const { lastId, retryMs } = end.kind === 'lost' ? end : NO_WORD
    group.lastId = lastId
    // It wants to be asked again for what comes after that event: nothing will be missing.
    if (lastId !== undefined && retryMs !== undefined) return wait(group, Math.max(retryMs, POLL_LEAST_MS))
    group.isMissing = true
    later(group)
  }

  /** Longer each time, and for each group another: they were lost together where the server was restarted. */
  function later(group: Group): void {
    const growing = (settings.pauseMs ?? PAUSE_MS) * 2 ** group.tries++
    const chance = Buffer.from(random(2)).readUInt16BE() / 65_536
    wait(group, growing * (1 + chance / 2))
  }

  function wait(group: Group, pauseMs: number): void {
    if (!isLive(group) || group.timer !== undefined) return
    const goOn = () => {
      group.timer = undefined
      followSoon(group)
    }
    group.timer = setTimeout(goOn, Math.min(pauseMs, LONGEST_PAUSE_MS))
    group.timer.unref()
  }

  return {
    groupFor,
    find: (key: string): Group | undefined => groups.get(key),
    all: (): Group[] => [...groups.values()],
    refollow,
    followSoon,
    later,
    drop,
    async close(): Promise<void> {
      isClosed = true
      for (const group of groups.values()) drop(group)
      groups.clear()
      await Promise.all(ending)
    },
  }
}

const NO_WORD = { lastId: undefined, retryMs: undefined }

/** A client in a session is one of the older era. */
export function preferredEra({ session }: ClientView): EraName {
  return session === undefined ? 'modern' : 'legacy'
}

/** No client's capabilities, and no session, is named like this. */
function sharedKeyOf({ tenant, userId }: Who): string {
  return `${tenant} ${userId} *`
}
