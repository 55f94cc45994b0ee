import type { UpstreamId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { asProblem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { maySeeUpstream, type Principal } from '../identity/principal.ts'
import type { Interests, Watcher, Watching, Who } from '../upstreams/transport.ts'
import type { Upstreams } from '../upstreams/upstreams.ts'
import { systemLater, type Later } from './bridge/later.ts'
import { isMissing } from './connecting.ts'
import type { Visit } from './visit.ts'

export interface WatchesNeeds {
  readonly upstreams: Pick<Upstreams, 'definitions' | 'watch' | 'tell'>
  readonly credentials: {
    require(principal: Principal, upstream: UpstreamId): Secret | undefined | Promise<Secret | undefined>
  }
  readonly later?: Later
  readonly log: Log
}

/** How soon a credential is looked up again that could not be, since the database was away. */
const AGAIN_MS = 15_000

/** One server that is listened to with somebody's credential, as long as they have one. */
interface Held {
  readonly who: Who
  readonly server: UpstreamId
  /** Begins anew: the credential is another. */
  open(): void
}

/**
 * Listens to servers, and tells them things, on their users' own accounts: with the credential each has at that time,
 * and from then on where one is brought later.
 */
export function createWatches({ upstreams, credentials, later = systemLater, log }: WatchesNeeds) {
  const all = new Set<Held>()

  async function callerOf(principal: Principal, server: UpstreamId) {
    const { tenant, userId } = principal
    return { tenant, userId, token: await credentials.require(principal, server) }
  }

  return {
    watch(server: UpstreamId, watcher: Watcher, principal: Principal): Watching {
      let { interests } = watcher
      const listening = { ...watcher, renew: () => callerOf(principal, server) }
      let isClosed = false
      let stopTimer = (): void => {}
      let watching: Promise<Watching | undefined> = Promise.resolve(undefined)

      function close(): void {
        stopTimer()
        void watching.then(
          (open) => open?.close(),
          () => {},
        )
      }

      function open(): void {
        close()
        watching = callerOf(principal, server).then((caller) => {
          if (isClosed) return undefined
          return upstreams.watch(server, { ...listening, interests }, caller)
        })
        const opening = watching
        opening.catch((error: unknown) => {
          log.debug({ server, error }, 'watch.not_opened')
          // For one that is missing it is begun anew when its user has brought it.
          if (!isClosed && opening === watching && !isMissing(asProblem(error))) stopTimer = later(open, AGAIN_MS)
        })
      }

      const held = { who: principal, server, open }
      all.add(held)
      open()
      return {
        async update(wanted: Interests) {
          interests = wanted
          return (await watching)?.update(wanted) ?? NOTHING
        },
        close() {
          isClosed = true
          all.delete(held)
          close()
        },
      }
    },
    /** Listens with the credential that a user has now. */
    renew({ tenant, userId }: Who, server: UpstreamId): void {
      for (const held of all) {
        if (held.server === server && held.who.tenant === tenant && held.who.userId === userId) held.open()
      }
    },
    /** Passes a notification on to the one server of an endpoint, or to all that the client has open. */
    tell(message: Buffer, { principal, server, client }: Visit): void {
      for (const { id } of upstreams.definitions) {
        if ((server !== undefined && server !== id) || !maySeeUpstream(principal, id)) continue
        callerOf(principal, id).then(
          (caller) => upstreams.tell(id, message, client, caller),
          (error: unknown) => log.debug({ server: id, error }, 'upstream.not_told'),
        )
      }
    },
  }
}

const NOTHING: Interests = { lists: new Set(), uris: new Set() }
