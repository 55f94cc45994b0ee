import { createRoute, z } from '@hono/zod-openapi'
import type { TenantId, UpstreamId, UserId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import { mayAdminister } from '../identity/principal.ts'
import type { User, Users } from '../identity/users.ts'
import type { Credentials } from '../providers/credential.ts'
import type { ServiceToken } from '../providers/service.ts'
import type { VaultRecord } from '../vault/vault.ts'
import { mayManage, requireMayChange, type Actor } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminContext, type AdminHono } from './context.ts'
import { done, failures, json, jsonBody, toIso } from './openapi.ts'
import { requireManaged, type AdminServer } from './servers.ts'
import { requireWhose } from './whose.ts'

export interface TokenRoutesNeeds {
  readonly users: Pick<Users, 'list' | 'require'>
  readonly credentials: Pick<Credentials, 'set' | 'remove' | 'list'>
  servers(): readonly AdminServer[]
  readonly audit: AdminAudit
  /** Told before the change is answered, so that nothing goes on with the token of before. */
  onTokenChanged(tenant: TenantId, userId: UserId, server: UpstreamId): void
}

const Token = z
  .object({
    server: z.string(),
    user: z.string().meta({ description: 'The name of the user whose it is.' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .openapi('Token')

const ServerPath = z.strictObject({ server: z.string() })
const WhoseQuery = z.strictObject({
  user: z.string().optional().meta({ description: 'Id or name; only administrators name another than themselves.' }),
})

const list = createRoute({
  ...routeOf('tokens.list'),
  request: { query: WhoseQuery },
  responses: { 200: json(z.object({ tokens: z.array(Token) }), 'Which tokens are set.'), ...failures },
})

const set = createRoute({
  ...routeOf('tokens.set'),
  request: {
    params: ServerPath,
    body: jsonBody(z.strictObject({ user: z.string().optional(), token: z.string().min(1).max(4096) })),
  },
  responses: done,
})

const remove = createRoute({
  ...routeOf('tokens.remove'),
  request: { params: ServerPath, query: WhoseQuery },
  responses: done,
})

export function addTokenRoutes(app: AdminHono, needs: TokenRoutesNeeds): void {
  app.openapi(list, async (context) => {
    const { user } = context.req.valid('query')
    return context.json({ tokens: await listTokens(needs, actorIn(context), user) }, 200)
  })

  app.openapi(set, async (context) => {
    const actor = actorIn(context)
    const { user: named, token } = context.req.valid('json')
    const user = await requireOwner(needs, actor, named)
    const server = requireManaged(needs.servers(), actor, context.req.valid('param').server)
    const service = requireService(server)
    await needs.credentials.set({ tenant: actor.tenant, userId: user.id }, service, secret(token))
    await changed(needs, context, { kind: 'token.set', user, service: service.service })
    return context.body(null, 204)
  })

  app.openapi(remove, async (context) => {
    const actor = actorIn(context)
    const user = await requireOwner(needs, actor, context.req.valid('query').user)
    const service = findService(needs, actor, context.req.valid('param').server)
    const removed = await needs.credentials.remove({ tenant: actor.tenant, userId: user.id }, service)
    if (!removed) throw problem('token.unknown', { user: user.name, server: context.req.valid('param').server })
    await changed(needs, context, { kind: 'token.removed', user, service })
    return context.body(null, 204)
  })
}

/** Administrators who name nobody are shown everybody's. */
async function listTokens(needs: TokenRoutesNeeds, actor: Actor, named: string | undefined) {
  const everybody = named === undefined && mayAdminister(actor)
  const users = everybody ? await needs.users.list(actor.tenant) : [await requireWhose(needs.users, actor, named)]
  const records = await needs.credentials.list(actor.tenant, everybody ? undefined : users[0]?.id)
  const names = new Map(users.map(({ id, name }) => [id, name]))
  return records.flatMap((record) => {
    const servers = serversOf(needs.servers(), record.provider).filter((server) => mayManage(actor, server))
    return servers.map((server) => toAnswer(record, server, names.get(record.userId) ?? record.userId))
  })
}

/** Several servers can share a service. One that is no longer configured goes by the name it had. */
function serversOf(servers: readonly AdminServer[], service: string): UpstreamId[] {
  const found = servers.filter((server) => server.service?.service === service).map(({ id }) => id)
  return found.length > 0 ? found : [service as UpstreamId]
}

/** Whose token is changed. To put one's own token in an owner's place would be to act as that owner. */
async function requireOwner({ users }: TokenRoutesNeeds, actor: Actor, named: string | undefined): Promise<User> {
  const user = await requireWhose(users, actor, named)
  requireMayChange(actor, user.role)
  return user
}

function requireService({ id, service }: AdminServer): ServiceToken {
  if (service === undefined) throw problem('token.not_used', { server: id })
  return service
}

/** What a server's tokens are kept under; those of a server that is gone can still be removed. */
function findService(needs: TokenRoutesNeeds, actor: Actor, id: string): string {
  const isThere = needs.servers().some((server) => server.id === id)
  return isThere ? requireService(requireManaged(needs.servers(), actor, id)).service : id
}

interface Change {
  readonly kind: 'token.set' | 'token.removed'
  readonly user: User
  readonly service: string
}

async function changed(needs: TokenRoutesNeeds, context: AdminContext, { kind, user, service }: Change): Promise<void> {
  const { tenant } = actorIn(context)
  for (const server of serversOf(needs.servers(), service)) needs.onTokenChanged(tenant, user.id, server)
  await needs.audit.record(tenant, { kind, ...doneBy(context), owner: user.id, service })
}

function toAnswer({ createdAt, updatedAt, lastUsedAt }: VaultRecord, server: string, user: string) {
  return {
    server,
    user,
    createdAt: toIso(createdAt),
    updatedAt: toIso(updatedAt),
    lastUsedAt: lastUsedAt === null ? null : toIso(lastUsedAt),
  }
}
