import type { Random, UpstreamId } from '../../base/ids.ts'
import { digest } from '../../base/digest.ts'
import type { Log } from '../../base/log.ts'
import type { ClientView } from '../client.ts'
import type { UpstreamEras } from '../era.ts'
import type { KeptLink, LinkPlace, LinkStore } from '../link-store.ts'
import type { Caller, Who } from '../transport.ts'
import { createLinkMaker, type Link, type Route } from './http-link.ts'

export interface KeptLinksNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly store: LinkStore
  readonly random: Random
  readonly log: Log
}

/** For whom a session is: with whose credential, on account of which client. */
export interface Holder {
  readonly caller: Caller
  readonly route: Route
  readonly client: ClientView
}

export type KeptLinks = ReturnType<typeof createKeptLinks>

/** A server that says more of itself than this has sessions that only the process knows which opened them. */
const HANDSHAKE_LENGTH = 256 * 1024

/**
 * The sessions of one upstream that any process can go on with. A database that fails keeps no call from being made:
 * a session that could not be found or kept is one that this process alone knows.
 */
export function createKeptLinks({ upstream, eras, store, random, log }: KeptLinksNeeds) {
  const makeLink = createLinkMaker({ eras, random })

  /** Whatever the database does, the answer is there: what it was asked for, or the other. */
  function orElse<T>(asked: Promise<T>, otherwise: T): Promise<T> {
    return asked.catch((error: unknown) => {
      log.warn({ server: upstream, error }, 'upstream.session_not_kept')
      return otherwise
    })
  }

  function placeOf({ caller: { tenant, userId }, client }: Pick<Holder, 'caller' | 'client'>): LinkPlace {
    return { tenant, userId, upstream, client: digest(clientKey(client)), session: client.session }
  }

  function toLink({ handshake, sessionId }: KeptLink): Link {
    return makeLink(handshake, sessionId)
  }

  return {
    /** The session that was kept, where it was opened with this very credential. */
    async find(holder: Holder): Promise<Link | undefined> {
      const kept = await orElse(store.find(placeOf(holder)), undefined)
      return kept?.credential === credentialOf(holder) ? toLink(kept) : undefined
    },
    /** Keeps a session; answers with the one that is kept, and whether there is one. */
    async save(holder: Holder, link: Link): Promise<{ readonly link: Link; readonly kept: boolean }> {
      const { sessionId, handshake } = link
      const alone = { link, kept: false }
      if (sessionId === undefined || JSON.stringify(handshake).length > HANDSHAKE_LENGTH) return alone
      const saved = store.save(placeOf(holder), { sessionId, handshake, credential: credentialOf(holder) })
      const kept = await orElse<KeptLink | undefined>(saved, undefined)
      if (kept === undefined) return alone
      return { link: kept.sessionId === sessionId ? link : toLink(kept), kept: true }
    },
    touch: (holder: Holder): Promise<void> => orElse(store.touch(placeOf(holder)), undefined),
    async drop(holder: Holder, { sessionId }: Link): Promise<void> {
      if (sessionId !== undefined) await orElse(store.drop(placeOf(holder), sessionId), undefined)
    },
    /** Forgets what is kept for a user, or for one session of their client. */
    async dropAll(who: Who, session?: string): Promise<readonly Link[]> {
      const dropped = session === undefined ? store.dropUser(who, upstream) : store.dropSession(who, upstream, session)
      return (await orElse(dropped, [])).map(toLink)
    },
  }
}

/** What sets sessions of one user apart. */
export function clientKey({ session, capabilities }: ClientView): string {
  return session ?? capabilities
}

/** A server under another address, or reached with another credential, is asked for a session of its own. */
function credentialOf({ caller: { token }, route: { origin, path, headers } }: Holder): string {
  return digest(JSON.stringify([origin, path, headers, token?.reveal() ?? null]))
}
