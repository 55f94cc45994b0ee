import { createRoute, z } from '@hono/zod-openapi'
import { VERSION } from '../base/version.ts'
import { routeOf, type AdminHono } from './context.ts'

const Failure = z
  .object({
    error: z.object({
      code: z.string().meta({ description: 'As in the reference of errors.' }),
      message: z.string(),
      details: z.object({ fix: z.string(), docs: z.string(), requestId: z.string() }),
    }),
  })
  .openapi('Failure')

const FAILURE = { description: 'Why not, and what to do.', content: { 'application/json': { schema: Failure } } }

/** The description of an answer in JSON. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** What every route may answer beside its own. */
export const failures = { '4XX': FAILURE, '5XX': FAILURE } as const

/** The answers of a route that has nothing to say but that it is done. */
export const done = { 204: { description: 'Done.' }, ...failures } as const

/** The body of a request, which is never left out. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } } as const
}

/** A time as people and programs read it; it is kept in milliseconds since the epoch. */
export function toIso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

const show = createRoute({
  ...routeOf('openapi.show'),
  responses: { 200: { description: 'The OpenAPI 3.1 document.' }, ...failures },
})

/** The document describes the routes of the app as they are, so it is made when it is first asked for. */
export function addOpenapiRoute(app: AdminHono): void {
  let document: ReturnType<typeof describe> | undefined
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer' })
  app.openapi(show, (context) => context.json((document ??= describe(app)), 200))
}

function describe(app: AdminHono) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Sekisho administration',
      version: VERSION,
      description:
        'The users, API keys, service tokens, connections and state of a gate. The command line is made of it.',
    },
  })
}
