import type { Secret } from '../base/secret.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import type { Party } from './party.ts'
import { valueAt } from './reply.ts'

const ACCOUNT_MS = 5_000
const LONGEST = 100

export type AccountAnswer =
  | { readonly kind: 'known'; readonly account: string }
  /** The access token is not accepted there. */
  | { readonly kind: 'refused' }
  /** Nobody could be asked, or the answer did not say. */
  | { readonly kind: 'unknown' }

/** Asks whose an access token is, where the definition says how. Never throws: not to know is no failure. */
export async function askAccount(
  fetch: Fetch,
  { account }: Pick<Party, 'account'>,
  token: Secret,
): Promise<AccountAnswer> {
  if (account === undefined) return { kind: 'unknown' }
  try {
    const answer = await fetch(account.url, {
      headers: { Accept: 'application/json', Authorization: `Bearer ${token.reveal()}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(ACCOUNT_MS),
    })
    if (answer.status === 401) return { kind: 'refused' }
    const body: unknown = answer.status === 200 ? await answer.json() : undefined
    const name = shown(valueAt(body, account.name)) ?? (account.id && shown(valueAt(body, account.id)))
    return name ? { kind: 'known', account: name } : { kind: 'unknown' }
  } catch {
    return { kind: 'unknown' }
  }
}

function shown(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') return undefined
  return value.replaceAll(/\p{C}/gu, '').trim().slice(0, LONGEST) || undefined
}
