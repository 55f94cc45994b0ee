import { readMessage, type RequestId } from '../../base/json-rpc.ts'
import type { UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import type { OpenRequest } from '../children/calls.ts'
import { createFollowing, type Following } from '../children/following.ts'
import { createListeners, type Listener, type Listeners } from '../children/listeners.ts'
import { ownerOf, type Owner, type Place, placeKeyOf } from '../children/owner.ts'
import type { Handshake, UpstreamEras } from '../era.ts'
import type { Asking, Caller, Interests, Watcher, Watching, Who } from '../transport.ts'
import type { Reply } from './reply.ts'

/** One request on its way to a built-in server. */
export interface BuiltinRequest {
  readonly id: RequestId
  readonly body: Buffer
  /** Names and values, in turn. */
  readonly headers: readonly string[]
  readonly signal: AbortSignal
  readonly answerBytes: number
  notify(message: Buffer, method: string): void
}

/** Sends a request on a caller's account. @throws {Problem} `upstream.*`, or the signal's reason. */
export type AskBuiltin = (request: BuiltinRequest, caller: Caller) => Promise<Reply>

export interface BuiltinWatchNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Pick<Log, 'debug'>
  readonly settings: { readonly startMs: number }
  readonly ask: AskBuiltin
  describe(asking: Pick<Asking, 'client' | 'signal'>, caller: Caller): Promise<Handshake>
  /** What the server has said of itself, where it was asked before. */
  known(): Handshake | undefined
  onNotification(message: { readonly method: string }, owner: Owner): void
}

/** Those of one user, with one kind of client, who listen to a built-in server: one request is open for them all. */
interface Group {
  readonly place: Place
  readonly listeners: Listeners
  caller: Caller
  following: Following | undefined
  /** Ends what is open for them. */
  stop: AbortController
  /** How often what was open for them was ended. */
  endings: number
}

export interface BuiltinWatch {
  watch(watcher: Watcher, caller: Caller): Watching
  /** The server has said what it can tell. */
  begin(): void
  /** Goes on for one user with another credential, where there is one. */
  forget(who: Who): Promise<void>
  close(): void
}

/** Listens to a built-in server where it says that it can tell; for lists alone it is not loaded. */
export function createBuiltinWatch(needs: BuiltinWatchNeeds): BuiltinWatch {
  const { upstream, eras, log, settings, ask, describe, known } = needs
  const groups = new Map<string, Group>()
  let lastId = 0

  function groupFor({ client: { capabilities } }: Watcher, caller: Caller): Group {
    const { tenant, userId } = caller
    const place = { tenant, userId, upstream, capabilities }
    const key = placeKeyOf(place)
    const found = groups.get(key)
    if (found) return found
    const listeners = createListeners({ shared: false })
    const group = { place, listeners, caller, following: undefined, stop: new AbortController(), endings: 0 }
    groups.set(key, group)
    return group
  }

  /** @throws {Problem} `upstream.*` where the server cannot be asked what it can tell. */
  async function update(group: Group, listener: Listener, interests: Interests): Promise<Interests> {
    const before = listener.wanted
    listener.wanted = interests
    try {
      if (interests.uris.size > 0) await describe(asking(listener.watcher), group.caller)
      const following = follow(group)
      return following ? await following.sync(interests) : interests
    } catch (error) {
      listener.wanted = before
      throw error
    }
  }

  function asking({ client }: Watcher): Pick<Asking, 'client' | 'signal'> {
    return { client, signal: AbortSignal.timeout(settings.startMs) }
  }

  function follow(group: Group): Following | undefined {
    const handshake = known()
    if (group.following || !handshake) return group.following
    const { place, listeners } = group
    const { capabilities } = place
    const open = (method: string, params: string) => openFor(group, method, params)
    const calls = { open, request: (method: string, params: string) => open(method, params).response }
    const onNotification = (message: { readonly method: string }) => needs.onNotification(message, ownerOf(place))
    const waitMs = settings.startMs
    const era = eras.modern
    group.following = createFollowing({
      calls,
      era,
      handshake,
      capabilities,
      shared: false,
      listeners,
      onNotification,
      log,
      waitMs,
    })
    return group.following
  }

  function openFor(group: Group, method: string, params: string): OpenRequest {
    const id = ++lastId
    const stop = new AbortController()
    const request = {
      id,
      body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`),
      headers: eras.modern.headers(method, undefined, ''),
      signal: AbortSignal.any([group.stop.signal, stop.signal]),
      // It tells for as long as it is open.
      answerBytes: Infinity,
      notify: (message: Buffer) => hear(group, message),
    }
    const response = ask(request, group.caller).then((reply) => {
      if (reply.kind === 'whole') return reply.bytes
      throw problem('upstream.bad_answer', { server: upstream, reason: 'no answer to a request to listen' })
    })
    return { response, cancel: () => stop.abort(problem('request.cancelled')) }
  }

  function hear({ following }: Group, bytes: Buffer): void {
    const message = readMessage(bytes)
    if (message.kind === 'notification') following?.take(message)
  }

  function sync(group: Group): void {
    follow(group)
      ?.sync()
      .catch((error: unknown) => log.debug({ error }, 'upstream.not_followed'))
  }

  function end(group: Group): void {
    group.following?.end()
    group.following = undefined
    group.endings++
    group.stop.abort(problem('gate.stopping'))
  }

  async function renew(group: Group): Promise<void> {
    const watcher = group.listeners.findRenewing()
    end(group)
    const { endings } = group
    try {
      const caller = await watcher?.renew?.()
      // While it was fetched, that credential may have gone as well, or everybody who listened.
      if (!caller || group.endings !== endings) return
      group.caller = caller
      group.stop = new AbortController()
      sync(group)
    } catch (error) {
      log.debug({ error }, 'upstream.not_watched')
    }
  }

  return {
    watch(watcher, caller) {
      const group = groupFor(watcher, caller)
      const listener = group.listeners.add(watcher)
      update(group, listener, watcher.interests).catch((error: unknown) => log.debug({ error }, 'upstream.not_watched'))
      return {
        update: (interests) => update(group, listener, interests),
        close() {
          group.listeners.remove(listener)
          if (group.listeners.size > 0) return sync(group)
          end(group)
          groups.delete(placeKeyOf(group.place))
        },
      }
    },
    begin() {
      for (const group of groups.values()) sync(group)
    },
    async forget({ tenant, userId }) {
      const own = [...groups.values()].filter(({ place }) => place.tenant === tenant && place.userId === userId)
      await Promise.all(own.map(renew))
    },
    close() {
      for (const group of groups.values()) end(group)
      groups.clear()
    },
  }
}
