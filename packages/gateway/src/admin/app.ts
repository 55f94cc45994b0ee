import { problem, toHttpError, type Problem } from '../base/problem.ts'
import { isPassing, secondsToWait } from '../http/refusal.ts'
import type { AdminCaller } from './caller.ts'
import { addAgentRoutes, type AgentRoutesNeeds } from './agents.ts'
import { addConnectionRoutes, type ConnectionRoutesNeeds } from './connections.ts'
import { actorIn, createHono, failureOf, type AdminAudit, type AdminContext, type AdminHono } from './context.ts'
import { addFactorRoute, type FactorRoutesNeeds } from './factors.ts'
import { addInvitationRoutes, type InvitationRoutesNeeds } from './invitations.ts'
import { addKeyRoutes, type KeyRoutesNeeds } from './keys.ts'
import { addLogRoute, type LogRoutesNeeds } from './logs.ts'
import { addMeRoute, type MeRouteNeeds } from './me.ts'
import { addOpenapiRoute } from './openapi.ts'
import { addStatusRoute, type StatusRoutesNeeds } from './status.ts'
import { addTokenRoutes, type TokenRoutesNeeds } from './tokens.ts'
import { addUserRoutes, type UserRoutesNeeds } from './users.ts'

export type { AdminCaller } from './caller.ts'

export type AdminNeeds = AppNeeds &
  MeRouteNeeds &
  UserRoutesNeeds &
  AgentRoutesNeeds &
  InvitationRoutesNeeds &
  FactorRoutesNeeds &
  KeyRoutesNeeds &
  TokenRoutesNeeds &
  ConnectionRoutesNeeds &
  StatusRoutesNeeds &
  LogRoutesNeeds

interface AppNeeds {
  readonly newRequestId: () => string
  /** Told of every request that failed, with its private details. */
  readonly onFailure: (failure: Problem, requestId: string) => void
}

export interface AdminApp {
  /** Answers a request under `/admin/api`; who sent it has been found out before. Never rejects. */
  fetch(request: Request, caller: AdminCaller): Promise<Response>
}

/** The API of administrators and of the command line. */
export function createAdminApp(needs: AdminNeeds): AdminApp {
  const app = createHono()
  prepare(app, needs.audit)
  addMeRoute(app, needs)
  addUserRoutes(app, needs)
  addAgentRoutes(app, needs)
  addInvitationRoutes(app, needs)
  addFactorRoute(app, needs)
  addKeyRoutes(app, needs)
  addTokenRoutes(app, needs)
  addConnectionRoutes(app, needs)
  addStatusRoute(app, needs)
  addLogRoute(app, needs)
  addOpenapiRoute(app)

  const answer = (failure: Problem, context: AdminContext): Response => {
    needs.onFailure(failure, context.env.requestId)
    if (isPassing(failure)) context.header('Retry-After', secondsToWait(failure.details))
    return Response.json(toHttpError(failure, context.env.requestId), {
      status: failure.row.status,
      headers: context.res.headers,
    })
  }
  app.notFound((context) => answer(problem('request.not_found'), context))
  app.onError((error, context) => answer(failureOf(error), context))

  return { fetch: async (request, caller) => app.fetch(request, { caller, requestId: needs.newRequestId() }) }
}

/** Answers hold keys: nobody keeps them. Nothing is changed that could not be recorded. */
function prepare(app: AdminHono, audit: AdminAudit): void {
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store')
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('X-Request-Id', context.env.requestId)
    if (context.req.method !== 'GET') audit.requireRoom(actorIn(context).tenant)
    await next()
  })
}
