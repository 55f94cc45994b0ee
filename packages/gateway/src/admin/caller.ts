import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { findBeyond } from '../identity/key-rules.ts'
import { mayAdminister, maySeeUpstream, type Principal, type Role } from '../identity/principal.ts'

/**
 * Who came, and how that is known. `operator` is whoever came over the gate's own socket, which only the
 * owner of the data directory can open, and says which tenant they mean; `principal` is whoever the API key belongs to.
 */
export type AdminCaller =
  | { readonly kind: 'operator'; readonly tenant: TenantId }
  | { readonly kind: 'principal'; readonly principal: Principal }

/** A caller as the rules see one. The tenant is the caller's own; nobody but the operator can choose it. */
export interface Actor {
  readonly kind: AdminCaller['kind']
  readonly tenant: TenantId
  /** Absent for the operator, who is nobody in particular. */
  readonly userId: UserId | undefined
  readonly userName: string | undefined
  /** The API key at hand; the operator has none. */
  readonly keyId: string | undefined
  readonly role: Role
  readonly scopes: readonly string[]
}

/** What the operator may do: all that an owner's best key may. */
const OPERATOR: Omit<Actor, 'tenant'> = {
  kind: 'operator',
  userId: undefined,
  userName: undefined,
  keyId: undefined,
  role: 'owner',
  scopes: ['mcp', 'admin', 'metrics'],
}

export function actorOf(caller: AdminCaller): Actor {
  return caller.kind === 'operator'
    ? { ...OPERATOR, tenant: caller.tenant }
    : { kind: 'principal', ...caller.principal }
}

/** @throws {Problem} `auth.role` where the user may not, `auth.forbidden` where only this key may not */
export function requireAdministrator(actor: Actor): void {
  if (actor.role === 'member') throw problem('auth.role', { role: 'admin' })
  if (!mayAdminister(actor)) throw problem('auth.forbidden', { scope: 'admin' })
}

/**
 * Owners are changed by owners only, and made by owners only: an admin who could do either would be one.
 *
 * @throws {Problem} `auth.role`
 */
export function requireMayChange(actor: Actor, ...roles: readonly Role[]): void {
  if (actor.role !== 'owner' && roles.includes('owner')) throw problem('auth.role', { role: 'owner' })
}

/**
 * A key never opens more than the key it was made with.
 *
 * @throws {Problem} `auth.forbidden`
 */
export function requireMayGrant({ scopes }: Actor, wanted: readonly string[]): void {
  const beyond = findBeyond(scopes, wanted)
  if (beyond !== undefined) throw problem('auth.forbidden', { scope: beyond })
}

/** Whether a server exists for this caller. Administrators manage all of them, whichever they may call. */
export function mayManage(actor: Actor, server: UpstreamId): boolean {
  return mayAdminister(actor) || maySeeUpstream(actor, server)
}
