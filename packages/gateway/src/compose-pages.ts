import type { IncomingMessage, ServerResponse } from 'node:http'
import { createAccountApp } from './account/app.ts'
import type { Calls } from './compose-calls.ts'
import type { Kept } from './compose-kept.ts'
import type { People } from './compose-people.ts'
import type { Config } from './config/config.ts'
import { sendJson, type Route } from './http/router.ts'
import { serveWeb } from './http/web.ts'
import { createLoginApp } from './login/app.ts'
import type { PageApp } from './pages/app.ts'
import { accountPaths, loginPaths } from './paths.ts'
import { CLIENT_METADATA_PATH, clientMetadata } from './providers/registration.ts'
import type { World } from './world.ts'

type Follow = <T>(work: Promise<T>) => Promise<T>

const FORM_BYTES = 64 * 1024

/** What people use with a browser, and what clients sign them in with. */
export function createPageRoutes(config: Config, world: World, parts: Kept & People & Calls, follow: Follow): Route[] {
  const { authserver, doors, newRequestId } = parts
  const { login, account } = createApps(config, world, parts)

  function pages(app: PageApp) {
    return (request: IncomingMessage, response: ServerResponse) => {
      const arrival = { address: doors.addressOf(request), requestId: newRequestId() }
      return follow(serveWeb(request, response, { bodyLimit: FORM_BYTES, fetch: (web) => app.fetch(web, arrival) }))
    }
  }

  const loginPages = pages(login)
  const accountPages = pages(account)
  return [
    ...Object.keys(loginPaths).map((path) => ({ ...pathOf(path), handle: loginPages })),
    ...Object.keys(accountPaths).map((path) => ({ ...pathOf(path), handle: accountPages })),
    ...authserver.routes.map((route): Route => ({
      ...route,
      handle: (...arrived) => follow(route.handle(...arrived)),
    })),
    {
      path: CLIENT_METADATA_PATH,
      origins: 'any',
      handle: (_request, response) =>
        sendJson(response, 200, clientMetadata(config.publicUrl, config.outbound.clientMetadataUrl)),
    },
  ]
}

/** A path with a slash at the end is answered with everything below it. */
function pathOf(path: string): Pick<Route, 'path' | 'prefix'> {
  return { path, prefix: path.length > 1 && path.endsWith('/') }
}

function createApps(config: Config, { clock, random }: World, parts: Kept & People & Calls) {
  const { accounts, authserver, connections, doors, audit, login, noteFailure } = parts
  const { federated } = parts
  const common = { audit, clock, federated, publicUrl: config.publicUrl, limits: doors.limits, onFailure: noteFailure }
  return {
    login: createLoginApp({
      ...common,
      ...login,
      watch: parts.watch,
      random,
      users: parts.users,
      interactions: authserver.interactions,
      devices: authserver.devices,
      isKnownClient: (id) => config.oauth.clients.some(({ clientId }) => clientId === id),
      servers: parts.servers,
    }),
    account: createAccountApp({
      ...common,
      ...login,
      storage: parts.storage,
      recent: parts.recent,
      servers: parts.servers,
      aboutProvider: (provider) => aboutProvider(config, provider),
      countTools: parts.countTools,
      credentials: accounts.credentials,
      connections,
      consents: authserver.consents,
      keys: parts.keys,
      users: parts.users,
      onTokenChanged: parts.onTokenChanged,
    }),
  }
}

/** What is found by discovery is known when it is asked for. */
function aboutProvider({ providers }: Config, id: string) {
  const known = providers[id]
  if (!known) return { isSetUp: true, renews: true }
  const { scopes, clientId, refresh } = known
  return { scopes, isSetUp: clientId !== undefined, renews: refresh.rotates !== 'none' }
}
