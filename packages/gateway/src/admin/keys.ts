import { createRoute, z } from '@hono/zod-openapi'
import type { Clock } from '../base/clock.ts'
import { problem } from '../base/problem.ts'
import type { ApiKey as KeyRecord, ApiKeys } from '../identity/keys.ts'
import { KEY_DAYS, KEY_NAME } from '../identity/key-rules.ts'
import { isScope } from '../identity/principal.ts'
import type { User, Users } from '../identity/users.ts'
import { requireMayChange, requireMayGrant, type Actor } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminContext, type AdminHono } from './context.ts'
import { done, failures, json, jsonBody, toIso } from './openapi.ts'
import { requireServer, type AdminServer } from './servers.ts'

export interface KeyRoutesNeeds {
  readonly users: Pick<Users, 'list' | 'require'>
  readonly keys: Pick<ApiKeys, 'add' | 'list' | 'revoke'>
  servers(): readonly AdminServer[]
  readonly audit: AdminAudit
  readonly clock: Clock
}

const DAY_MS = 86_400_000

const Key = z
  .object({
    id: z.string(),
    user: z.string().meta({ description: 'The name of the user it belongs to.' }),
    name: z.string(),
    prefix: z.string().meta({ description: 'How the key begins, to tell keys apart by.' }),
    scopes: z.array(z.string()),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .openapi('Key')

const NewKey = z.strictObject({
  user: z.string().meta({ description: 'Id or name.' }),
  name: z
    .string()
    .regex(KEY_NAME, 'has 1 to 64 characters, none of them control characters')
    .default('key')
    .meta({ description: 'What it is for.' }),
  scopes: z
    .array(z.string().refine(isScope, 'is not one of mcp, mcp:<server>, admin, metrics'))
    .min(1)
    .max(64)
    .default(['mcp'])
    .meta({ description: '`mcp` (every server), `mcp:<server>` (that one), `admin`, `metrics`.' }),
  expiresInDays: z.int().min(1).max(KEY_DAYS).optional().meta({ description: 'Without it, it does not expire.' }),
})

const list = createRoute({
  ...routeOf('keys.list'),
  request: { query: z.strictObject({ user: z.string().optional() }) },
  responses: { 200: json(z.object({ keys: z.array(Key) }), 'The keys, the oldest first.'), ...failures },
})

const add = createRoute({
  ...routeOf('keys.add'),
  request: { body: jsonBody(NewKey) },
  responses: {
    201: json(z.object({ key: z.string(), record: Key }), 'The key, here and never again, and its record.'),
    ...failures,
  },
})

const revoke = createRoute({
  ...routeOf('keys.revoke'),
  request: { params: z.strictObject({ key: z.string() }) },
  responses: done,
})

export function addKeyRoutes(app: AdminHono, needs: KeyRoutesNeeds): void {
  const { users, keys } = needs

  app.openapi(list, async (context) => {
    const { tenant } = actorIn(context)
    const { user } = context.req.valid('query')
    const all = user === undefined ? await users.list(tenant) : [await users.require(tenant, user)]
    const names = new Map(all.map(({ id, name }) => [id, name]))
    const found = await keys.list(tenant, user === undefined ? undefined : all[0]?.id)
    return context.json({ keys: found.map((key) => toAnswer(key, names.get(key.userId) ?? key.userId)) }, 200)
  })

  app.openapi(add, async (context) => {
    const actor = actorIn(context)
    const wanted = context.req.valid('json')
    const user = await users.require(actor.tenant, wanted.user)
    refuseBeyond(actor, user, wanted.scopes, needs.servers())
    const { key, record } = await keys.add(actor.tenant, toNewKey(wanted, user, needs.clock.now()))
    await recordAdded(needs.audit, context, record)
    return context.json({ key: key.reveal(), record: toAnswer(record, user.name) }, 201)
  })

  app.openapi(revoke, async (context) => {
    const actor = actorIn(context)
    const known = await requireKey(keys, actor, context.req.valid('param').key)
    requireMayChange(actor, (await users.require(actor.tenant, known.userId)).role)
    if (known.revokedAt === null) await revokeAndRecord(needs, context, known)
    return context.body(null, 204)
  })
}

/** What is wanted is checked against the maker, the user it is for, and the servers there are. */
function refuseBeyond(actor: Actor, user: User, scopes: readonly string[], servers: readonly AdminServer[]): void {
  requireMayChange(actor, user.role)
  requireMayGrant(actor, scopes)
  if (user.role === 'member' && scopes.includes('admin')) {
    throw problem('request.params', { reason: `scopes: admin is for owners and admins, and ${user.name} is a member` })
  }
  for (const scope of scopes) if (scope.startsWith('mcp:')) requireServer(servers, scope.slice('mcp:'.length))
}

function toNewKey({ name, scopes, expiresInDays }: z.output<typeof NewKey>, user: User, now: number) {
  const expiresAt = expiresInDays === undefined ? undefined : now + expiresInDays * DAY_MS
  return { userId: user.id, name, scopes: [...new Set(scopes)], expiresAt }
}

async function recordAdded(audit: AdminAudit, context: AdminContext, record: KeyRecord): Promise<void> {
  const { id, userId, name, scopes, expiresAt } = record
  await audit.record(actorIn(context).tenant, {
    kind: 'key.added',
    ...doneBy(context),
    target: id,
    owner: userId,
    name,
    scopes: scopes.join(' '),
    expires: expiresAt ?? undefined,
  })
}

async function requireKey(keys: KeyRoutesNeeds['keys'], { tenant }: Actor, id: string): Promise<KeyRecord> {
  const key = (await keys.list(tenant)).find((candidate) => candidate.id === id)
  if (key === undefined) throw problem('key.unknown', { key: id })
  return key
}

async function revokeAndRecord({ keys, audit }: KeyRoutesNeeds, context: AdminContext, key: KeyRecord): Promise<void> {
  const { tenant } = actorIn(context)
  await keys.revoke(tenant, key.id)
  await audit.record(tenant, { kind: 'key.revoked', ...doneBy(context), target: key.id, owner: key.userId })
}

function toAnswer({ id, name, prefix, scopes, ...times }: KeyRecord, user: string) {
  return {
    id,
    user,
    name,
    prefix,
    scopes: [...scopes],
    createdAt: toIso(times.createdAt),
    expiresAt: orNull(times.expiresAt),
    revokedAt: orNull(times.revokedAt),
    lastUsedAt: orNull(times.lastUsedAt),
  }
}

function orNull(milliseconds: number | null): string | null {
  return milliseconds === null ? null : toIso(milliseconds)
}
