import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createGrantStore, type Tokens } from './oauth/store.ts'
import { defaultClients, defaultSettings, type MalClient, type MalOptions, type MalSettings } from './options.ts'
import { createHttp } from './server/http.ts'
import { createRequestLog, type SeenRequest } from './server/request-log.ts'
import type { createSite } from './site.ts'
import { requireUser } from './users.ts'

export interface MalEmulator {
  /** Starts to listen; without a port on any that is free. */
  listen(port?: number): Promise<{ url: string }>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
  /** May be changed at any time; what is set counts from the next request on. */
  readonly settings: MalSettings
  readonly clients: readonly MalClient[]
  /** The latest requests, oldest first; never a query, a body or a token. */
  readonly requests: readonly SeenRequest[]
  /** Ends what a user allowed one application, or all of them. */
  revoke(userName: string, clientId?: string): void
  /** Makes access tokens expired from now on; refresh tokens go on living. */
  expireTokens(userName?: string): void
  /** Tokens without the pages, as if the user had just allowed the application. */
  issueTokens(userName: string, clientId?: string): Tokens
  /** How many entries of the catalogue were made so far. */
  generated(): number
}

/**
 * MyAnimeList as a client meets it: the API below `/v2`, authorization below `/v1/oauth2`, and the pages a person goes
 * through. Everything is invented and in memory. What answers is loaded with the first request, and what it answers
 * with is made as it is asked for, so that whoever starts this pays nothing for what nobody uses.
 */
export function createMalEmulator(options: MalOptions = {}): MalEmulator {
  const { seed = 1, host = '127.0.0.1', control = false, clock = { now: Date.now }, random = randomBytes } = options
  const registered = options.clients ?? defaultClients(['http://localhost:7354/callback'])
  const clients = new Map(registered.map((client) => [client.id, client]))
  const settings = defaultSettings()
  const log = createRequestLog()
  const grants = createGrantStore({ clock, random, settings, memory: options.memory })
  let site: ReturnType<typeof createSite> | undefined
  const server = createHttp({ openRoutes, log, settings })

  return {
    settings,
    clients: registered,
    requests: log.requests,
    revoke: grants.revoke,
    expireTokens: grants.expireAccessTokens,
    generated: () => site?.generated() ?? 0,
    issueTokens: (userName, clientId = registered[0]?.id ?? '') => grants.issueTokens(requireUser(userName), clientId),
    async listen(port = 0) {
      await once(server.listen(port, host), 'listening')
      const address = server.address() as AddressInfo
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}` }
    },
    close,
    [Symbol.asyncDispose]: close,
  }

  async function openRoutes() {
    const { createSite } = await import('./site.ts')
    site ??= createSite({ seed, clock, random, settings, clients, grants, log, control })
    return site.routes
  }

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}
