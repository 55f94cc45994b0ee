import {
  allowInsecureRequests,
  customFetch,
  dynamicClientRegistrationRequest,
  processDynamicClientRegistrationResponse,
} from 'oauth4webapi'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { isLoopbackHost } from '../base/loopback.ts'
import { problem, Problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { ClientConfig } from '../config/config.ts'
import { isFields } from '../config/values.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'
import type { ServerMetadata } from './discover.ts'
import type { FetchFor } from './fetches.ts'
import { CALLBACK, notSetUp, SERVER_CALLBACK, type KnownClient } from './party.ts'
import { createRegisteredClients, type RegisteredClient } from './registered-clients.ts'

/** Where the gate answers its own client metadata document, below `publicUrl`; the address it is known by is the client id. */
export const CLIENT_METADATA_PATH = '/oauth-client.json'

/**
 * What authorization servers are told of this gate, in the document and when it registers itself.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/ Client ID Metadata Documents}
 */
export function clientMetadata(publicUrl: string, clientMetadataUrl: string | undefined) {
  return {
    client_id: clientMetadataUrl ?? documentAt(publicUrl),
    ...described(publicUrl),
    token_endpoint_auth_method: 'none',
  }
}

function documentAt(publicUrl: string): string {
  return `${publicUrl}${CLIENT_METADATA_PATH}`
}

function described(publicUrl: string) {
  return {
    client_name: 'Sekisho',
    client_uri: publicUrl,
    application_type: isElsewhere(publicUrl) ? 'web' : 'native',
    redirect_uris: [`${publicUrl}${SERVER_CALLBACK}`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }
}

/** Whether others can fetch what the gate serves. */
function isElsewhere(publicUrl: string): boolean {
  const { protocol, hostname } = new URL(publicUrl)
  return protocol === 'https:' && !isLoopbackHost(hostname)
}

export interface RegistrationNeeds {
  readonly storage: Pick<Storage, 'for'>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly fetchFor: FetchFor
  readonly publicUrl: string
  /** Where the gate's metadata document is published, in place of its own address. */
  readonly clientMetadataUrl: string | undefined
  onOperation(operation: 'register', outcome: string): void
}

/** For whom a client is looked for. */
export interface Registrant {
  readonly tenant: TenantId
  readonly provider: string
  readonly name: string
  readonly metadata: ServerMetadata
  readonly configured: ClientConfig
}

const REGISTER_MS = 10_000

/** How the gate authenticates, the best first. @see RFC 7591 §2 */
const METHODS = { client_secret_basic: 'basic', client_secret_post: 'body', none: 'none' } as const
type Method = keyof typeof METHODS

/** What this gate is called at authorization servers that were found by discovery. Bound to their issuer, never shared. */
export function createRegistration(needs: RegistrationNeeds) {
  const { fetchFor, publicUrl, onOperation } = needs
  const documentUrl = needs.clientMetadataUrl ?? (isElsewhere(publicUrl) ? documentAt(publicUrl) : undefined)
  const clients = createRegisteredClients({ ...needs, redirectUri: `${publicUrl}${SERVER_CALLBACK}` })
  const underWay = new Map<string, Promise<KnownClient>>()

  /** All who come at once wait for the same registration: a second would take the place of what they began with. */
  function requireOnce(registrant: Registrant): Promise<KnownClient> {
    const key = `${registrant.tenant} ${registrant.metadata.issuer}`
    const joined = underWay.get(key)
    if (joined !== undefined) return joined
    const begun = findOrRegister(registrant).finally(() => underWay.delete(key))
    underWay.set(key, begun)
    return begun
  }

  async function findOrRegister(registrant: Registrant): Promise<KnownClient> {
    const { tenant, name, metadata } = registrant
    const place = await clients.find(tenant, metadata.issuer)
    if (place.kind === 'good') return asClient(place.client)
    if (metadata.registration_endpoint === undefined) throw notSetUp(`mcp:${name}`, name)
    const client = await register(registrant)
    return asClient(await clients.keep(tenant, metadata.issuer, { client, place }))
  }

  /** @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3 RFC 7591 §3} */
  async function register({ provider, name, metadata }: Registrant): Promise<RegisteredClient> {
    const method = methodFor(metadata, ['client_secret_basic', 'client_secret_post', 'none'])
    try {
      const asked = { ...described(publicUrl), token_endpoint_auth_method: method }
      const signal = AbortSignal.timeout(REGISTER_MS)
      const options = { [customFetch]: fetchFor(provider), [allowInsecureRequests]: true, signal }
      const server = { issuer: metadata.issuer, registration_endpoint: metadata.registration_endpoint ?? '' }
      const reply = await processDynamicClientRegistrationResponse(
        await withSecretEnd(await dynamicClientRegistrationRequest(server, asked, options)),
      )
      onOperation('register', 'ok')
      const { token_endpoint_auth_method: said, client_secret: clientSecret } = reply
      const ends = Number(reply.client_secret_expires_at ?? 0)
      return {
        clientId: reply.client_id,
        clientSecret: typeof clientSecret === 'string' ? clientSecret : undefined,
        method: typeof said === 'string' ? said : method,
        expiresAt: ends > 0 ? ends * 1000 : null,
      }
    } catch (cause) {
      onOperation('register', 'failed')
      if (cause instanceof Problem && cause.code === 'outbound.refused') throw cause
      const details = { id: name, provider: name, reason: 'it did not register this gate', cause }
      throw problem(cause instanceof Problem ? 'provider.unreachable' : 'provider.bad_answer', details)
    }
  }

  function known({ metadata, configured: { clientId, clientSecret } }: Registrant): KnownClient[] {
    if (clientId !== undefined) {
      const methods: Method[] = clientSecret === undefined ? ['none'] : ['client_secret_basic', 'client_secret_post']
      const clientAuthentication = METHODS[methodFor(metadata, methods)]
      return [{ clientId, clientSecret, clientAuthentication, callback: CALLBACK, registered: false }]
    }
    const takesDocuments = metadata.client_id_metadata_document_supported === true
    return takesDocuments && documentUrl !== undefined ? [documentedAs(documentUrl)] : []
  }

  return {
    /**
     * The client for a new connection: the configured one, else the gate's metadata document, else a registration.
     *
     * @throws {Problem} `provider.not_set_up`, `provider.bad_answer`, `provider.unreachable`
     */
    async require(registrant: Registrant): Promise<KnownClient> {
      const [first] = known(registrant)
      return first ?? requireOnce(registrant)
    },

    /** The client that a credential was given to; `undefined` where the gate is called otherwise by now. */
    async find(registrant: Registrant, clientId: string): Promise<KnownClient | undefined> {
      const found = known(registrant).find((client) => client.clientId === clientId)
      if (found !== undefined) return found
      const standing = await clients.find(registrant.tenant, registrant.metadata.issuer)
      return standing.kind === 'good' && standing.client.clientId === clientId ? asClient(standing.client) : undefined
    },

    forget: clients.forget,
  }
}
export type Registration = ReturnType<typeof createRegistration>

/** A client whose id is the address of what there is to know of it. */
function documentedAs(clientId: string): KnownClient {
  return {
    clientId,
    clientSecret: undefined,
    clientAuthentication: 'none',
    callback: SERVER_CALLBACK,
    registered: false,
  }
}

function asClient({ clientId, clientSecret, method }: RegisteredClient): KnownClient {
  return {
    clientId,
    clientSecret: clientSecret === undefined ? undefined : secret(clientSecret),
    clientAuthentication: isMethod(method) ? METHODS[method] : 'basic',
    callback: SERVER_CALLBACK,
    registered: true,
  }
}

/**
 * Many who give a secret do not say when it ends, although they have to; then it does not.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 RFC 7591 §3.2.1}
 */
async function withSecretEnd(reply: Response): Promise<Response> {
  const { status, headers } = reply
  const text = await reply.text()
  const said = parseJson(text)
  const lacksEnd =
    isFields(said) && said['client_secret'] !== undefined && said['client_secret_expires_at'] === undefined
  return new Response(lacksEnd ? JSON.stringify({ ...said, client_secret_expires_at: 0 }) : text, { status, headers })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isMethod(text: string): text is Method {
  return Object.hasOwn(METHODS, text)
}

/** The first of these that the authorization server takes. @see RFC 8414 §2, `token_endpoint_auth_methods_supported` */
function methodFor(metadata: ServerMetadata, methods: readonly Method[]): Method {
  const supported = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.find((method) => supported.includes(method)) ?? methods[0] ?? 'none'
}
