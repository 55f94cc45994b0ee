import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Interests, Watcher, Watching } from '../transport.ts'
import type { Channel, Child } from './child.ts'
import { createListeners, type Listener, type Listeners } from './listeners.ts'
import type { Place } from './owner.ts'

/**
 * Those who listen at one place, whichever child runs there. For resources that are subscribed to, a child is kept
 * running, and another started in its place; for lists alone none is, but what runs is listened to.
 */
export interface Audience {
  readonly listeners: Listeners
  watch(watcher: Watcher): Watching
  /** A child has taken the place. */
  started(child: Child): void
  ready(channel: Channel): void
  ended(child: Child): void
  /** Lets go of its child, and starts none until another takes the place, or {@link resume} is called. */
  letGo(): void
  /** Keeps one again, where one is needed. */
  resume(): void
}

export interface AudienceNeeds {
  readonly place: Place
  readonly clock: Clock
  readonly log: Pick<Log, 'debug'>
  /** The child of the place. */
  find(): Child | undefined
  /**
   * The same, started where there is none, as it was last started; `undefined` where that is not known any more.
   *
   * @throws {Problem} where it cannot be started now.
   */
  require(): Child | undefined
  /**
   * The same, started with a credential that this listener gets for it.
   *
   * @throws {Problem} where there is none, or it cannot be started with it.
   */
  renew(watcher: Watcher): Promise<Child | undefined>
  /** Nobody listens any more. */
  onEmpty(): void
}

/** Between the end of a child and the start of the next, where it is not started by a call: twice as long each time. */
const PAUSE_MS = 1_000
const PAUSE_MOST_MS = 60_000

const ANY: Interests = { lists: new Set(), uris: new Set(['any']) }

export function createAudience({ place, clock, log, find, require, renew, onEmpty }: AudienceNeeds): Audience {
  const listeners = createListeners({ shared: place.userId === undefined })
  let held: Child | undefined
  let renewing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let pauseMs = PAUSE_MS
  /** Whether a child told those who listen before: then they may have missed something since. */
  let told = false
  /** Whether the last one could tell of resources at all: for what cannot be told, none is kept. */
  let canTell = true

  function wantsChild(): boolean {
    return canTell && listeners.wanted().uris.size > 0
  }

  /** Holds that child, and no other any more. */
  function take(child: Child | undefined): void {
    if (child === held) return
    held?.release()
    held = child
    child?.hold()
  }

  /** @throws {Problem} where the child that is needed cannot be started. */
  function settle(): void {
    if (!wantsChild()) return take(undefined)
    const child = require()
    if (child) take(child)
    else renewing ??= startNew().finally(() => (renewing = undefined))
  }

  /** What it was started with is gone, so that somebody who listens has to bring another credential. */
  async function startNew(): Promise<void> {
    const watcher = listeners.findRenewing()
    try {
      const child = watcher && (await renew(watcher))
      if (wantsChild()) take(child)
    } catch (error) {
      failed(error)
    }
  }

  function trySettle(): void {
    try {
      settle()
    } catch (error) {
      failed(error)
    }
  }

  function failed(error: unknown): void {
    log.debug({ server: place.upstream, error }, 'upstream.not_watched')
    tryLater()
  }

  function tryLater(): void {
    clearTimeout(timer)
    timer = setTimeout(trySettle, pauseMs).unref()
    pauseMs = Math.min(PAUSE_MOST_MS, pauseMs * 2)
  }

  function sync(channel: Channel | undefined): void {
    channel?.following.want(listeners.level())
    channel?.following.sync().catch((error: unknown) => log.debug({ error }, 'upstream.not_followed'))
  }

  async function update(listener: Listener, interests: Interests): Promise<Interests> {
    const before = listener.wanted
    listener.wanted = interests
    try {
      settle()
      await renewing
      const channel = interests.uris.size > 0 && held ? await held.ready : find()?.channel
      if (!channel) return canTell ? interests : { lists: interests.lists, uris: new Set() }
      channel.following.want(listener.watcher.client.logLevel)
      return await channel.following.sync(interests)
    } catch (error) {
      listener.wanted = before
      trySettle()
      throw error
    }
  }

  return {
    listeners,
    watch(watcher) {
      const listener = listeners.add(watcher)
      trySettle()
      sync(find()?.channel)
      return {
        update: (interests) => update(listener, interests),
        close() {
          listeners.remove(listener)
          trySettle()
          sync(find()?.channel)
          if (listeners.size === 0) onEmpty()
        },
      }
    },
    started(child) {
      clearTimeout(timer)
      if (wantsChild()) take(child)
    },
    ready(channel) {
      const { era, handshake } = channel
      canTell = era.honoured(ANY, handshake).uris.size > 0
      trySettle()
      sync(channel)
      if (told) listeners.tellChanged()
      told = true
    },
    ended(child) {
      if (child !== held) return
      held = undefined
      if (clock.now() - child.since > PAUSE_MOST_MS) pauseMs = PAUSE_MS
      if (wantsChild()) tryLater()
    },
    letGo() {
      clearTimeout(timer)
      take(undefined)
    },
    resume: trySettle,
  }
}
