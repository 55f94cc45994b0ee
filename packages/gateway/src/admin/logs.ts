import { createRoute, z } from '@hono/zod-openapi'
import { problem } from '../base/problem.ts'
import type { Users } from '../identity/users.ts'
import type { Owner } from '../upstreams/children/owner.ts'
import { requireAdministrator, type Actor } from './caller.ts'
import { actorIn, routeOf, type AdminHono } from './context.ts'
import { failures } from './openapi.ts'
import { requireManaged, type AdminServer } from './servers.ts'
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
    const actor = actorIn(context)
    const server = requireManaged(needs.servers(), actor, context.req.valid('param').server)
    const owner = await requireLogOwner(needs, actor, server, context.req.valid('query').user)
    return context.text(needs.children.logs(owner), 200)
  })
}

/**
 * What a server writes while it works for a user can hold anything of that user's, so a key opens only the log of
 * its own user, an administrator's too. A shared server works for everybody: its log is for administrators.
 *
 * @throws {Problem} `auth.role`, `auth.forbidden`, `auth.operator`, `request.params`
 */
async function requireLogOwner(
  { users }: LogRoutesNeeds,
  actor: Actor,
  { id, kind, shared }: AdminServer,
  named: string | undefined,
): Promise<Owner> {
  if (kind !== 'stdio') throw problem('request.params', { reason: `${id} is no process of the gate and has no log` })
  if (shared === true) {
    requireAdministrator(actor)
    return { tenant: actor.tenant, userId: undefined, upstream: id }
  }
  if (actor.kind !== 'operator' && named !== undefined && !isSelf(actor, named)) {
    throw problem('auth.operator', { server: id })
  }
  const { id: userId } = await requireWhose(users, actor, named)
  return { tenant: actor.tenant, userId, upstream: id }
}
