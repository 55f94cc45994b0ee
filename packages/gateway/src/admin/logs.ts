import { createRoute, z } from '@hono/zod-openapi'
import { problem } from '../base/problem.ts'
import type { Users } from '../identity/users.ts'
import type { Owner } from '../upstreams/children/owner.ts'
import type { Actor } from './caller.ts'
import { actorIn, routeOf, type AdminHono } from './context.ts'
import { failures } from './openapi.ts'
import { requireServer, type AdminServer } from './servers.ts'
import { isSelf, requireWhose } from './whose.ts'

export interface LogRoutesNeeds {
  readonly users: Pick<Users, 'list' | 'require'>
  servers(): readonly AdminServer[]
  readonly children: { logs(owner: Owner): string }
}

const show = createRoute({
  ...routeOf('logs.show'),
  request: {
    params: z.strictObject({ server: z.string() }),
    query: z.strictObject({ user: z.string().optional().meta({ description: 'Id or name; for the operator only.' }) }),
  },
  responses: {
    200: {
      description: 'The last lines, empty where there are none.',
      content: { 'text/plain': { schema: z.string() } },
    },
    ...failures,
  },
})

export function addLogRoute(app: AdminHono, needs: LogRoutesNeeds): void {
  app.openapi(show, async (context) => {
    const server = requireServer(needs.servers(), context.req.valid('param').server)
    const owner = await requireLogOwner(needs, actorIn(context), server, context.req.valid('query').user)
    return context.text(needs.children.logs(owner), 200)
  })
}

/**
 * What a server writes while it works for a user can hold anything of that user's, so an administrator's key
 * opens only the logs of its own user and of servers that nobody owns.
 */
async function requireLogOwner(
  { users }: LogRoutesNeeds,
  actor: Actor,
  { id, kind, shared }: AdminServer,
  named: string | undefined,
): Promise<Owner> {
  if (kind !== 'stdio') throw problem('request.params', { reason: `${id} is no process of the gate and has no log` })
  if (shared === true) return { tenant: actor.tenant, userId: undefined, upstream: id }
  if (actor.kind !== 'operator' && named !== undefined && !isSelf(actor, named)) {
    throw problem('auth.role', { role: 'operator' })
  }
  const { id: userId } = await requireWhose(users, actor, named)
  return { tenant: actor.tenant, userId, upstream: id }
}
