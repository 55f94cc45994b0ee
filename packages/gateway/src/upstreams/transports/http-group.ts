import { createListeners, type Listener, type Listeners } from '../children/listeners.ts'
import type { ClientView } from '../client.ts'
import type { Caller, Interests, Watcher } from '../transport.ts'
import type { Link, Route } from './http-link.ts'
import type { Holder } from './http-kept.ts'
import type { Stream } from './http-stream.ts'

/** One who watches. */
export interface Entry {
  readonly watcher: Watcher
  readonly caller: Caller
  group: Group
  listener: Listener
  /** Set when nothing more will be heard: the credential it began with is gone, or the client's session. */
  isOver: boolean
}

/** All who hear of an upstream through one stream, and how it stands with that stream. */
export interface Group {
  readonly key: string
  /** Whether it is for all clients of a user: where the era has no sessions. */
  readonly isShared: boolean
  readonly client: ClientView
  readonly entries: Set<Entry>
  readonly listeners: Listeners
  /** On whose account it listens: with whichever credential came last. */
  caller: Caller
  link: Link | undefined
  /** Whether the session is the group's own, which nobody else knows and which ends with it. */
  isAlone: boolean
  stream: Stream | undefined
  /** Whether the upstream said that it has nothing to be heard. */
  isSilent: boolean
  /** After which event the stream may be gone on with. */
  lastId: string | undefined
  /** What the stream was asked to tell, where it is asked in one request. */
  asked: Interests
  /** What the upstream tells. */
  honoured: Interests
  /** Resources that were subscribed to in the session, and those that the upstream would not have subscribed to. */
  readonly subscribed: Set<string>
  readonly refused: Set<string>
  /** Whether something may have been told that nobody heard. */
  isMissing: boolean
  /** Whether the credential was refused, or is gone. */
  isStale: boolean
  /** When the stream was last opened, and how often in a row it then could not be had for long. */
  openedAt: number
  tries: number
  /** Runs while the stream is left alone. */
  timer: NodeJS.Timeout | undefined
  running: Promise<void> | undefined
  next: Promise<void> | undefined
}

export const NOTHING: Interests = { lists: new Set(), uris: new Set() }

export function createGroup(about: Pick<Group, 'key' | 'isShared' | 'client' | 'caller'>): Group {
  return {
    ...about,
    entries: new Set(),
    listeners: createListeners({ shared: false }),
    link: undefined,
    isAlone: false,
    stream: undefined,
    isSilent: false,
    lastId: undefined,
    asked: NOTHING,
    honoured: NOTHING,
    subscribed: new Set(),
    refused: new Set(),
    isMissing: false,
    isStale: false,
    openedAt: 0,
    tries: 0,
    timer: undefined,
    running: undefined,
    next: undefined,
  }
}

/** Forgets all that hung on the link; what is wanted stays. */
export function resetGroup(group: Group): void {
  group.stream?.close()
  group.stream = undefined
  group.link = undefined
  group.isAlone = false
  group.isSilent = false
  group.lastId = undefined
  group.asked = NOTHING
  group.honoured = NOTHING
  group.subscribed.clear()
  group.refused.clear()
  group.isMissing = true
}

export function holderOf({ caller, client }: Group, routeFor: (caller: Caller) => Route): Holder {
  return { caller, client, route: routeFor(caller) }
}
