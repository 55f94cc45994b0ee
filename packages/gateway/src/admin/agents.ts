import { createRoute, z } from '@hono/zod-openapi'
import { PublicKeys, type Agent as AgentRecord, type Agents, type MadeAgent } from '../authserver/agents.ts'
import type { Users } from '../identity/users.ts'
import { requireMayGrant } from './caller.ts'
import { actorIn, doneBy, routeOf, type AdminAudit, type AdminHono } from './context.ts'
import { done, failures, json, jsonBody, toIso } from './openapi.ts'

export interface AgentRoutesNeeds {
  readonly agents: Pick<Agents, 'add' | 'list' | 'require' | 'renew'>
  readonly users: Pick<Users, 'remove'>
  readonly audit: AdminAudit
  url(): string
}

const Agent = z
  .object({
    id: z.string().meta({ description: 'The id of its user.' }),
    name: z.string(),
    clientId: z.string(),
    method: z.enum(['client_secret_basic', 'private_key_jwt']).meta({ description: 'How it proves who it is.' }),
    createdAt: z.iso.datetime(),
    changedAt: z.iso.datetime().meta({ description: 'When its secret or its keys were last replaced.' }),
  })
  .openapi('Agent')

const Made = z.object({
  agent: Agent,
  clientSecret: z.string().optional().meta({ description: 'Here and never again; absent where it has keys.' }),
  tokenUrl: z.url().meta({ description: 'Where it asks for tokens, with `grant_type=client_credentials`.' }),
})

const AgentPath = z.strictObject({ agent: z.string().meta({ description: 'Id or name.' }) })
const jwks = PublicKeys.optional().meta({ description: 'Its public keys (RFC 7517); then it has no secret.' })
const made = { 201: json(Made, 'The agent, and its secret, here and never again.'), ...failures }

const list = createRoute({
  ...routeOf('agents.list'),
  request: { query: z.strictObject({}) },
  responses: { 200: json(z.object({ agents: z.array(Agent) }), 'All agents, by name.'), ...failures },
})
const add = createRoute({
  ...routeOf('agents.add'),
  request: { body: jsonBody(z.strictObject({ name: z.string(), jwks })) },
  responses: made,
})
const renew = createRoute({
  ...routeOf('agents.renew'),
  request: { params: AgentPath, body: jsonBody(z.strictObject({ jwks })) },
  responses: made,
})
const remove = createRoute({ ...routeOf('agents.remove'), request: { params: AgentPath }, responses: done })

/** An agent calls every server, so whoever makes one, or takes one over, must be able to grant that. */
export function addAgentRoutes(app: AdminHono, { agents, users, audit, url }: AgentRoutesNeeds): void {
  const toMade = ({ agent, clientSecret }: MadeAgent) => ({
    agent: toAnswer(agent),
    clientSecret: clientSecret?.reveal(),
    tokenUrl: `${url()}/token`,
  })

  app.openapi(list, async (context) => {
    const all = await agents.list(actorIn(context).tenant)
    return context.json({ agents: all.map(toAnswer) }, 200)
  })

  app.openapi(add, async (context) => {
    const actor = actorIn(context)
    requireMayGrant(actor, ['mcp'])
    const added = await agents.add(actor.tenant, context.req.valid('json'))
    await audit.record(actor.tenant, { kind: 'agent.added', ...doneBy(context), ...about(added.agent) })
    return context.json(toMade(added), 201)
  })

  app.openapi(renew, async (context) => {
    const actor = actorIn(context)
    requireMayGrant(actor, ['mcp'])
    const { agent: which } = context.req.valid('param')
    const renewed = await agents.renew(actor.tenant, which, context.req.valid('json').jwks)
    await audit.record(actor.tenant, { kind: 'agent.renewed', ...doneBy(context), ...about(renewed.agent) })
    return context.json(toMade(renewed), 201)
  })

  app.openapi(remove, async (context) => {
    const { tenant } = actorIn(context)
    const { userId: target, name } = await agents.require(tenant, context.req.valid('param').agent)
    await users.remove(tenant, target)
    await audit.record(tenant, { kind: 'user.removed', ...doneBy(context), target, name })
    return context.body(null, 204)
  })
}

function about({ userId: target, name, clientId: client, method: how }: AgentRecord) {
  return { target, name, client, how }
}

function toAnswer({ userId: id, name, clientId, method, createdAt, changedAt }: AgentRecord) {
  return { id, name, clientId, method, createdAt: toIso(createdAt), changedAt: toIso(changedAt) }
}
