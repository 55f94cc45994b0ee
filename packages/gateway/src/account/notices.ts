import { say } from '../pages/words.ts'

/** What may be said after something was done, each by the key that stands in the address: never free text. */
const notices = {
  connected: 'account.done.connected',
  disconnected: 'account.done.disconnected',
  disconnectedHere: 'account.done.disconnectedHere',
  tested: 'account.done.tested',
  readOnly: 'account.done.readOnly',
  changesAllowed: 'account.done.changesAllowed',
  tokenSet: 'account.done.tokenSet',
  tokenRemoved: 'account.done.tokenRemoved',
  clientRevoked: 'account.done.clientRevoked',
  keyRevoked: 'account.done.keyRevoked',
  sessionEnded: 'account.done.sessionEnded',
  sessionsEnded: 'account.done.sessionsEnded',
  passkeyAdded: 'account.done.passkeyAdded',
  passkeyRemoved: 'account.done.passkeyRemoved',
  appAdded: 'account.done.appAdded',
  appRemoved: 'account.done.appRemoved',
  passwordChanged: 'account.done.passwordChanged',
  identityLinked: 'account.done.identityLinked',
  identityUnlinked: 'account.done.identityUnlinked',
} as const
export type NoticeKey = keyof typeof notices

/** The address of a page that is to say what was done. */
export function withNotice(path: string, key: NoticeKey): string {
  return `${path}?done=${key}`
}

export function findNotice(url: URL): string | undefined {
  const key = url.searchParams.get('done') ?? ''
  return isNotice(key) ? say(notices[key]) : undefined
}

function isNotice(key: string): key is NoticeKey {
  return Object.hasOwn(notices, key)
}
