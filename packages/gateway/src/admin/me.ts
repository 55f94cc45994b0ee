import { createRoute, z } from '@hono/zod-openapi'
import { maySeeUpstream, roles } from '../identity/principal.ts'
import type { ApiKeys } from '../identity/keys.ts'
import type { Actor } from './caller.ts'
import { actorIn, routeOf, type AdminHono } from './context.ts'
import { failures, json, toIso } from './openapi.ts'
import type { AdminServer } from './servers.ts'

export interface MeRouteNeeds {
  readonly keys: Pick<ApiKeys, 'list'>
  servers(): readonly AdminServer[]
}

const Me = z
  .object({
    user: z
      .object({ id: z.string(), name: z.string(), role: z.enum(roles) })
      .nullable()
      .meta({ description: 'Null for the operator, who is nobody in particular.' }),
    scopes: z.array(z.string()).meta({ description: 'What the key at hand opens.' }),
    servers: z.array(z.string()).meta({ description: 'The servers it may call.' }),
    expiresAt: z.iso.datetime().optional().meta({ description: 'When the key ends; absent where it does not.' }),
  })
  .openapi('Me')

const show = createRoute({
  ...routeOf('me.show'),
  request: { query: z.strictObject({}) },
  responses: { 200: json(Me, 'Who asks, and what they may.'), ...failures },
})

export function addMeRoute(app: AdminHono, needs: MeRouteNeeds): void {
  app.openapi(show, async (context) => {
    const actor = actorIn(context)
    const expiresAt = await findEnd(needs.keys, actor)
    const answer = {
      user: toUser(actor),
      scopes: [...actor.scopes],
      servers: needs.servers().flatMap(({ id }) => (maySeeUpstream(actor, id) ? [id] : [])),
    }
    return context.json(expiresAt === null ? answer : { ...answer, expiresAt: toIso(expiresAt) }, 200)
  })
}

function toUser({ userId: id, userName: name, role }: Actor) {
  return id === undefined || name === undefined ? null : { id, name, role }
}

/** When the key at hand ends; `null` where it does not, and for the operator, who has none. */
async function findEnd(keys: MeRouteNeeds['keys'], { tenant, userId, keyId }: Actor): Promise<number | null> {
  if (keyId === undefined) return null
  const own = await keys.list(tenant, userId)
  return own.find(({ id }) => id === keyId)?.expiresAt ?? null
}
