import { createRoute, z } from '@hono/zod-openapi'
import { problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import { mayAdminister } from '../identity/principal.ts'
import type { User, Users } from '../identity/users.ts'
import type { ConnectionRecord } from '../providers/connection-store.ts'
import type { Connections } from '../providers/connections.ts'
import type { ForeignTokens } from '../providers/import.ts'
import { mayManage, requireMayChange, type Actor } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminHono } from './context.ts'
import { failures, json, jsonBody, toIso } from './openapi.ts'
import { requireManaged, type AdminServer } from './servers.ts'
import { requireWhose } from './whose.ts'

export interface ConnectionRoutesNeeds {
  readonly users: Pick<Users, 'list' | 'require'>
  /** They tell whoever goes on with an access token, and the audit log. */
  readonly connections: Pick<Connections, 'list' | 'disconnect' | 'import'>
  servers(): readonly AdminServer[]
}

const Connection = z
  .object({
    provider: z.string().meta({ description: 'Its id, or mcp: and the server that named its own.' }),
    name: z.string().meta({ description: 'What the provider is called.' }),
    user: z.string().meta({ description: 'The name of the user whose it is.' }),
    account: z.string().nullable().meta({ description: 'What the provider calls the account, where it says.' }),
    status: z.enum(['connected', 'rejected']).meta({
      description: 'Rejected: the provider does not accept it any more, and its user has to connect again.',
    }),
    scopes: z.array(z.string()),
    connectedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable().meta({ description: 'When the access token expires, renewed before that.' }),
    refreshedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
    failure: z.string().nullable().meta({ description: 'The code of the last failure since the last success.' }),
    failedAt: z.iso.datetime().nullable(),
  })
  .openapi('Connection')

const WhoseQuery = z.strictObject({
  user: z.string().optional().meta({ description: 'Id or name; only administrators name another than themselves.' }),
})

const list = createRoute({
  ...routeOf('connections.list'),
  request: { query: WhoseQuery },
  responses: {
    200: json(z.object({ connections: z.array(Connection) }), 'Which accounts are connected.'),
    ...failures,
  },
})

/** What may stand in a header as a bearer token (RFC 6750 §2.1), and any other text without spaces. */
const Token = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[\x21-\x7e]+$/)

const take = createRoute({
  ...routeOf('connections.import'),
  request: {
    body: jsonBody(
      z.strictObject({
        server: z.string().meta({ description: 'A server that needs an account at a provider of the configuration.' }),
        user: z.string().optional(),
        accessToken: Token,
        refreshToken: Token.optional(),
        expiresAt: z.int().min(1).optional().meta({ description: 'In milliseconds since 1970.' }),
        scopes: z.array(z.string().min(1)).max(100).optional(),
      }),
    ),
  },
  responses: {
    201: json(
      Connection.extend({ checked: z.boolean().meta({ description: 'Whether the provider said whose they are.' }) }),
      'The connection, tried.',
    ),
    ...failures,
  },
})

const remove = createRoute({
  ...routeOf('connections.remove'),
  request: { params: z.strictObject({ provider: z.string() }), query: WhoseQuery },
  responses: {
    200: json(
      z.object({
        revoked: z.boolean().meta({ description: 'Whether the provider confirmed that it took them back.' }),
      }),
      'The tokens are forgotten.',
    ),
    ...failures,
  },
})

export function addConnectionRoutes(app: AdminHono, needs: ConnectionRoutesNeeds): void {
  app.openapi(list, async (context) => {
    const { user } = context.req.valid('query')
    return context.json({ connections: await listConnections(needs, actorIn(context), user) }, 200)
  })

  app.openapi(take, async (context) => {
    const actor = actorIn(context)
    const { server: id, user: named, ...given } = context.req.valid('json')
    const user = await requireWhose(needs.users, actor, named)
    requireMayChange(actor, user.role)
    const { link } = requireManaged(needs.servers(), actor, id)
    if (link === undefined) throw problem('connection.not_importable', { server: id })
    const holder = { tenant: actor.tenant, userId: user.id }
    const imported = { holder, link, server: id, tokens: tokensOf(given), by: doneBy(context) }
    const { account } = await needs.connections.import(imported)
    const made = (await needs.connections.list(actor.tenant, user.id)).find(
      ({ provider }) => provider === link.provider,
    )
    if (made === undefined) throw problem('connection.unknown', { provider: link.name })
    return context.json({ ...toAnswer(made, link.name, user), checked: account !== undefined }, 201)
  })

  app.openapi(remove, async (context) => {
    const actor = actorIn(context)
    const user = await requireWhose(needs.users, actor, context.req.valid('query').user)
    requireMayChange(actor, user.role)
    const { provider } = context.req.valid('param')
    if (!mayReach(needs, actor, provider)) throw problem('connection.unknown', { provider })
    const holder = { tenant: actor.tenant, userId: user.id }
    const { revoked } = await needs.connections.disconnect(holder, provider, doneBy(context))
    return context.json({ revoked }, 200)
  })
}

interface Given {
  readonly accessToken: string
  readonly refreshToken?: string | undefined
  readonly expiresAt?: number | undefined
  readonly scopes?: readonly string[] | undefined
}

function tokensOf({ accessToken, refreshToken, expiresAt, scopes }: Given): ForeignTokens {
  const refresh = refreshToken === undefined ? undefined : secret(refreshToken)
  return { accessToken: secret(accessToken), refreshToken: refresh, expiresAt, scopes }
}

/** Administrators who name nobody are shown everybody's. */
async function listConnections(needs: ConnectionRoutesNeeds, actor: Actor, named: string | undefined) {
  const everybody = named === undefined && mayAdminister(actor)
  const users = everybody ? await needs.users.list(actor.tenant) : [await requireWhose(needs.users, actor, named)]
  const found: z.input<typeof Connection>[] = []
  // One user after the other, so that a long list leaves the database to the others as well.
  for (const user of users) {
    const records = await needs.connections.list(actor.tenant, user.id)
    const shown = records.filter(({ provider }) => mayReach(needs, actor, provider))
    found.push(...shown.map((record) => toAnswer(record, nameOf(needs, record.provider), user)))
  }
  return found
}

/** A key for one server reaches the account that this server uses; one that no server uses needs a key for all. */
function mayReach(needs: ConnectionRoutesNeeds, actor: Actor, provider: string): boolean {
  const servers = serversAt(needs, provider)
  if (servers.length === 0) return mayAdminister(actor) || actor.scopes.includes('mcp')
  return servers.some(({ id }) => mayManage(actor, id))
}

function serversAt(needs: ConnectionRoutesNeeds, provider: string): AdminServer[] {
  return needs.servers().filter(({ link }) => link?.provider === provider)
}

/** A provider that no server uses any more goes by its id. */
function nameOf(needs: ConnectionRoutesNeeds, provider: string): string {
  return serversAt(needs, provider)[0]?.link?.name ?? provider
}

function toAnswer(record: ConnectionRecord, name: string, user: User) {
  return {
    provider: record.provider,
    name,
    user: user.name,
    account: record.account ?? null,
    status: record.status,
    scopes: [...record.scopes],
    connectedAt: toIso(record.connectedAt),
    expiresAt: isoOrNull(record.expiresAt),
    refreshedAt: isoOrNull(record.refreshedAt),
    lastUsedAt: isoOrNull(record.lastUsedAt),
    failure: record.failure ?? null,
    failedAt: isoOrNull(record.failedAt),
  }
}

function isoOrNull(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : toIso(milliseconds)
}
