import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the gate's first run shows beside real servers: the outside world, emulated on this machine. */
export interface Playground {
  readonly mal: { readonly url: string; readonly clientId: string }
  /** What its configuration draws on. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

export interface PlaygroundNeeds {
  /** Where the gate takes the answers of providers. */
  readonly redirectUri: string
  /** Where the emulation remembers who is connected, so that a restart costs nobody their connection. */
  readonly directory: string
  /** Taken where it is free, so that an address stays what it was. */
  readonly port: number
}

/** The variable that holds the secret of the emulated application. */
export const MAL_SECRET = 'PLAYGROUND_MAL_SECRET'
const CLIENT_ID = '5e6b150c0ffee5e6b150c0ffee5e6b15'

/** Opens the emulated MyAnimeList. The playground is no part of the gate, and is loaded only here. */
export async function openPlayground({ redirectUri, directory, port }: PlaygroundNeeds): Promise<Playground> {
  const { createMalEmulator } = await import('#mal-emulator')
  const clientSecret = randomBytes(32).toString('hex')
  const emulator = createMalEmulator({
    clients: [{ id: CLIENT_ID, secret: clientSecret, name: 'Sekisho', redirectUris: [redirectUri] }],
    memory: memoryIn(directory),
  })
  const { url } = await emulator.listen(port).catch(() => emulator.listen(0))
  return { mal: { url, clientId: CLIENT_ID }, environment: { [MAL_SECRET]: clientSecret }, close: emulator.close }
}

function memoryIn(directory: string) {
  const file = join(directory, 'myanimelist.json')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    read: () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
    write: (text: string) => writeFileSync(file, text, { mode: 0o600 }),
  }
}
