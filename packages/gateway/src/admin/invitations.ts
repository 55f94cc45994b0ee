import { createRoute, z } from '@hono/zod-openapi'
import type { Users } from '../identity/users.ts'
import type { Invitations } from '../login/invitations.ts'
import { requireMayChange, requireMayGrant } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminHono } from './context.ts'
import { failures, json, toIso } from './openapi.ts'

export interface InvitationRoutesNeeds {
  readonly users: Pick<Users, 'require'>
  readonly invitations: Pick<Invitations, 'create'>
  readonly audit: AdminAudit
}

const Invitation = z
  .object({
    url: z.url().meta({ description: 'Where the user sets a password, once. It is shown here and never again.' }),
    expiresAt: z.iso.datetime(),
  })
  .openapi('Invitation')

const invite = createRoute({
  ...routeOf('users.invite'),
  request: { params: z.strictObject({ user: z.string().meta({ description: 'Id or name.' }) }) },
  responses: {
    201: json(Invitation, 'The link. Whoever opens it becomes that user: hand it to nobody else.'),
    ...failures,
  },
})

/**
 * A link opens all that its user may: whoever makes one for an owner has to be an owner, and a key that calls no
 * server makes nobody who does.
 */
export function addInvitationRoute(app: AdminHono, { users, invitations, audit }: InvitationRoutesNeeds): void {
  app.openapi(invite, async (context) => {
    const actor = actorIn(context)
    const user = await users.require(actor.tenant, context.req.valid('param').user)
    requireMayChange(actor, user.role)
    requireMayGrant(actor, ['mcp'])
    const { url, expiresAt } = await invitations.create(actor.tenant, user.id)
    const about = { target: user.id, name: user.name, expires: expiresAt }
    await audit.record(actor.tenant, { kind: 'invitation.made', ...doneBy(context), ...about })
    return context.json({ url: url.reveal(), expiresAt: toIso(expiresAt) }, 201)
  })
}
