import { setTimeout as pause } from 'node:timers/promises'
import * as oauth from 'oauth4webapi'
import { isSafePlace } from '../base/loopback.ts'
import { Problem, problem } from '../base/problem.ts'
import { secret, type Secret } from '../base/secret.ts'

/** A gate as a client knows it: which of its addresses is meant, and its authorization server. */
export interface Gate {
  /** `https://gate.example.com/mcp`, in the gate's own spelling: what tokens are for. */
  readonly resource: string
  readonly server: oauth.AuthorizationServer
}

export interface Tokens {
  readonly accessToken: Secret
  readonly refreshToken: Secret | undefined
  /** In how many seconds the access token ends. */
  readonly endsIn: number
}

/** What a person is shown, to enter elsewhere. */
export type Code = oauth.DeviceAuthorizationResponse

const CLIENT_NAME = 'Sekisho command line'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const TIMEOUT_MS = 30_000
const WAIT_SECONDS = 5
const ENDS_IN_SECONDS = 300

/**
 * Finds the authorization server of a gate from its address, with or without `/mcp`.
 *
 * @throws {Problem} `gate.unreachable`
 * @see RFC 9728 §3, RFC 8414 §3
 */
export async function findGate(address: string): Promise<Gate> {
  const url = URL.parse(address)
  if (url === null || !isSafePlace(url)) throw unreachable(address, 'not an https address, nor one of this machine')
  if (url.pathname === '/') url.pathname = '/mcp'
  const options = optionsFor(url)
  try {
    const found = await oauth.resourceDiscoveryRequest(url, options)
    const { resource, authorization_servers: [issuer = ''] = [] } = await oauth.processResourceDiscoveryResponse(
      url,
      found,
    )
    const place = new URL(issuer)
    if (!isSafePlace(place)) throw unreachable(address, `its authorization server is ${issuer}`)
    const answer = await oauth.discoveryRequest(place, { algorithm: 'oauth2', ...optionsFor(place) })
    return { resource, server: await oauth.processDiscoveryResponse(place, answer) }
  } catch (error) {
    throw error instanceof Problem ? error : unreachable(url.origin, codeOf(error), error)
  }
}

/** Registers this command line as a client. @throws {Problem} `cli.login_refused` */
export function register({ server }: Gate): Promise<string> {
  return asked(async () => {
    const metadata = {
      client_name: CLIENT_NAME,
      grant_types: [DEVICE, 'refresh_token'],
      token_endpoint_auth_method: 'none',
    }
    const answer = await oauth.dynamicClientRegistrationRequest(server, metadata, optionsOf(server))
    return (await oauth.processDynamicClientRegistrationResponse(answer)).client_id
  })
}

/** Begins: answers with what the user is shown. @throws {Problem} `cli.login_refused` @see RFC 8628 §3.1 */
export function beginDevice({ server, resource }: Gate, clientId: string): Promise<Code> {
  return asked(async () => {
    const client = { client_id: clientId }
    const parameters = { scope: 'mcp', resource }
    const answer = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), parameters, optionsOf(server))
    return oauth.processDeviceAuthorizationResponse(server, client, answer)
  })
}

/**
 * Asks until the user has answered.
 *
 * @throws {Problem} `cli.login_refused`: by the user, or because nobody answered in time
 * @see RFC 8628 §3.5
 */
export async function awaitAnswer(
  { server }: Gate,
  clientId: string,
  { device_code: code, interval = WAIT_SECONDS }: Code,
): Promise<Tokens> {
  const client = { client_id: clientId }
  for (let seconds = interval; ;) {
    await pause(seconds * 1_000)
    try {
      const answer = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), code, optionsOf(server))
      return toTokens(await oauth.processDeviceCodeResponse(server, client, answer))
    } catch (error) {
      const said = error instanceof oauth.ResponseBodyError ? error.error : ''
      if (said === 'slow_down') seconds += WAIT_SECONDS
      else if (said !== 'authorization_pending') throw refused(error)
    }
  }
}

/** Renews. @throws {Problem} `cli.login_refused` where the sign-in is over */
export function renew({ server }: Gate, clientId: string, refreshToken: Secret): Promise<Tokens> {
  return asked(async () => {
    const client = { client_id: clientId }
    const token = refreshToken.reveal()
    const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, optionsOf(server))
    return toTokens(await oauth.processRefreshTokenResponse(server, client, answer))
  })
}

/** Tells the gate that a token is not needed any more. @throws {Problem} `cli.login_refused` @see RFC 7009 */
export function revoke({ server }: Gate, clientId: string, refreshToken: Secret): Promise<void> {
  return asked(async () => {
    const client = { client_id: clientId }
    const token = refreshToken.reveal()
    const answer = await oauth.revocationRequest(server, client, oauth.None(), token, optionsOf(server))
    await oauth.processRevocationResponse(answer)
  })
}

function toTokens({
  access_token: access,
  refresh_token: refresh,
  expires_in: endsIn,
}: oauth.TokenEndpointResponse): Tokens {
  const refreshToken = refresh === undefined ? undefined : secret(refresh)
  return { accessToken: secret(access), refreshToken, endsIn: endsIn ?? ENDS_IN_SECONDS }
}

async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refused(error)
  }
}

/** What a server says of itself is not repeated, but for the code. */
function refused(error: unknown): Problem {
  const reason = error instanceof oauth.ResponseBodyError ? error.error : codeOf(error)
  return problem('cli.login_refused', { reason, cause: error })
}

/** Why `fetch` failed is in the cause of what it throws. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined ? error.message : codeOf(error.cause)
}

function unreachable(url: string, reason: string, cause?: unknown): Problem {
  return problem('gate.unreachable', { url, reason, cause })
}

function optionsOf(server: oauth.AuthorizationServer) {
  return optionsFor(new URL(server.issuer))
}

/** Plain http for this machine alone, as was checked before. */
function optionsFor({ protocol }: URL) {
  return { signal: () => AbortSignal.timeout(TIMEOUT_MS), [oauth.allowInsecureRequests]: protocol === 'http:' }
}
