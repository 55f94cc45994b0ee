import { z } from 'zod'
import { sayAge } from '../age.ts'
import type { Account } from '../auth/account.ts'
import { oneLine } from '../list/one-line.ts'
import { tool } from './tool.ts'
import { tried } from './tried.ts'

const time = z.string().optional()

/** Whether the account is connected, until when, and what went wrong last. */
export const getAuthStatus = tool({
  name: 'mal_get_auth_status',
  toolset: 'account',
  title: 'Connection status',
  description:
    'Whether a MyAnimeList account is connected and which, when its token ends, what went wrong last, and how much of ' +
    'the request budget is used.',
  effect: 'reads',
  needsAccount: false,
  input: z.object({}),
  output: z.object({
    connected: z.boolean(),
    account: z.object({ id: z.int(), name: z.string() }).optional(),
    source: z.enum(['request', 'access_token', 'refresh_token', 'none']),
    expires_at: time,
    renewed_here: z.boolean(),
    renewals: z.object({ succeeded: z.int(), failed: z.int(), last_failed_at: time }).optional(),
    last_failure: z.object({ code: z.string(), at: z.string(), says: z.string() }).optional(),
    read_only: z.boolean(),
    storage: z.boolean(),
    budgets: z.array(z.object({ period: z.string(), used: z.int(), of: z.int(), renewed_at: z.string() })),
    requests: z.array(z.object({ what: z.string(), outcome: z.string(), count: z.int(), mean_ms: z.int() })),
  }),
  async run({ mal, account, now }) {
    const { source, expiresAt, isRenewedHere } = account.token()
    // Who it is comes from what is kept where it can, so that the status can be asked while MyAnimeList is down.
    const { value: me, problem } = source === 'none' ? {} : await tried(() => mal.me())
    // Whoever is in front renews it, and asks again.
    if (problem?.code === 'token_rejected') throw problem
    const failure = problem ? { code: problem.code, at: now(), says: problem.message } : account.lastFailure()
    const renewals = account.renewals()
    return {
      data: {
        connected: me !== undefined,
        account: me && { id: me.id, name: me.name },
        source,
        expires_at: iso(expiresAt),
        renewed_here: isRenewedHere,
        renewals: renewals && {
          succeeded: renewals.succeeded,
          failed: renewals.failed,
          last_failed_at: iso(renewals.lastFailedAt),
        },
        last_failure: failure && { code: failure.code, at: new Date(failure.at).toISOString(), says: failure.says },
        read_only: account.isReadOnly,
        storage: account.hasStorage,
        budgets: account.spent().map(({ period, used, of, renewedAt }) => ({
          period,
          used,
          of,
          renewed_at: new Date(renewedAt).toISOString(),
        })),
        requests: account.counts().map(({ what, outcome, count, totalMs }) => ({
          what,
          outcome,
          count,
          mean_ms: Math.round(totalMs / count),
        })),
      },
      lines: [
        me
          ? `Connected to MyAnimeList as ${oneLine(me.name)} (id ${me.id}).`
          : source === 'none'
            ? notConnected(account)
            : 'There is a token, and MyAnimeList could not be asked whose it is.',
        expiryLine(expiresAt, isRenewedHere, now()),
        failure
          ? `Last failure, ${sayAge(now() - failure.at)} ago (${failure.code}): ${failure.says}`
          : 'Nothing has failed with this account since this server started.',
        ...account.spent().map(({ period, used, of }) => `Requests this ${period}: ${used} of ${of}.`),
        ...(account.hasStorage ? [] : ['Nothing is kept between calls here: plans, resuming and undo are off.']),
        ...(account.isReadOnly ? ['Read-only: tools that change something are left out.'] : []),
      ],
    }
  },
})

/** What to do depends on who keeps the tokens: whoever tells users apart, or this server's own settings. */
function notConnected({ owner }: Account): string {
  const what = 'No MyAnimeList account is connected.'
  return owner === ''
    ? `${what} Send an Authorization header, or over stdio set MAL_REFRESH_TOKEN and MAL_CLIENT_ID, or MAL_ACCESS_TOKEN.`
    : `${what} Connect it where you are signed in.`
}

/** When the token ends, in words. */
export function expiryLine(expiresAt: number | undefined, isRenewedHere: boolean, now: number): string {
  if (expiresAt === undefined) return 'When the token ends is not known.'
  const day = new Date(expiresAt).toISOString()
  const when =
    expiresAt > now
      ? `ends in ${sayAge(expiresAt - now)}, at ${day}`
      : `ended ${sayAge(now - expiresAt)} ago, at ${day}`
  return `The token ${when}. ${isRenewedHere ? 'This server renews it.' : 'It is renewed where it was issued.'}`
}

export function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

/** Which account a call is made as, for whoever has several. */
export function ownerLine({ owner }: Account): string {
  return owner === ''
    ? 'This server knows one account: the one its token belongs to.'
    : 'Which account it is was chosen where you are signed in; another one is connected there.'
}
