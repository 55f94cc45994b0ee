import type { TenantId, UpstreamId, UserId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Bus } from './bus.ts'

/**
 * What one process tells the others, because they may still hold what was true before. Each drops what it holds and
 * reads it anew when it is next wanted: nothing is told but whose it was.
 */
export interface Announced {
  /**
   * A user may do less than before, or is gone. Dropped: what was believed of their keys and access tokens, their
   * opened credentials, their sessions at upstreams, their open streams.
   */
  readonly user: Whose
  /**
   * A key was revoked, or what a client was allowed was taken back. Dropped: what was believed of it, the streams that
   * were opened with it.
   */
  readonly access: EndedAccess
  /**
   * Their credential for a server is another one, or gone. Dropped: their opened credentials, and what was opened or
   * learned at that server with the one before.
   */
  readonly credential: Whose & { readonly server: UpstreamId }
  /** What a server has is not what it had. Dropped: the lists that are known of it, of one user where one is named. */
  readonly catalog: {
    readonly server: UpstreamId
    readonly kind?: 'tools' | 'prompts' | 'resources' | 'templates' | undefined
    readonly tenant?: TenantId | undefined
    readonly userId?: UserId | undefined
  }
  /** Somebody guesses, or was right after all. Counted: under the hash of whose password or code it is. */
  readonly attempt: { readonly of: Guessed; readonly key: string; readonly wasRight: boolean }
}

/** What is guessed at. */
export type Guessed = 'password' | 'code' | 'device'

/** What opens the gate no more: a key or a grant, by its id; or all that a user allowed a client. */
export type EndedAccess = { readonly keyId: string } | (Whose & { readonly clientId: string })

interface Whose {
  readonly tenant: TenantId
  readonly userId: UserId
}

export interface Announcements {
  /** Tells the other processes; this one has dropped what it held by itself. Neither waits nor fails. */
  tell<K extends keyof Announced>(kind: K, what: Announced[K]): void
  /** Takes what another process tells. It must not tell it again. */
  hear<K extends keyof Announced>(kind: K, drop: (what: Announced[K]) => void): void
}

interface Message {
  readonly from: string
  readonly kind: string
  readonly what: unknown
}

const TOPIC = 'announced'

/**
 * Opens the announcements between the processes that serve one database. One that gets lost, because Redis was away,
 * is made up for by time: nothing is believed for more than a minute without being read again.
 */
export async function openAnnouncements({
  bus,
  log,
}: {
  readonly bus: Bus
  readonly log: Log
}): Promise<Announcements> {
  const droppers = new Map<string, ((what: never) => void)[]>()

  await bus.subscribe(TOPIC, (payload) => {
    const { from, kind, what } = JSON.parse(payload.toString()) as Message
    if (from === bus.instance) return
    for (const drop of droppers.get(kind) ?? []) drop(what as never)
  })

  return {
    tell(kind, what) {
      const message: Message = { from: bus.instance, kind, what }
      bus.publish(TOPIC, Buffer.from(JSON.stringify(message))).catch((error: unknown) => {
        // That Redis is away was said when it went.
        log.debug({ kind, error }, 'shared.not_told')
      })
    },
    hear(kind, drop) {
      droppers.set(kind, [...(droppers.get(kind) ?? []), drop])
    },
  }
}
