import type { Clock } from '../base/clock.ts'
import { problem } from '../base/problem.ts'
import { createRecent } from '../base/recent.ts'
import type { Secret } from '../base/secret.ts'
import { keyOf, type ConnectionStore, type Kept } from './connection-store.ts'
import type { Holder } from './credential.ts'
import { covers } from './discover.ts'
import { toProblem, type Failure } from './failure.ts'
import type { ProviderLink } from './link.ts'
import type { Opened } from './opened.ts'
import { isDue, type Refresh } from './refresh.ts'

export interface AccessNeeds {
  readonly opened: Opened
  readonly refresh: Pick<Refresh, 'refresh' | 'reject'>
  readonly store: Pick<ConnectionStore, 'note' | 'scopesOf'>
  readonly clock: Clock
  linkFor(holder: Holder, server: string, scopes?: readonly string[]): string
  /** Told when a connection turns out to be of no use any more. */
  onRejected(holder: Holder, provider: string): void
}

/** Whose access token, from which provider, for which server. */
export interface Wanted {
  readonly holder: Holder
  readonly link: ProviderLink
  readonly server: string
}

/** How often it is begun again where somebody else changed the connection meanwhile. */
const TRIES = 2
const FORCED = 10_000

/** A server that refuses the token of a renewal it brought about itself so lately does not refuse it for its age. */
const FRESH_MS = 60_000

/** The access token a user has for a server, and when it is renewed. */
export function createAccess({ opened, refresh, store, clock, linkFor, onRejected }: AccessNeeds) {
  /** When a server's refusal last brought about a renewal. */
  const forced = createRecent<string, number>(FORCED)

  async function requireKept({ holder, link, server }: Wanted): Promise<Kept> {
    const { provider } = link
    const kept = opened.findOpened(holder, provider) ?? (await opened.read(holder, provider))
    if (kept === undefined || !isFor(kept, link)) throw refusal('connection.required', { holder, link, server })
    if (kept.status === 'rejected') throw refusal('connection.rejected', { holder, link, server })
    return kept
  }

  /** Renews what is due; while the old access token is good, that this fails is nobody's problem. */
  async function requireFresh(wanted: Wanted, tries = TRIES): Promise<Secret> {
    const kept = await requireKept(wanted)
    if (!isDue(kept, clock.now())) return kept.credential.accessToken
    const outcome = await refresh.refresh(kept)
    if (outcome.kind === 'renewed') return renewed(outcome.kept)
    if (outcome.kind === 'replaced') opened.drop(wanted.holder, wanted.link.provider)
    if (outcome.kind === 'replaced' && tries > 0) return requireFresh(wanted, tries - 1)
    if (outcome.kind === 'replaced') throw refusal('connection.required', wanted)
    const { expiresAt, accessToken } = kept.credential
    if (expiresAt !== undefined && clock.now() < expiresAt) return accessToken
    throw await ended(wanted, kept, outcome.failure)
  }

  function renewed(kept: Kept): Secret {
    opened.remember(kept)
    return kept.credential.accessToken
  }

  async function renew(wanted: Wanted, refused: Secret, tries = TRIES): Promise<Secret> {
    const { holder, link } = wanted
    opened.drop(holder, link.provider)
    const kept = await requireKept(wanted)
    const { accessToken, refreshToken } = kept.credential
    if (accessToken.reveal() !== refused.reveal()) return accessToken
    if (refreshToken === undefined) throw await ended(wanted, kept, { kind: 'grant', error: 'unauthorized' })
    const key = keyOf(holder, link.provider)
    if (clock.now() - (forced.get(key) ?? -Infinity) < FRESH_MS) return unlessRefused(wanted, refused)
    const outcome = await refresh.refresh(kept)
    forced.set(key, clock.now())
    if (outcome.kind === 'renewed') return renewed(outcome.kept)
    if (outcome.kind === 'replaced' && tries > 0) return renew(wanted, refused, tries - 1)
    throw outcome.kind === 'failed'
      ? await ended(wanted, kept, outcome.failure)
      : refusal('connection.required', wanted)
  }

  /** What the caller is told once there is no access token that works. */
  async function ended({ holder, link, server }: Wanted, kept: Kept, failure: Failure) {
    const { provider, name } = link
    if (failure.kind !== 'grant') return toProblem(failure, { id: provider, name })
    await refresh.reject(kept, failure.error)
    onRejected(holder, provider)
    return refusal('connection.rejected', { holder, link, server })
  }

  /**
   * The one just renewed, unless it was that one: another would be refused as well. Since other servers may take it, the
   * connection stays. Asked for anew, for what was read before may be from before the renewal.
   */
  async function unlessRefused(wanted: Wanted, refused: Secret): Promise<Secret> {
    opened.drop(wanted.holder, wanted.link.provider)
    const kept = await requireKept(wanted)
    const { accessToken } = kept.credential
    if (accessToken.reveal() !== refused.reveal()) return accessToken
    await store.note(kept, 'unauthorized', false)
    throw refusal('connection.rejected', wanted)
  }

  /** Only the user can allow more; and where they did, to ask them again would be to ask for ever. */
  async function widen({ holder, link, server }: Wanted, refused: Secret, scopes: readonly string[]): Promise<Secret> {
    opened.drop(holder, link.provider)
    const { accessToken } = (await requireKept({ holder, link, server })).credential
    if (accessToken.reveal() !== refused.reveal()) return accessToken
    const granted = await store.scopesOf(holder, link.provider)
    const about = { server, provider: link.name, scopes: scopes.join(' ') }
    if (scopes.every((scope) => granted.includes(scope))) throw problem('connection.scope_refused', about)
    throw problem('connection.scope_required', { ...about, url: linkFor(holder, server, scopes) })
  }

  function refusal(code: 'connection.required' | 'connection.rejected', { holder, link, server }: Wanted) {
    return problem(code, { server, provider: link.name, url: linkFor(holder, server) })
  }

  return {
    /** At once where it was opened lately and has time left. */
    require(wanted: Wanted): Secret | Promise<Secret> {
      const { holder, link } = wanted
      const kept = opened.findOpened(holder, link.provider)
      const isReady = kept?.status === 'connected' && isFor(kept, link) && !isDue(kept, clock.now())
      return isReady ? kept.credential.accessToken : requireFresh(wanted)
    },

    /** Another one, since the server answered 401 to this: the newer one that is there already, or one asked for now. */
    renew: (wanted: Wanted, refused: Secret): Promise<Secret> => renew(wanted, refused),

    /** Another one, since the server answered 403 to this and wants these scopes: the newer one there is already. */
    widen,

    requireKept,
    refusal,
  }
}

/** An access token goes to the server it was made for, whatever the configuration says later. */
function isFor({ credential }: Kept, { resource }: ProviderLink): boolean {
  if (resource === undefined) return true
  return credential.resource !== undefined && covers(credential.resource, resource)
}
