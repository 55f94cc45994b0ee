import type { UpstreamId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { ServiceToken } from '../providers/service.ts'
import type { UpstreamDefinition } from '../upstreams/definition.ts'
import { mayManage, type Actor } from './caller.ts'

/** What administrators may know of a server: nothing of what it is started or called with. */
export interface AdminServer {
  readonly id: UpstreamId
  readonly kind: UpstreamDefinition['kind']
  readonly description?: string | undefined
  /** Whether one process serves all users of a tenant; said of stdio servers only. */
  readonly shared?: boolean | undefined
  /** Present where each user needs a token of their own. */
  readonly service: ServiceToken | undefined
  /** Present where each user connects an account of theirs. */
  readonly link?: ProviderLink | undefined
}

/** @throws {Problem} `upstream.unknown` */
export function requireServer(servers: readonly AdminServer[], id: string): AdminServer {
  const server = servers.find((candidate) => candidate.id === id)
  if (server === undefined) throw problem('upstream.unknown', { server: id })
  return server
}

/**
 * A server that the key at hand does not open is as unknown as one that is not there.
 *
 * @throws {Problem} `upstream.unknown`
 */
export function requireManaged(servers: readonly AdminServer[], actor: Actor, id: string): AdminServer {
  const server = requireServer(servers, id)
  if (!mayManage(actor, server.id)) throw problem('upstream.unknown', { server: id })
  return server
}
