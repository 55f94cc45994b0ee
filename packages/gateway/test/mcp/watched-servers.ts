import type { UpstreamId } from '../../src/base/ids.ts'
import type { Principal } from '../../src/identity/principal.ts'
import type { Interests, Watcher, Watching } from '../../src/upstreams/transport.ts'

/** Somebody who listens to a server. */
export interface Watch {
  readonly server: UpstreamId
  readonly watcher: Watcher
  readonly user: string
  interests: Interests
}

/** Servers that are listened to, and tell what a test has them tell. */
export function createServers(ids: readonly UpstreamId[]) {
  const watches = new Set<Watch>()
  let opened = 0
  /** What each can tell; it throws where it does not take note. */
  let honour = async (_server: UpstreamId, interests: Interests): Promise<Interests> => interests

  return {
    watches,
    /** How often one was listened to, in all. */
    get opened() {
      return opened
    },
    at: (server: UpstreamId) => [...watches].filter((watch) => watch.server === server),
    honours(by: typeof honour): void {
      honour = by
    },
    watch(server: UpstreamId, watcher: Watcher, { userName }: Principal): Watching {
      if (!ids.includes(server)) throw new Error(`there is no ${server}`)
      opened++
      const watch: Watch = { server, watcher, user: userName, interests: watcher.interests }
      watches.add(watch)
      return {
        async update(interests) {
          watch.interests = interests
          return honour(server, interests)
        },
        close: () => void watches.delete(watch),
      }
    },
    /** Has a server tell all who listen to it. */
    tell(server: UpstreamId, method: string, params?: object): void {
      const message = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }))
      for (const { watcher, server: own } of watches) if (own === server) watcher.notify(message, method)
    },
  }
}
export type Servers = ReturnType<typeof createServers>
