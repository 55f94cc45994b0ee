import {
  allowInsecureRequests,
  customFetch,
  dynamicClientRegistrationRequest,
  processDynamicClientRegistrationResponse,
} from 'oauth4webapi'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { TenantId } from '../base/ids.ts'
import { isLoopbackHost } from '../base/loopback.ts'
import { problem, Problem } from '../base/problem.ts'
import { secret } from '../base/secret.ts'
import type { ClientConfig } from '../config/config.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import type { Storage } from '../storage/database.ts'
import type { Sealer } from '../vault/sealer.ts'
import type { ServerMetadata } from './discover.ts'
import { CALLBACK, notSetUp, SERVER_CALLBACK, type KnownClient } from './party.ts'

/** Where the gate's own client metadata document is, below `publicUrl`; its whole address is the client id. */
export const CLIENT_METADATA_PATH = '/oauth-client.json'

/**
 * What authorization servers are told of this gate, in the document and when it registers itself.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/ Client ID Metadata Documents}
 */
export function clientMetadata(publicUrl: string) {
  return {
    client_id: `${publicUrl}${CLIENT_METADATA_PATH}`,
    ...described(publicUrl),
    token_endpoint_auth_method: 'none',
  }
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
  readonly fetch: Fetch
  readonly publicUrl: string
  onOperation(operation: 'register', outcome: string): void
}

/** For whom a client is looked for. */
export interface Registrant {
  readonly tenant: TenantId
  readonly name: string
  readonly metadata: ServerMetadata
  readonly configured: ClientConfig
}

const REGISTER_MS = 10_000

/** How the gate authenticates, the best first. @see RFC 7591 §2 */
const METHODS = { client_secret_basic: 'basic', client_secret_post: 'body', none: 'none' } as const
type Method = keyof typeof METHODS

/** What is sealed beside a registered client's id. */
const Registered = z.object({ clientSecret: z.string().optional(), redirectUri: z.string(), method: z.string() })

/** What this gate is called at authorization servers that were found by discovery. Bound to their issuer, never shared. */
export function createRegistration({ storage, sealer, clock, fetch, publicUrl, onOperation }: RegistrationNeeds) {
  const redirectUri = `${publicUrl}${SERVER_CALLBACK}`
  const purposeOf = (issuer: string) => `upstream client ${issuer}`
  const rowsOf = (tenant: TenantId) => storage.for(tenant).selectFrom('upstream_clients')

  async function findRegistered(tenant: TenantId, issuer: string): Promise<KnownClient | undefined> {
    const row = await rowsOf(tenant).selectAll().where('issuer', '=', issuer).executeTakeFirst()
    if (row === undefined || row.sealed === null || (row.expires_at !== null && row.expires_at <= clock.now()))
      return undefined
    const opened = await sealer.open(tenant, purposeOf(issuer), row.sealed)
    const known = Registered.parse(JSON.parse(opened.reveal()))
    if (known.redirectUri !== redirectUri) return undefined
    return asClient(row.client_id, known.clientSecret, known.method)
  }

  async function register({ tenant, name, metadata }: Registrant): Promise<KnownClient> {
    const method = methodFor(metadata, ['client_secret_basic', 'client_secret_post', 'none'])
    try {
      const asked = { ...described(publicUrl), token_endpoint_auth_method: method }
      const options = { [customFetch]: fetch, [allowInsecureRequests]: true, signal: AbortSignal.timeout(REGISTER_MS) }
      const server = { issuer: metadata.issuer, registration_endpoint: metadata.registration_endpoint ?? '' }
      const reply = await processDynamicClientRegistrationResponse(
        await dynamicClientRegistrationRequest(server, asked, options),
      )
      const { token_endpoint_auth_method: said } = reply
      const given = typeof said === 'string' ? said : method
      const clientSecret = typeof reply.client_secret === 'string' ? reply.client_secret : undefined
      const value = { clientSecret, redirectUri, method: given } satisfies z.input<typeof Registered>
      const sealed = await sealer.seal(tenant, purposeOf(metadata.issuer), secret(JSON.stringify(value)))
      const ends = Number(reply.client_secret_expires_at ?? 0)
      const row = {
        client_id: reply.client_id,
        sealed,
        created_at: clock.now(),
        expires_at: ends > 0 ? ends * 1000 : null,
      }
      await keep(tenant, metadata.issuer, row)
      onOperation('register', 'ok')
      return asClient(reply.client_id, clientSecret, given)
    } catch (cause) {
      onOperation('register', 'failed')
      if (cause instanceof Problem && cause.code === 'outbound.refused') throw cause
      const details = { id: name, provider: name, reason: 'it did not register this gate', cause }
      throw problem(cause instanceof Problem ? 'provider.unreachable' : 'provider.bad_answer', details)
    }
  }

  async function keep(tenant: TenantId, issuer: string, row: Row): Promise<void> {
    await storage
      .for(tenant)
      .insertInto('upstream_clients', { issuer, ...row })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'issuer']).doUpdateSet(row))
      .execute()
  }

  function known({ metadata, configured: { clientId, clientSecret } }: Registrant): KnownClient[] {
    if (clientId !== undefined) {
      const methods: Method[] = clientSecret === undefined ? ['none'] : ['client_secret_basic', 'client_secret_post']
      const clientAuthentication = METHODS[methodFor(metadata, methods)]
      return [{ clientId, clientSecret, clientAuthentication, callback: CALLBACK, registered: false }]
    }
    const hasDocument = metadata.client_id_metadata_document_supported === true && isElsewhere(publicUrl)
    return hasDocument ? [asClient(clientMetadata(publicUrl).client_id, undefined, 'none', false)] : []
  }

  return {
    /**
     * The client for a new connection: the configured one, else the gate's metadata document, else a registration.
     *
     * @throws {Problem} `provider.not_set_up`, `provider.bad_answer`, `provider.unreachable`
     */
    async require(registrant: Registrant): Promise<KnownClient> {
      const { tenant, name, metadata } = registrant
      const [first] = known(registrant)
      if (first !== undefined) return first
      const registered = await findRegistered(tenant, metadata.issuer)
      if (registered !== undefined) return registered
      if (metadata.registration_endpoint === undefined) throw notSetUp(`mcp:${name}`, name)
      return register(registrant)
    },

    /** The client that a credential was given to; `undefined` where the gate is called otherwise by now. */
    async find(registrant: Registrant, clientId: string): Promise<KnownClient | undefined> {
      const found = known(registrant).find((client) => client.clientId === clientId)
      const client = found ?? (await findRegistered(registrant.tenant, registrant.metadata.issuer))
      return client?.clientId === clientId ? client : undefined
    },

    /** Gives a registration up that the authorization server does not know any more. */
    async forget(tenant: TenantId, issuer: string, clientId: string): Promise<void> {
      const rows = storage.for(tenant).deleteFrom('upstream_clients').where('issuer', '=', issuer)
      await rows.where('client_id', '=', clientId).execute()
    },
  }
}
export type Registration = ReturnType<typeof createRegistration>

interface Row {
  readonly client_id: string
  readonly sealed: Buffer
  readonly created_at: number
  readonly expires_at: number | null
}

function asClient(clientId: string, clientSecret: string | undefined, method: string, registered = true): KnownClient {
  const clientAuthentication = isMethod(method) ? METHODS[method] : 'basic'
  return {
    clientId,
    clientSecret: clientSecret === undefined ? undefined : secret(clientSecret),
    clientAuthentication,
    callback: SERVER_CALLBACK,
    registered,
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
