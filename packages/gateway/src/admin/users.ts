import { createRoute, z } from '@hono/zod-openapi'
import { roles } from '../identity/principal.ts'
import type { User as UserRecord, Users } from '../identity/users.ts'
import { requireMayChange } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminHono } from './context.ts'
import { done, failures, json, jsonBody, toIso } from './openapi.ts'

export interface UserRoutesNeeds {
  readonly users: Pick<Users, 'add' | 'list' | 'require' | 'setRole' | 'remove'>
  readonly audit: AdminAudit
}

const User = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    kind: z.enum(['person', 'agent']),
    createdAt: z.iso.datetime(),
  })
  .openapi('User')

const UserPath = z.strictObject({ user: z.string().meta({ description: 'Id or name.' }) })

const list = createRoute({
  ...routeOf('users.list'),
  request: { query: z.strictObject({}) },
  responses: { 200: json(z.object({ users: z.array(User) }), 'All users, by name.'), ...failures },
})

const add = createRoute({
  ...routeOf('users.add'),
  request: { body: jsonBody(z.strictObject({ name: z.string(), role: z.enum(roles).default('member') })) },
  responses: { 201: json(User, 'The new user.'), ...failures },
})

const changeRole = createRoute({
  ...routeOf('users.role'),
  request: { params: UserPath, body: jsonBody(z.strictObject({ role: z.enum(roles) })) },
  responses: { 200: json(User, 'The user as they are now.'), ...failures },
})

const remove = createRoute({ ...routeOf('users.remove'), request: { params: UserPath }, responses: done })

export function addUserRoutes(app: AdminHono, { users, audit }: UserRoutesNeeds): void {
  app.openapi(list, async (context) => {
    const all = await users.list(actorIn(context).tenant)
    return context.json({ users: all.map(toAnswer) }, 200)
  })

  app.openapi(add, async (context) => {
    const actor = actorIn(context)
    const wanted = context.req.valid('json')
    requireMayChange(actor, wanted.role)
    const user = await users.add(actor.tenant, wanted)
    await audit.record(actor.tenant, { kind: 'user.added', ...doneBy(context), ...target(user), role: user.role })
    return context.json(toAnswer(user), 201)
  })

  app.openapi(changeRole, async (context) => {
    const actor = actorIn(context)
    const { role } = context.req.valid('json')
    const user = await users.require(actor.tenant, context.req.valid('param').user)
    requireMayChange(actor, user.role, role)
    await users.setRole(actor.tenant, user.id, role)
    await audit.record(actor.tenant, { kind: 'user.role_changed', ...doneBy(context), ...target(user), role })
    return context.json(toAnswer({ ...user, role }), 200)
  })

  app.openapi(remove, async (context) => {
    const actor = actorIn(context)
    const user = await users.require(actor.tenant, context.req.valid('param').user)
    requireMayChange(actor, user.role)
    await users.remove(actor.tenant, user.id)
    await audit.record(actor.tenant, { kind: 'user.removed', ...doneBy(context), ...target(user) })
    return context.body(null, 204)
  })
}

function target({ id, name }: UserRecord) {
  return { target: id, name }
}

function toAnswer({ id, name, role, kind, createdAt }: UserRecord) {
  return { id, name, role, kind, createdAt: toIso(createdAt) }
}
