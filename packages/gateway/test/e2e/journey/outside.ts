import { createMalEmulator, type MalEmulator } from '@sekisho/playground/mal'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { freshDataDir } from '../stopped.ts'

/** A gate with an emulated MyAnimeList behind it. */
export interface Outside extends AsyncDisposable {
  /** The one that runs now. */
  readonly gate: Gate
  /** As clients should be told it: the issuer, and the base of every resource. */
  readonly publicUrl: string
  readonly mal: MalEmulator
  /** Ends the gate by a signal, and starts another with the same data at the same address. */
  restart(signal: NodeJS.Signals): Promise<void>
}

const CLIENT = { id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', secret: 'f0'.repeat(32), name: 'Sekisho' }

/** More than any test needs: what is tested here is not how often. */
export const GENEROUS = {
  authorize: 1_000,
  callback: 1_000,
  token: 1_000,
  register: 1_000,
  revoke: 1_000,
  signIn: 1_000,
  device: 1_000,
  wrongKeys: 1_000,
}

export interface OutsideOptions {
  /** Joined to the configuration. */
  readonly config?: object
  /** Beside MyAnimeList. */
  readonly providers?: object
  readonly env?: Readonly<Record<string, string>>
  /** Puts something before MyAnimeList, by whose address the gate then knows it. */
  readonly before?: (malUrl: string) => Promise<string>
}

/** Starts both; each knows the other's address before it listens. */
export async function openOutside({
  config = {},
  providers = {},
  env = {},
  before,
}: OutsideOptions = {}): Promise<Outside> {
  await using open = new AsyncDisposableStack()
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const { dataDir } = open.use(freshDataDir())
  const mal = open.use(createMalEmulator({ clients: [{ ...CLIENT, redirectUris: [`${publicUrl}/callback`] }] }))
  const { url: malUrl } = await mal.listen()
  const url = before === undefined ? malUrl : await before(malUrl)
  const start = () => startGate({ port, env, dataDir, config: { ...configFor(url, providers), ...config } })
  let gate = await start()
  open.defer(async () => void (await gate.stop()))
  const opened = open.move()
  return {
    get gate() {
      return gate
    },
    publicUrl,
    mal,
    async restart(signal) {
      await gate.kill(signal)
      await gate.stop()
      gate = await start()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function configFor(malUrl: string, others: object) {
  const myanimelist = {
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    authorizationUrl: `${malUrl}/v1/oauth2/authorize`,
    tokenUrl: `${malUrl}/v1/oauth2/token`,
    apiBaseUrl: `${malUrl}/v2`,
    account: { url: `${malUrl}/v2/users/@me`, name: 'name' },
  }
  return {
    limits: { perMinute: GENEROUS },
    providers: { myanimelist, ...others },
    mcpServers: { mal: { builtin: 'mal' } },
  }
}
