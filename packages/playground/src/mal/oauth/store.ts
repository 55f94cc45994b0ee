import type { Clock, MalMemory, MalSettings, Random } from '../options.ts'
import type { User } from '../users.ts'
import { codeBytes, digest, mintAccessToken, mintOpaque, refreshTokenBytes } from './codes.ts'

/** What a user allowed one application. */
interface Held {
  readonly userName: string
  readonly clientId: string
  expiresAt: number
  revoked: boolean
}

export interface Code extends Held {
  readonly redirectUri: string
  readonly codeChallenge: string
}

export interface RefreshToken extends Held {
  /** The access token that was issued with it, which dies with it under strict rotation. */
  readonly access: Held
  readonly accessKey: string
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresIn: number
}

/** More than any test needs; what is older makes room. */
const limit = 50_000

/** Codes, tokens and who is connected to what, under digests; in memory, and beyond it where there is another. */
export function createGrantStore({ clock, random, settings, memory }: GrantNeeds) {
  const codes = new Map<string, Code>()
  const known = recall(memory)
  const access = new Map(known.access)
  const refresh = new Map<string, RefreshToken>()
  for (const [key, { accessKey, ...held }] of known.refresh) {
    const issuedWith = access.get(accessKey)
    if (issuedWith) refresh.set(key, { ...held, accessKey, access: issuedWith })
  }
  /** Per user: the applications they allowed, and since when. */
  const connected = new Map(known.connected.map(([user, clients]) => [user, new Map(clients)]))

  function remember(): void {
    memory?.write(
      JSON.stringify({
        access: [...access],
        refresh: [...refresh].map(([key, { access: _access, ...held }]) => [key, held]),
        connected: [...connected].map(([user, clients]) => [user, [...clients]]),
      } satisfies Known),
    )
  }

  return {
    issueCode(grant: { userName: string; clientId: string; redirectUri: string; codeChallenge: string }): string {
      const code = mintOpaque(random, codeBytes)
      keep(codes, code, { ...grant, expiresAt: after(settings.codeSeconds), revoked: false })
      return code
    },

    issueTokens(user: User, clientId: string): Tokens {
      const expiresIn = settings.accessTokenSeconds
      const issuedAt = seconds(clock.now())
      const claims = { clientId, userId: user.id, issuedAt, expiresAt: issuedAt + expiresIn }
      const tokens = {
        accessToken: mintAccessToken(random, claims),
        refreshToken: mintOpaque(random, refreshTokenBytes),
        expiresIn,
      }
      const held = { userName: user.name, clientId, expiresAt: after(expiresIn), revoked: false }
      keep(access, tokens.accessToken, held)
      const accessKey = digest(tokens.accessToken)
      const expiresAt = after(settings.refreshTokenSeconds)
      keep(refresh, tokens.refreshToken, { ...held, expiresAt, access: held, accessKey })
      const since = connected.get(user.name) ?? new Map<string, number>()
      connected.set(user.name, since.set(clientId, since.get(clientId) ?? clock.now()))
      remember()
      return tokens
    },

    findCode: (code: string) => codes.get(digest(code)),
    findAccessToken: (token: string) => access.get(digest(token)),
    findRefreshToken: (token: string) => refresh.get(digest(token)),
    isExpired: (held: Held) => clock.now() >= held.expiresAt,

    connections: (userName: string): ReadonlyMap<string, number> => connected.get(userName) ?? new Map(),

    /** Ends what a user allowed one application, or all of them. */
    revoke(userName: string, clientId?: string): void {
      for (const held of [...codes.values(), ...access.values(), ...refresh.values()]) {
        if (held.userName === userName && (clientId === undefined || held.clientId === clientId)) held.revoked = true
      }
      if (clientId === undefined) connected.delete(userName)
      else connected.get(userName)?.delete(clientId)
      remember()
    },

    /** Makes every access token of one user, or of all, expired from now on; refresh tokens go on living. */
    expireAccessTokens(userName?: string): void {
      for (const held of access.values()) {
        if (userName === undefined || held.userName === userName) {
          held.expiresAt = Math.min(held.expiresAt, clock.now())
        }
      }
    },
  }

  function after(lifetime: number): number {
    return clock.now() + lifetime * 1_000
  }
}

export type GrantStore = ReturnType<typeof createGrantStore>

interface GrantNeeds {
  clock: Clock
  random: Random
  settings: MalSettings
  memory: MalMemory | undefined
}

/** As it is written down. */
interface Known {
  readonly access: readonly (readonly [string, Held])[]
  readonly refresh: readonly (readonly [string, Omit<RefreshToken, 'access'>])[]
  readonly connected: readonly (readonly [string, readonly (readonly [string, number])[]])[]
}

/** What was written down by the process before; nobody else writes there. */
function recall(memory: MalMemory | undefined): Known {
  const text = memory?.read()
  return text === undefined ? { access: [], refresh: [], connected: [] } : JSON.parse(text)
}

function keep<T>(map: Map<string, T>, token: string, value: T): void {
  map.set(digest(token), value)
  const [oldest] = map.keys()
  if (map.size > limit && oldest !== undefined) map.delete(oldest)
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000)
}
