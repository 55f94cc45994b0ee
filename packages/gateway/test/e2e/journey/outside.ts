import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'

/** A gate with an emulated MyAnimeList behind it. */
export interface Outside extends AsyncDisposable {
  readonly gate: Gate
  /** As clients should be told it: the issuer, and the base of every resource. */
  readonly publicUrl: string
  readonly mal: MalEmulator
}

const CLIENT = { id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', secret: 'f0'.repeat(32), name: 'Sekisho' }

/** More than any test needs: what is tested here is not how often. */
export const GENEROUS = { authorize: 1_000, callback: 1_000, token: 1_000, register: 1_000, revoke: 1_000, signIn: 1_000 }

export interface OutsideOptions {
  /** Joined to the configuration. */
  readonly config?: object
  readonly env?: Readonly<Record<string, string>>
}

/** Starts both; each knows the other's address before it listens. */
export async function openOutside({ config = {}, env = {} }: OutsideOptions = {}): Promise<Outside> {
  await using open = new AsyncDisposableStack()
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const mal = open.use(createMalEmulator({ clients: [{ ...CLIENT, redirectUris: [`${publicUrl}/callback`] }] }))
  const { url } = await mal.listen()
  const gate = open.use(
    await startGate({
      port,
      env,
      config: {
        limits: { perMinute: GENEROUS },
        providers: {
          myanimelist: {
            clientId: CLIENT.id,
            clientSecret: CLIENT.secret,
            authorizationUrl: `${url}/v1/oauth2/authorize`,
            tokenUrl: `${url}/v1/oauth2/token`,
            apiBaseUrl: `${url}/v2`,
            account: { url: `${url}/v2/users/@me`, name: 'name' },
          },
        },
        mcpServers: { mal: { builtin: 'mal' } },
        ...config,
      },
    }),
  )
  const opened = open.move()
  return { gate, publicUrl, mal, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
