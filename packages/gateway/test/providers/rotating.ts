import type { ProviderConfig } from '../../src/config/config.ts'
import type { FreshDatabase } from '../stores/databases.ts'
import { ada, createScene, providerAt, type Given, type Scene } from './scene.ts'
import { startScripted, type Answer, type Scripted } from './scripted-server.ts'

export const HOUR = 3_600_000

/** A provider whose refresh tokens work once each, as GitHub's do. */
export async function startRotating(seconds = 3600) {
  const server = await startScripted()
  let issued = 0
  const refused = { status: 400, body: { error: 'invalid_grant' } }
  server.on('/token', ({ form }): Answer => {
    if (form['grant_type'] === 'refresh_token' && form['refresh_token'] !== `r${issued}`) return refused
    issued++
    return { body: { access_token: `a${issued}`, refresh_token: `r${issued}`, expires_in: seconds } }
  })
  server.on('/me', () => ({ body: { login: 'ada' } }))
  return server
}

/** A gate with that provider; `use` answers the token that a call would go with. */
export async function open(
  database: FreshDatabase,
  server: Scripted,
  { odd, ...given }: Given & { odd?: Partial<ProviderConfig> } = {},
) {
  const scene = await createScene(database, { providers: { own: providerAt(server, odd) }, ...given })
  return { scene, server, use: async () => (await scene.connections.require(ada, scene.link, 's')).reveal() }
}

export const refreshes = (server: Scripted) =>
  server.seenAt('/token').filter(({ form }) => form['grant_type'] === 'refresh_token')
export const recordOf = async ({ connections }: Scene) => (await connections.list(ada.tenant, ada.userId))[0]
