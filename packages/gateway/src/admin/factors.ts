import { createRoute, z } from '@hono/zod-openapi'
import type { Users } from '../identity/users.ts'
import type { Factors } from '../login/factors/factors.ts'
import type { Sessions } from '../login/sessions.ts'
import { requireMayChange } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminHono } from './context.ts'
import { done } from './openapi.ts'

export interface FactorRoutesNeeds {
  readonly users: Pick<Users, 'require'>
  readonly factors: Pick<Factors, 'reset'>
  readonly sessions: Pick<Sessions, 'endAll'>
  readonly audit: AdminAudit
}

const reset = createRoute({
  ...routeOf('users.resetFactors'),
  request: { params: z.strictObject({ user: z.string().meta({ description: 'Id or name.' }) }) },
  responses: done,
})

/** Whoever lost their second factors is let in with the password alone again, until they set up others. */
export function addFactorRoute(app: AdminHono, { users, factors, sessions, audit }: FactorRoutesNeeds): void {
  app.openapi(reset, async (context) => {
    const actor = actorIn(context)
    const user = await users.require(actor.tenant, context.req.valid('param').user)
    requireMayChange(actor, user.role)
    await factors.reset(actor.tenant, user.id)
    await sessions.endAll(actor.tenant, user.id)
    const about = { target: user.id, name: user.name }
    await audit.record(actor.tenant, { kind: 'factors.reset', ...doneBy(context), ...about })
    return context.body(null, 204)
  })
}
