import { auth, type OAuthClientProvider } from '@modelcontextprotocol/client'
import type { Browser } from './browser.ts'
import { allowClient } from './people.ts'

/** What an MCP client keeps of signing its user in; the SDK does the rest. */
export interface SigningIn extends OAuthClientProvider {
  /** Where the client sent its user last. */
  readonly sentTo: URL | undefined
  /** How often it has sent its user somewhere. */
  readonly timesSent: number
  /** What is known of the tokens now. */
  held(): { readonly access_token: string; readonly refresh_token?: string | undefined } | undefined
  /** Puts others in their place, as a program that was restored from a copy would. */
  replaceTokens(tokens: Tokens): void
}

type Tokens = NonNullable<Awaited<ReturnType<OAuthClientProvider['tokens']>>>
type ClientInformation = Parameters<NonNullable<OAuthClientProvider['saveClientInformation']>>[0]

type DiscoveryState = Parameters<NonNullable<OAuthClientProvider['saveDiscoveryState']>>[0]

export interface SigningInOptions {
  readonly redirectUrl: string
  readonly name?: string
  /** The address of the client's metadata document, for a client that does not register. */
  readonly metadataUrl?: string
}

/** A client as the SDK wants one: it registers itself, or names its metadata document, and keeps everything in memory. */
export function createSigningIn({ redirectUrl, name = 'Tour client', metadataUrl }: SigningInOptions): SigningIn {
  let client: ClientInformation | undefined
  let tokens: Tokens | undefined
  let verifier = ''
  let discovered: DiscoveryState | undefined
  let sentTo: URL | undefined
  let timesSent = 0
  return {
    get sentTo() {
      return sentTo
    },
    get timesSent() {
      return timesSent
    },
    held: () => tokens,
    replaceTokens(others) {
      tokens = others
    },
    redirectUrl,
    ...(metadataUrl === undefined ? {} : { clientMetadataUrl: metadataUrl }),
    clientMetadata: {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => crypto.randomUUID(),
    clientInformation: () => client,
    saveClientInformation(information) {
      client = information
    },
    tokens: () => tokens,
    saveTokens(made) {
      tokens = made
    },
    redirectToAuthorization(url) {
      sentTo = url
      timesSent++
    },
    saveCodeVerifier(text) {
      verifier = text
    },
    codeVerifier: () => verifier,
    discoveryState: () => discovered,
    saveDiscoveryState(state) {
      discovered = state
    },
    invalidateCredentials(scope) {
      if (scope === 'all' || scope === 'client') client = undefined
      if (scope === 'all' || scope === 'tokens') tokens = undefined
    },
  }
}

/** Has a client sign its user in, who is at that browser: discovery, registration, consent, tokens. */
export async function signInClient(serverUrl: string, browser: Browser, options: SigningInOptions): Promise<SigningIn> {
  const signingIn = createSigningIn(options)
  await auth(signingIn, { serverUrl })
  if (!signingIn.sentTo) throw new Error('the client sent its user nowhere')
  const callback = await allowClient(browser, signingIn.sentTo, '')
  const authorizationCode = callback.searchParams.get('code')
  if (authorizationCode === null) throw new Error(`the client was answered ${callback.search}`)
  const iss = callback.searchParams.get('iss') ?? undefined
  await auth(signingIn, { serverUrl, authorizationCode, ...(iss === undefined ? {} : { iss }) })
  return signingIn
}
