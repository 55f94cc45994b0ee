import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWTPayload } from 'jose'
import type Provider from 'oidc-provider'
import { createMemory } from './adapter.ts'
import { createKeys, type Signing } from './keys.ts'
import { defaultClient, type IdentityClient, type IdentityOptions, type IdentitySettings } from './options.ts'
import { createOpenIdProvider } from './provider.ts'
import { answerSignIn } from './sign-in.ts'
import { requireIdentityUser } from './users.ts'

/** How a logout token differs from one that is right. */
export interface LogoutTokenChange {
  readonly claims?: JWTPayload
  readonly without?: readonly string[]
  readonly how?: Signing
  readonly typ?: string
}

export interface IdentityEmulator extends AsyncDisposable {
  /** Starts to listen, and answers the issuer; without a port on any that is free. */
  listen(port?: number): Promise<{ url: string }>
  close(): Promise<void>
  readonly settings: IdentitySettings
  readonly clients: readonly IdentityClient[]
  /** What came, oldest first: method and path, never a query. */
  readonly requests: readonly string[]
  /** Ends a user's sessions, and tells every application they came to; answers how many it told. */
  signOut(username: string): Promise<number>
  /** The `sid` of each session of a user, as applications know it. */
  sessionsOf(username: string): readonly string[]
  /** A logout token for the first application, right but for what is changed. */
  logoutToken(username: string, change?: LogoutTokenChange): Promise<string>
}

/** What the library has, and its types leave out, of an application that is told of logouts. */
interface Told {
  readonly backchannelLogoutUri: string
  backchannelLogout(accountId: string, sid: string | undefined): Promise<void>
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * An OpenID provider as a relying party meets it, by a library that others run in earnest. Its people are invented and
 * have no passwords; `settings` make it go wrong in every way that one has to be ready for.
 */
export async function createIdentityEmulator(options: Partial<IdentityOptions> = {}): Promise<IdentityEmulator> {
  const { clients = [defaultClient('http://localhost:7354')], host = '127.0.0.1' } = options
  const [first] = clients
  const settings: IdentitySettings = { oddity: undefined, reach: 'up' }
  const keys = await createKeys(first?.secret ?? '')
  const memory = createMemory()
  const requests: string[] = []
  let provider: Provider | undefined

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${(request.url ?? '').split('?', 1)[0]}`)
    if (settings.reach === 'down') return void request.socket.destroy()
    if (settings.reach === 'up') void answer(request, response)
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (provider === undefined || (await answerSignIn(provider, request, response))) return
      await provider.callback()(request, response)
    } catch {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('This sign-in is not open any more.')
    }
  }

  const sessionsOf = (username: string) => {
    const { sub } = requireIdentityUser(username)
    return memory.all('Session').filter(({ accountId }) => accountId === sub)
  }

  return {
    settings,
    clients,
    requests,
    async listen(port = 0) {
      await once(server.listen(port, host), 'listening')
      const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
      provider = createOpenIdProvider({ issuer, clients, keys, memory, settings })
      return { url: issuer }
    },
    async signOut(username) {
      let told = 0
      for (const { jti, accountId = '', authorizations = {} } of sessionsOf(username)) {
        for (const [clientId, { sid }] of Object.entries(authorizations)) {
          const client = (await provider?.Client.find(clientId)) as Partial<Told> | undefined
          if (client?.backchannelLogout === undefined || client.backchannelLogoutUri === undefined) continue
          await client.backchannelLogout(accountId, sid)
          told++
        }
        if (jti !== undefined) await memory.adapterFor('Session').destroy(jti)
      }
      return told
    },
    sessionsOf: (username) =>
      sessionsOf(username).flatMap(({ authorizations = {} }) =>
        Object.values(authorizations).flatMap(({ sid }) => sid ?? []),
      ),
    logoutToken(username, { claims = {}, without = [], how = 'RS256', typ = 'logout+jwt' } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const right: JWTPayload = {
        iss: provider?.issuer ?? '',
        aud: first?.id ?? '',
        sub: requireIdentityUser(username).sub,
        iat: now,
        exp: now + 120,
        jti: crypto.randomUUID(),
        events: { [EVENT]: {} },
        ...claims,
      }
      for (const name of without) delete right[name]
      return keys.sign(right, { how, typ })
    },
    close,
    [Symbol.asyncDispose]: close,
  }

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}
