import { OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Audit } from '../audit/append.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { actorOf, requireAdministrator, type Actor, type AdminCaller } from './caller.ts'
import { adminRoutes, type AdminRoute, type AdminRouteName } from './routes.ts'

/** What stands beside every request: who sent it, and what it is called in logs, errors and the audit log. */
export interface AdminEnv {
  readonly Bindings: { readonly caller: AdminCaller; readonly requestId: string }
}
export type AdminContext = Context<AdminEnv>
export type AdminHono = OpenAPIHono<AdminEnv>
export type AdminAudit = Pick<Audit, 'record' | 'requireRoom'>

/** The app without its routes. What does not fit its schema is refused in the words of the error table. */
export function createHono(): AdminHono {
  return new OpenAPIHono<AdminEnv>({
    defaultHook: (result) => {
      if (!result.success) throw problem('request.params', { reason: readable(result.error) })
    },
  })
}

/** Says what is wrong where; never the value, which may be a secret. */
function readable({ issues }: z.core.$ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ')
}

/** The part of a route that its row tells: where it is, what it does, and the guard that runs before all else. */
export function routeOf<N extends AdminRouteName>(name: N): RouteOf<(typeof adminRoutes)[N]> {
  const row: (typeof adminRoutes)[N] = adminRoutes[name]
  return {
    method: row.method,
    path: row.path,
    summary: row.does,
    operationId: name,
    tags: [name.slice(0, name.indexOf('.'))],
    security: [{ apiKey: [] }],
    middleware: guardOf(row),
  }
}

/** Keeps the row's own method and path in the type, from which the framework works out a handler's. */
interface RouteOf<R extends AdminRoute> {
  readonly method: R['method']
  readonly path: R['path']
  readonly summary: string
  readonly operationId: AdminRouteName
  readonly tags: string[]
  readonly security: Record<string, string[]>[]
  readonly middleware: MiddlewareHandler<AdminEnv>
}

/** `self` depends on whom a request names: its routes ask for that themselves. */
function guardOf({ who }: AdminRoute): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    if (who === 'administrator') requireAdministrator(actorIn(context))
    await next()
  }
}

export function actorIn({ env }: AdminContext): Actor {
  return actorOf(env.caller)
}

/** What every entry of the audit log says: who did it, with which key, under which request id. */
export function doneBy(context: AdminContext) {
  const { userId, keyId } = actorIn(context)
  return { userId, key: keyId, requestId: context.env.requestId }
}

/** Takes whatever stopped a request, the framework's own refusals too. */
export function failureOf(error: unknown): Problem {
  if (!(error instanceof HTTPException)) return asProblem(error)
  if (error.status === 415) return problem('request.media_type', { cause: error })
  if (error.status === 400) return problem('request.params', { reason: 'the body is not JSON', cause: error })
  return asProblem(error)
}
