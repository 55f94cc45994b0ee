import type { UpstreamId } from '../base/ids.ts'
import { Problem, problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { ServiceToken } from '../providers/service.ts'
import type { AccountNeeds, AccountServer } from './needs.ts'
import { doneBy, type Visit } from './visit.ts'

export type TokenNeeds = Pick<AccountNeeds, 'servers' | 'credentials' | 'audit' | 'onTokenChanged'>

/** @throws {Problem} `token.not_used` */
export function requireService({ id, service }: AccountServer): ServiceToken {
  if (service === undefined) throw problem('token.not_used', { server: id })
  return service
}

/** Keeps the token that a form holds. Answers what is wrong with it, in words that do not repeat it. */
export async function keepToken(needs: TokenNeeds, visit: Visit, service: ServiceToken): Promise<Problem | undefined> {
  try {
    // What is copied often comes with the space around it.
    await needs.credentials.set(visit.holder, service, secret((visit.form.get('token') ?? '').trim()))
  } catch (error) {
    if (error instanceof Problem && error.code === 'token.format') return error
    throw error
  }
  await changed(needs, visit, { kind: 'token.set', service: service.service })
  return undefined
}

/** @throws {Problem} `token.unknown` */
export async function removeToken(needs: TokenNeeds, visit: Visit, server: AccountServer): Promise<void> {
  const { service } = requireService(server)
  const removed = await needs.credentials.remove(visit.holder, service)
  if (!removed) throw problem('token.unknown', { user: visit.person.userName, server: server.id })
  await changed(needs, visit, { kind: 'token.removed', service })
}

interface Change {
  readonly kind: 'token.set' | 'token.removed'
  readonly service: string
}

async function changed(needs: TokenNeeds, visit: Visit, { kind, service }: Change): Promise<void> {
  const { tenant, userId } = visit.holder
  for (const server of serversOf(needs.servers(), service)) needs.onTokenChanged(tenant, userId, server)
  await needs.audit.record(tenant, { kind, ...doneBy(visit), owner: userId, service, address: visit.address })
}

/** Several servers can share a service. */
function serversOf(servers: readonly AccountServer[], service: string): UpstreamId[] {
  return servers.filter((server) => server.service?.service === service).map(({ id }) => id)
}
