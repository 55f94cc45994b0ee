import type { TenantId, UserId } from '../base/ids.ts'

/** Whose browser a request came from: somebody who is signed in to the gate. */
export interface Visitor {
  readonly tenant: TenantId
  readonly userId: UserId
  readonly sessionId: string
  readonly signedInAt: number
}

/** A user, as the library names one: an account id. */
export interface Account {
  readonly tenant: TenantId
  readonly userId: UserId
}

export function toAccountId({ tenant, userId }: Account): string {
  return `${tenant}/${userId}`
}

export function parseAccountId(accountId: string): Account | undefined {
  const [tenant, userId, ...rest] = accountId.split('/')
  if (!tenant || !userId || rest.length > 0) return undefined
  return { tenant: tenant as TenantId, userId: userId as UserId }
}
