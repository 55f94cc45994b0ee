import type { RpcNotification, RpcRequest } from '../../base/json-rpc.ts'
import { leastSevere, type LogLevel } from '../client.ts'
import type { Interests, ListName, Watcher } from '../transport.ts'
import { canBeAsked } from './questions.ts'

/** Somebody who listens, and to what at this moment. */
export interface Listener {
  readonly watcher: Watcher
  wanted: Interests
}

/** All who listen at one place, whichever child runs there. */
export interface Listeners {
  readonly size: number
  add(watcher: Watcher): Listener
  remove(listener: Listener): void
  /** What any of them wants. */
  wanted(): Interests
  /** The least severe log messages that any of them wants. */
  level(): LogLevel | undefined
  /** Tells those whom it concerns; whether there are any. */
  tell(message: RpcNotification): boolean
  /** Tells each that the lists it wants may have changed. */
  tellChanged(): void
  /** Who can be asked that: of several, who came last. */
  findAsked(question: RpcRequest): Watcher | undefined
  /** Who can get another credential. */
  findRenewing(): Watcher | undefined
}

/**
 * `shared`: the child works for several users, so that only what says nothing of any of them is told: that a list or
 * a resource has changed. Whatever else it tells may be about one of them.
 */
export function createListeners({ shared }: { shared: boolean }): Listeners {
  const all = new Set<Listener>()
  return {
    get size() {
      return all.size
    },
    add(watcher) {
      const listener = { watcher, wanted: watcher.interests }
      all.add(listener)
      return listener
    },
    remove: (listener) => void all.delete(listener),
    wanted() {
      const wanted = [...all].map((listener) => listener.wanted)
      const lists = new Set(wanted.flatMap((each) => [...each.lists]))
      return { lists, uris: new Set(wanted.flatMap((each) => [...each.uris])) }
    },
    level() {
      let level: LogLevel | undefined
      for (const { watcher } of all) level = leastSevere(level, watcher.client.logLevel)
      return level
    },
    tell(message) {
      let heard = false
      for (const { watcher, wanted } of all) {
        if (!concerns(message, wanted, shared)) continue
        heard = true
        watcher.notify(message.bytes, message.method)
      }
      return heard
    },
    tellChanged() {
      for (const { watcher, wanted } of all) {
        for (const list of wanted.lists) watcher.notify(CHANGED[list], `notifications/${list}/list_changed`)
      }
    },
    findAsked: (question) =>
      [...all].findLast(({ watcher }) => canBeAsked(watcher.client.capabilities, question))?.watcher,
    findRenewing: () => [...all].findLast(({ watcher }) => watcher.renew)?.watcher,
  }
}

const CHANGED: Readonly<Record<ListName, Buffer>> = {
  tools: changed('tools'),
  prompts: changed('prompts'),
  resources: changed('resources'),
}

function changed(list: ListName): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","method":"notifications/${list}/list_changed"}`)
}

const LIST_OF: Readonly<Record<string, ListName>> = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
}

function concerns({ method, uri }: RpcNotification, { lists, uris }: Interests, shared: boolean): boolean {
  const list = LIST_OF[method]
  if (list !== undefined) return lists.has(list)
  if (method === 'notifications/resources/updated') return uri !== undefined && isWithin(uri, uris)
  return !shared
}

/** What was updated may be part of what was subscribed to. @see MCP 2025-11-25, schema, ResourceUpdatedNotification */
function isWithin(uri: string, uris: ReadonlySet<string>): boolean {
  if (uris.has(uri)) return true
  for (const own of uris) if (uri.startsWith(own.endsWith('/') ? own : `${own}/`)) return true
  return false
}
