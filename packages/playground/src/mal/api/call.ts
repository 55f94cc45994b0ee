import type { GrantStore } from '../oauth/store.ts'
import type { MalClient, MalSettings } from '../options.ts'
import type { Catalogue } from '../catalogue/generate.ts'
import type { Library } from '../catalogue/lists.ts'
import type { Exchange, Refusal, Reply, Route } from '../server/exchange.ts'
import { requireUser, type User } from '../users.ts'
import { badRequest, deniedPage, expiredToken, forbidden, invalidToken, tooMany, unavailable } from './errors.ts'
import { parseFields, type FieldTree } from './fields.ts'

/** What every endpoint of the API works with. */
export interface ApiNeeds {
  readonly catalogue: Catalogue
  readonly library: Library
  readonly settings: MalSettings
}

/** One request to the API whose credential was looked at. */
export interface Call {
  readonly exchange: Exchange
  /** Whose access token it was; absent for a mere client id. */
  readonly viewer: User | undefined
  readonly asked: FieldTree
}

export interface Endpoint {
  readonly method: 'GET' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  /** `user` wants an access token, `any` is content with `X-MAL-CLIENT-ID`. */
  readonly auth: 'user' | 'any'
  handle(call: Call): Reply
}

/** Puts the endpoints behind what the settings break, then the credential, then the throttle. */
export function guard({ clients, grants, settings, take }: GuardNeeds, endpoints: readonly Endpoint[]): Route[] {
  return endpoints.map(({ method, path, auth, handle }) => ({
    method,
    path: `/v2${path}`,
    handle(exchange) {
      const failure = nextFailure(settings)
      if (failure) return failure
      if (settings.outage === 'hang') return 'hang'
      if (settings.outage) throw settings.outage === 'html' ? deniedPage(503, 'Maintenance') : unavailable()
      const caller = authenticate(exchange)
      if (!take(caller.key)) throw throttlePages[settings.throttlePage]()
      if (auth === 'user' && !caller.viewer) throw forbidden()
      if (method !== 'GET' && settings.writing === 'refused') throw forbidden()
      return handle({
        exchange,
        viewer: caller.viewer,
        asked: parseFields(exchange.url.searchParams.get('fields') ?? ''),
      })
    },
  }))

  function authenticate({ headers, seen }: Exchange): { key: string; viewer: User | undefined } {
    if (headers.authorization !== undefined) {
      const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization) ?? []
      const held = token === undefined ? undefined : grants.findAccessToken(token)
      if (!held || held.revoked) throw invalidToken()
      seen.user = held.userName
      if (grants.isExpired(held)) throw expiredToken()
      return { key: `${held.clientId}/${held.userName}`, viewer: requireUser(held.userName) }
    }
    const clientId = headers['x-mal-client-id']
    if (typeof clientId !== 'string') throw forbidden()
    if (!clients.has(clientId)) throw badRequest('Invalid client id')
    return { key: clientId, viewer: undefined }
  }
}

interface GuardNeeds {
  clients: ReadonlyMap<string, MalClient>
  grants: GrantStore
  settings: MalSettings
  take(key: string): boolean
}

/** The viewer of an endpoint that lets nobody else in. */
export function requireViewer({ viewer }: Call): User {
  if (!viewer) throw forbidden()
  return viewer
}

const throttlePages: Readonly<Record<MalSettings['throttlePage'], () => Refusal>> = {
  forbidden,
  html: () => deniedPage(403, 'Access denied'),
  too_many: tooMany,
}

function nextFailure(settings: MalSettings): Reply | undefined {
  const planned = settings.failNext
  if (!planned || planned.times < 1) return undefined
  settings.failNext = planned.times > 1 ? { ...planned, times: planned.times - 1 } : undefined
  const headers = { 'content-type': 'application/json; charset=UTF-8', ...planned.headers }
  return { status: planned.status, headers, body: planned.body ?? '' }
}
