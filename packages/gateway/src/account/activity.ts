import type { EventKind } from '../audit/events.ts'
import type { Oddity } from '../audit/oddities.ts'
import type { RecentEntry } from '../audit/recent.ts'
import { cleanText } from '../pages/clean.ts'
import { say, type WordKey } from '../pages/words.ts'
import type { AccountNeeds, Person } from './needs.ts'

/** Something that was done with an account. */
export interface Activity {
  readonly at: number
  readonly what: string
  /** More about it: a browser, a name, a provider. */
  readonly about: string
  readonly address: string
  /** Whether it is as it never was before: its user had better look. */
  readonly isOdd: boolean
}

/** What users are shown of the log, and what it says in their words. */
const WORDS = {
  'login.ok': 'activity.login',
  'login.failed': 'activity.loginFailed',
  'login.second_failed': 'activity.secondFailed',
  'login.ended': 'activity.signedOut',
  'session.ended': 'activity.sessionEnded',
  'password.set': 'activity.passwordSet',
  'password.reset_made': 'activity.resetMade',
  'invitation.made': 'activity.resetMade',
  'invitation.used': 'activity.linkUsed',
  'passkey.added': 'activity.passkeyAdded',
  'passkey.removed': 'activity.passkeyRemoved',
  'authenticator.added': 'activity.appAdded',
  'authenticator.removed': 'activity.appRemoved',
  'recovery.made': 'activity.codesMade',
  'recovery.used': 'activity.codeUsed',
  'factors.reset': 'activity.factorsReset',
  'user.role_changed': 'activity.role',
  'key.added': 'activity.keyAdded',
  'key.revoked': 'activity.keyRevoked',
  'identity.linked': 'activity.linked',
  'identity.unlinked': 'activity.unlinked',
  'token.set': 'activity.tokenSet',
  'token.removed': 'activity.tokenRemoved',
  'connection.made': 'activity.connected',
  'connection.imported': 'activity.connected',
  'connection.removed': 'activity.disconnected',
  'consent.given': 'activity.clientAllowed',
  'consent.revoked': 'activity.clientRevoked',
  'account.odd': 'activity.odd',
} as const satisfies Partial<Record<EventKind, WordKey>>
type Shown = keyof typeof WORDS

const ODD = {
  new_place: 'odd.newPlace',
  after_failures: 'odd.afterFailures',
  token_replayed: 'odd.tokenReplayed',
  client_moved: 'odd.clientMoved',
  many_refused: 'odd.manyRefused',
} as const satisfies Record<Oddity, WordKey>

/** What is done to users by others: it is no act of whoever did it on a page of their own. */
const DONE_TO: readonly Shown[] = [
  'login.failed',
  'password.reset_made',
  'invitation.made',
  'factors.reset',
  'user.role_changed',
]
const BY = (Object.keys(WORDS) as Shown[]).filter((kind) => !DONE_TO.includes(kind))
const DAYS_MS = 90 * 86_400_000
const MOST = 25

/**
 * What was done with an account lately, by its user and to it, the latest first. What waits to be written counts as well:
 * the page is opened right after what it is to show.
 */
export async function readActivity(
  { audit, recent, clock }: AccountNeeds,
  { tenant, userId }: Person,
): Promise<Activity[]> {
  await audit.flush().catch(() => undefined)
  const wanted = { by: BY, since: clock.now() - DAYS_MS, most: MOST }
  return (await recent(tenant, userId, wanted)).map(toActivity)
}

const WARNED_MS = 14 * 86_400_000
const WARNED_MOST = 3

/** What of it was odd in the last two weeks: on top of the page for as long, since nobody can be asked to dismiss it. */
export function oddOf(activity: readonly Activity[], now: number): readonly Activity[] {
  return activity.filter(({ isOdd, at }) => isOdd && now - at < WARNED_MS).slice(0, WARNED_MOST)
}

/** Names in an entry may be somebody else's words. */
function toActivity({ at, kind, fields }: RecentEntry): Activity {
  const word = Object.hasOwn(WORDS, kind) ? WORDS[kind as Shown] : undefined
  const what = String(fields['what'])
  const odd = kind === 'account.odd' && Object.hasOwn(ODD, what) ? ODD[what as Oddity] : undefined
  const text = (name: string) => {
    const value = fields[name]
    return typeof value === 'string' ? cleanText(value, 60) : ''
  }
  const about = ['browser', 'clientName', 'provider', 'service'].map(text).find((found) => found !== '')
  const isNamed = kind.startsWith('passkey.') || kind.startsWith('key.')
  return {
    at,
    what: word === undefined ? kind : say(odd ?? word),
    about: about ?? (isNamed ? text('name') : ''),
    address: text('address'),
    isOdd: kind === 'account.odd',
  }
}
