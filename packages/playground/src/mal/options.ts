/** The only source of time; a test turns it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

/** Bytes of chance for codes, tokens and sessions. */
export type Random = (size: number) => Buffer

/** An application as registered with MyAnimeList. One without a secret is public: Android, iOS or Other. */
export interface MalClient {
  readonly id: string
  readonly secret?: string
  readonly name: string
  readonly redirectUris: readonly string[]
}

export interface MalOptions {
  /** Decides the whole catalogue and every generated list. */
  readonly seed?: number
  readonly clients?: readonly MalClient[]
  /** The address to bind; loopback unless told otherwise. */
  readonly host?: string
  readonly clock?: Clock
  readonly random?: Random
  /** Where it remembers which tokens it issued, as digests, so that connections outlive the process. */
  readonly memory?: MalMemory
  /** Opens `/_control`, so that a test in another process can turn the settings. */
  readonly control?: boolean
}

/** A place for one text. */
export interface MalMemory {
  read(): string | undefined
  write(text: string): void
}

/** How the emulated service behaves. Every value may be set at any time and counts from the next request on. */
export interface MalSettings {
  accessTokenSeconds: number
  refreshTokenSeconds: number
  codeSeconds: number
  /** `keep` as MyAnimeList does: a refresh token that was used stays valid. `strict`: it dies with its use. */
  rotation: 'keep' | 'strict'
  /** Whether the authorization page asks, or refuses at once as if the user had pressed Cancel. */
  authorize: 'ask' | 'access_denied'
  /** What a valid refresh is answered with. Only `ok` and `no_refresh_token` issue tokens. */
  refreshReply: 'ok' | 'html' | 'no_refresh_token' | 'error' | 'hang'
  /** Calls of the API per credential; what is over is turned away. */
  throttle: { perSecond: number; burst: number } | undefined
  /** How it is turned away: as the API forbids, with the page of what stands in front of it, or with 429. */
  throttlePage: 'forbidden' | 'html' | 'too_many'
  /** Every API call is answered like this until it is taken back. */
  outage: 'unavailable' | 'html' | 'hang' | undefined
  /** How long each answer takes, in milliseconds. */
  delayMs: number
  /** How somebody else's private list is answered. */
  privateList: 'forbidden' | 'not_found'
  /** How the removal of an entry that is not there is answered. */
  removeAbsent: 'ok' | 'not_found'
  /** Whether access tokens may change lists; without the right it is 403. */
  writing: 'allowed' | 'refused'
  /** Fields of an edit that are overlooked without a word, under the names they are sent by. */
  overlooks: readonly string[]
  /** Whether the numbers of list entries come as strings. */
  numbers: 'numbers' | 'strings'
  /** The next API calls are answered with this, before anything else is looked at. */
  failNext: { times: number; status: number; body?: string; headers?: Record<string, string> } | undefined
}

export function defaultSettings(): MalSettings {
  return {
    accessTokenSeconds: 2_678_400,
    refreshTokenSeconds: 2_678_400,
    codeSeconds: 600,
    rotation: 'keep',
    authorize: 'ask',
    refreshReply: 'ok',
    throttle: undefined,
    throttlePage: 'forbidden',
    outage: undefined,
    delayMs: 0,
    privateList: 'forbidden',
    removeAbsent: 'ok',
    writing: 'allowed',
    overlooks: [],
    numbers: 'numbers',
    failNext: undefined,
  }
}

/** The two applications that are registered when none are named: one with a secret and one without. */
export function defaultClients(redirectUris: readonly string[]): MalClient[] {
  return [
    {
      id: 'c0ffee00000000000000000000000001',
      secret: `${'5ec2e7'.repeat(10)}beef`,
      name: 'Playground web application',
      redirectUris,
    },
    { id: 'c0ffee00000000000000000000000002', name: 'Playground desktop application', redirectUris },
  ]
}
