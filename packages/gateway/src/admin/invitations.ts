import { createRoute, z } from '@hono/zod-openapi'
import { problem } from '../base/problem.ts'
import type { Users } from '../identity/users.ts'
import type { Invitations } from '../login/invitations.ts'
import { requireMayChange, requireMayGrant } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminContext, type AdminHono } from './context.ts'
import { failures, json, toIso } from './openapi.ts'

export interface InvitationRoutesNeeds {
  readonly users: Pick<Users, 'require'>
  readonly invitations: Pick<Invitations, 'create'>
  readonly audit: AdminAudit
}

const Invitation = z
  .object({
    url: z.url().meta({ description: 'Where the user comes in, once. It is shown here and never again.' }),
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

const reset = createRoute({
  ...routeOf('users.reset'),
  request: { params: z.strictObject({ user: z.string().meta({ description: 'Id or name.' }) }) },
  responses: invite.responses,
})

/**
 * A link opens all that its user may: whoever makes one for an owner has to be an owner, and a key that calls no
 * server makes nobody who does.
 */
export function addInvitationRoutes(app: AdminHono, { users, invitations, audit }: InvitationRoutesNeeds): void {
  async function make(context: AdminContext, who: string, kind: 'invitation.made' | 'password.reset_made') {
    const actor = actorIn(context)
    const user = await users.require(actor.tenant, who)
    requireMayChange(actor, user.role)
    requireMayGrant(actor, ['mcp'])
    if (user.kind === 'agent') throw problem('agent.no_password', { user: user.name })
    const { url, expiresAt } = await invitations.create(actor.tenant, user.id)
    const about = { target: user.id, name: user.name, expires: expiresAt }
    await audit.record(actor.tenant, { kind, ...doneBy(context), ...about })
    return { url: url.reveal(), expiresAt: toIso(expiresAt) }
  }

  app.openapi(invite, async (context) =>
    context.json(await make(context, context.req.valid('param').user, 'invitation.made'), 201),
  )
  app.openapi(reset, async (context) =>
    context.json(await make(context, context.req.valid('param').user, 'password.reset_made'), 201),
  )
}
