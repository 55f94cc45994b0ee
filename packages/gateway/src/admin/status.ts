import { createRoute, z } from '@hono/zod-openapi'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { VERSION } from '../base/version.ts'
import type { Users } from '../identity/users.ts'
import type { ChildView } from '../upstreams/children/pool.ts'
import { actorIn, routeOf, type AdminHono } from './context.ts'
import { failures, json, toIso } from './openapi.ts'
import type { AdminServer } from './servers.ts'

export interface StatusRoutesNeeds {
  readonly users: Pick<Users, 'list'>
  servers(): readonly AdminServer[]
  readonly children: { list(): readonly ChildView[] }
  readonly clock: Clock
  /** When the gate started, in milliseconds since the epoch. */
  readonly startedAt: number
  /** The address people use. */
  url(): string
}

const Server = z
  .object({
    id: z.string(),
    kind: z.enum(['stdio', 'http', 'builtin']),
    description: z.string().optional(),
    shared: z.boolean().meta({ description: 'Whether one process serves all users.' }),
    needsToken: z.boolean(),
    service: z.string().optional().meta({ description: 'Of which service the token is.' }),
    provider: z.string().optional().meta({ description: 'Where each user connects an account for it.' }),
  })
  .openapi('Server')

const Child = z
  .object({
    server: z.string(),
    user: z.string().optional().meta({ description: 'For whom it runs; absent where it is shared.' }),
    state: z.enum(['starting', 'ready', 'draining', 'ending', 'failed']),
    pid: z.int().optional(),
    since: z.iso.datetime(),
    pending: z.int().meta({ description: 'Calls that wait for their answer.' }),
    rssMb: z.number().optional().meta({ description: 'Memory of the whole process tree.' }),
    failure: z.string().optional(),
  })
  .openapi('Child')

const Status = z
  .object({
    version: z.string(),
    uptimeSeconds: z.int(),
    url: z.string(),
    servers: z.array(Server),
    children: z.array(Child),
  })
  .openapi('Status')

const show = createRoute({
  ...routeOf('status.show'),
  request: { query: z.strictObject({}) },
  responses: { 200: json(Status, 'What runs.'), ...failures },
})

export function addStatusRoute(app: AdminHono, needs: StatusRoutesNeeds): void {
  app.openapi(show, async (context) =>
    context.json(
      {
        version: VERSION,
        uptimeSeconds: Math.floor((needs.clock.now() - needs.startedAt) / 1000),
        url: needs.url(),
        servers: needs.servers().map(toServer),
        children: await listChildren(needs, actorIn(context).tenant),
      },
      200,
    ),
  )
}

function toServer({ id, kind, description, shared = false, service, link }: AdminServer) {
  const asks = { needsToken: service !== undefined, service: service?.name, provider: link?.name }
  return { id, kind, description, shared, ...asks }
}

async function listChildren({ users, children }: StatusRoutesNeeds, tenant: TenantId) {
  const names = new Map((await users.list(tenant)).map(({ id, name }) => [id, name]))
  const own = children.list().filter((child) => child.tenant === tenant)
  return own.map(({ upstream, userId, state, pid, since, pending, rssMb, failure }) => ({
    server: upstream,
    user: userId && (names.get(userId) ?? userId),
    state,
    pid,
    since: toIso(since),
    pending,
    rssMb,
    failure,
  }))
}
