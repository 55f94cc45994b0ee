import { readText, requireApiUrl, type Fetch } from '#kit/network'
import type { Clock } from '#kit/clock'
import { MalProblem } from '../api/problem.ts'
import { asObject, asPositive, asText } from '#kit/read'
import type { Credentials } from './credentials.ts'
import { secret, type Secret } from '#kit/secret'

export interface RefreshNeeds {
  readonly tokenUrl: string
  readonly clientId: string
  /** Web apps have one; for the others the parameter must be left out. */
  readonly clientSecret: Secret | undefined
  readonly refreshToken: Secret
  readonly clock: Clock
  readonly fetch: Fetch
}

interface Live {
  readonly access: Secret
  readonly expiresAt: number
}

const DEADLINE_MS = 20_000
/** Renewed this long before the end, so that no call starts with a token about to die. */
const EARLY_MS = 5 * 60_000
/** After a failure the token endpoint is left alone for this long. */
const QUIET_MS = 30_000
/** What the documentation promises where the answer does not say. */
const DOCUMENTED_LIFETIME_S = 3600

/**
 * Keeps one account signed in from its refresh token, in memory only. Many calls at once renew once. An answer that
 * is not a token changes nothing: the refresh token at hand stays, and so does an access token that still lives.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 RFC 6749 §6}
 */
export function createRefreshManager({ tokenUrl, clock, fetch, ...app }: RefreshNeeds): Credentials {
  const url = requireApiUrl(tokenUrl)
  let { refreshToken } = app
  let live: Live | undefined
  let flight: Promise<Live> | undefined
  let quietUntil = 0
  let succeeded = 0
  let failed = 0
  let lastFailedAt: number | undefined

  async function refresh(): Promise<Live> {
    const askedAt = clock.now()
    if (askedAt < quietUntil) throw new MalProblem('refresh_failed')
    try {
      const answer = await ask()
      // Counted from before the request: a token may live shorter than we think, never longer.
      live = { access: secret(answer.access), expiresAt: askedAt + answer.lifetimeS * 1000 }
      if (answer.refresh !== undefined) refreshToken = secret(answer.refresh)
      succeeded += 1
      return live
    } catch (error) {
      failed += 1
      lastFailedAt = clock.now()
      quietUntil = lastFailedAt + QUIET_MS
      throw error
    }
  }

  /** One renewal at a time; it belongs to nobody's call, so that the first caller may leave without ending it. */
  function renewal(): Promise<Live> {
    flight ??= refresh().finally(() => (flight = undefined))
    return flight
  }

  async function ask(): Promise<{ access: string; refresh: string | undefined; lifetimeS: number }> {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken.reveal(),
      client_id: app.clientId,
    })
    if (app.clientSecret) form.set('client_secret', app.clientSecret.reveal())
    let answer
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: form.toString(),
        redirect: 'manual',
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      const body = await readText(response)
      answer = response.status === 200 ? asObject(JSON.parse(body)) : undefined
    } catch {
      // The cause may quote the request, and the request carries secrets.
      throw new MalProblem('refresh_failed')
    }
    const access = asText(answer?.['access_token'])
    if (access === undefined) throw new MalProblem('refresh_failed')
    return {
      access,
      refresh: asText(answer?.['refresh_token']),
      lifetimeS: asPositive(answer?.['expires_in']) ?? DOCUMENTED_LIFETIME_S,
    }
  }

  return {
    source: 'refresh_token',
    renewals: () => ({ expiresAt: live?.expiresAt, succeeded, failed, lastFailedAt }),
    async token() {
      const now = clock.now()
      if (live && now < live.expiresAt - EARLY_MS) return live.access
      try {
        return (await renewal()).access
      } catch (error) {
        if (live && clock.now() < live.expiresAt) return live.access
        throw error
      }
    },
    async renew(rejected) {
      // Another call may have renewed it while this one was told no.
      if (live && live.access !== rejected) return live.access
      live = undefined
      return (await renewal()).access
    },
  }
}
