import type { ColumnType } from 'kysely'
import type { TenantId, UserId } from '../base/ids.ts'

/**
 * The tables as the stores see them, the same on every dialect: ids and enums are text, times are
 * milliseconds since the epoch, JSON is text that the store parses, bytes are a Buffer.
 */
export interface Database {
  readonly meta: MetaTable
  readonly tenants: TenantsTable
  readonly users: UsersTable
  readonly api_keys: ApiKeysTable
  readonly vault_keys: VaultKeysTable
  readonly vault_records: VaultRecordsTable
  readonly catalogs: CatalogsTable
  readonly audit: AuditTable
  readonly passwords: PasswordsTable
  readonly sessions: SessionsTable
  readonly invitations: InvitationsTable
  readonly passkeys: PasskeysTable
  readonly authenticators: AuthenticatorsTable
  readonly recovery_codes: RecoveryCodesTable
  readonly spent_proofs: SpentProofsTable
  readonly oauth_records: OAuthRecordsTable
  readonly consents: ConsentsTable
  readonly agent_clients: AgentClientsTable
  readonly signing_keys: SigningKeysTable
  readonly connections: ConnectionsTable
  readonly connect_flows: ConnectFlowsTable
  readonly upstream_clients: UpstreamClientsTable
  readonly mcp_sessions: McpSessionsTable
  readonly upstream_sessions: UpstreamSessionsTable
  readonly builtin_documents: BuiltinDocumentsTable
  readonly federated_identities: FederatedIdentitiesTable
}

/**
 * The tables behind the tenant wall: those whose every row has a `tenant_id`. The authorization server's records
 * are found by what a client presents, before it is known whose they are, so they stand outside.
 */
export type TenantTable = Exclude<keyof Database, 'meta' | 'tenants' | 'signing_keys' | 'oauth_records'>

/** Written once, with the row. */
type Fixed<T> = ColumnType<T, T, never>

interface Owned {
  readonly tenant_id: Fixed<TenantId>
}

/** Facts about the database itself, such as which root key it belongs to. */
export interface MetaTable {
  readonly key: Fixed<string>
  readonly value: string
}

export interface TenantsTable {
  readonly id: Fixed<TenantId>
  readonly name: string
  readonly created_at: Fixed<number>
}

export interface UsersTable extends Owned {
  readonly id: Fixed<UserId>
  /** Unique within the tenant. */
  readonly name: string
  readonly role: 'owner' | 'admin' | 'member'
  readonly kind: ColumnType<'person' | 'agent', 'person' | 'agent' | undefined, never>
  readonly created_at: Fixed<number>
  /** The ids of servers, with a space between two; null for none. */
  readonly read_only: ColumnType<string | null, string | null | undefined, string | null>
}

export interface ApiKeysTable extends Owned {
  readonly id: Fixed<string>
  readonly user_id: Fixed<UserId>
  readonly name: string
  /** SHA-256 of the key, base64url; the key itself is nowhere. */
  readonly hash: Fixed<string>
  /** The first characters of the key, to tell keys apart by. */
  readonly prefix: Fixed<string>
  /** A JSON array of strings. */
  readonly scopes: Fixed<string>
  readonly created_at: Fixed<number>
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly last_used_at: number | null
}

/** The keys that seal a tenant's credentials, each wrapped by a root key. */
export interface VaultKeysTable extends Owned {
  readonly id: Fixed<string>
  readonly root_key_id: string
  readonly wrapped: Buffer
  readonly created_at: Fixed<number>
}

export interface VaultRecordsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly provider: Fixed<string>
  readonly envelope: Buffer
  readonly version: number
  readonly created_at: Fixed<number>
  readonly updated_at: number
  readonly last_used_at: number | null
}

/** The last known lists of an upstream; `user_id` is empty where all users share one. */
export interface CatalogsTable extends Owned {
  readonly user_id: Fixed<UserId | ''>
  readonly upstream: Fixed<string>
  readonly kind: Fixed<'tools' | 'prompts' | 'resources' | 'templates'>
  /** A digest of the capabilities of the client it was asked for. */
  readonly client: Fixed<string>
  /** Tells whether the upstream is still configured as it was when the list was read. */
  readonly definition: string
  readonly body: string
  readonly fetched_at: number
}

/** What a session of an MCP client keeps; one that keeps nothing has no row. */
export interface McpSessionsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly id: Fixed<string>
  readonly log_level: string | null
  /** The URIs it has subscribed to, as it names them: a JSON array of strings. */
  readonly resources: string
  readonly changed_at: number
  readonly ended_at: number | null
}

/** Sessions that upstreams have opened for users, so that any process can go on with them. */
export interface UpstreamSessionsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly upstream: Fixed<string>
  /** A digest of what sets it apart from the user's others: the capabilities, or the session it is for. */
  readonly client: Fixed<string>
  /** The client's session it is for, where it is for one. */
  readonly session: Fixed<string | null>
  /** The id, what was agreed on, and a digest of the credential it was opened with. */
  readonly sealed: Buffer
  readonly opened_at: number
  readonly used_at: number
}

/** What our own servers keep for users, such as journals of what they have changed. Never a credential. */
export interface BuiltinDocumentsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly upstream: Fixed<string>
  /** What the service behind calls the account. */
  readonly account: Fixed<string>
  readonly collection: Fixed<string>
  /** The bytes of a text. */
  readonly key: Fixed<Buffer>
  /** JSON. */
  readonly value: string
  /** Goes up by one with each writing. */
  readonly version: number
  readonly written_at: number
}

/** Append only: each row's hash covers the one before it. */
export interface AuditTable extends Owned {
  readonly seq: Fixed<number>
  readonly at: Fixed<number>
  readonly user_id: Fixed<UserId | null>
  readonly kind: Fixed<string>
  /** What is hashed: the whole entry as JSON. */
  readonly entry: Fixed<string>
  readonly hash: Fixed<string>
}

export interface PasswordsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** The argon2id hash with its parameters, as a PHC string. */
  readonly hash: string
  readonly changed_at: number
}

/** Browsers that are signed in. */
export interface SessionsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** SHA-256 of the cookie's value, base64url; the value itself is nowhere. */
  readonly id: Fixed<string>
  /** What the browser said it is, shortened. */
  readonly browser: Fixed<string>
  readonly address: Fixed<string>
  /** What the user proved it with, with spaces in between. @see RFC 8176 §2 */
  readonly amr: Fixed<string>
  /** Where an identity provider vouched for the user: its issuer, what it calls them, and its own session. */
  readonly federated_issuer: Fixed<string | null>
  readonly federated_subject: Fixed<string | null>
  readonly federated_sid: Fixed<string | null>
  readonly created_at: Fixed<number>
  /** When the user proved who they are: not after `created_at`. */
  readonly authenticated_at: Fixed<number>
  readonly seen_at: number
  readonly expires_at: Fixed<number>
}

/** Links that let a user in, each good for once. */
export interface InvitationsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** SHA-256 of the link's secret, base64url. */
  readonly id: Fixed<string>
  readonly created_at: Fixed<number>
  readonly expires_at: Fixed<number>
  readonly used_at: number | null
}

/** Public keys that users sign in with (WebAuthn). */
export interface PasskeysTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** The credential id, base64url. */
  readonly id: Fixed<string>
  /** A COSE key. */
  readonly public_key: Fixed<Buffer>
  /** How often it has signed, as far as it says. */
  readonly counter: number
  /** A JSON array of strings, as the browser told them. */
  readonly transports: Fixed<string>
  /** Whether it can leave the device it was made on. */
  readonly kept_in: Fixed<'device' | 'cloud'>
  readonly name: string
  readonly created_at: Fixed<number>
  readonly used_at: number | null
}

/** The app that makes a user's one-time codes. */
export interface AuthenticatorsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** The shared secret, sealed. */
  readonly sealed: Fixed<Buffer>
  /** The time step of the last code that was taken: none of it or before is taken again. */
  readonly last_step: number
  readonly created_at: Fixed<number>
  readonly used_at: number | null
}

/** Codes for whoever has lost their other factors, each good for once. */
export interface RecoveryCodesTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** SHA-256 of the code, base64url. */
  readonly id: Fixed<string>
  readonly created_at: Fixed<number>
  readonly used_at: number | null
}

/** Challenges and first steps that were used, until they would have expired anyway. */
export interface SpentProofsTable extends Owned {
  /** A digest. */
  readonly id: Fixed<string>
  readonly expires_at: Fixed<number>
}

/** What the authorization server keeps: clients, codes, tokens, grants, interactions. */
export interface OAuthRecordsTable {
  readonly model: Fixed<string>
  /** SHA-256 of what a client presents (a code, a token), base64url; that itself is nowhere. */
  readonly id: Fixed<string>
  readonly tenant_id: TenantId | null
  readonly user_id: UserId | null
  readonly client_id: string | null
  readonly grant_id: string | null
  readonly uid: string | null
  /** JSON, without any secret. */
  readonly payload: string
  /** A secret of the record, such as a client's, sealed. */
  readonly sealed: Buffer | null
  /** Of a refresh token: the one it took the place of. */
  readonly parent: string | null
  readonly consumed_at: number | null
  /** Of a refresh token: when the one that took its place was first used. */
  readonly successor_used_at: number | null
  readonly created_at: Fixed<number>
  readonly expires_at: number | null
}

/** The client that an agent comes as: one for each. */
export interface AgentClientsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly client_id: Fixed<string>
  /** SHA-256 of its secret, base64url; absent where it signs with keys of its own. */
  readonly secret_hash: string | null
  /** Its public keys: a JSON Web Key Set. */
  readonly jwks: string | null
  readonly changed_at: number
}

/** What a user allowed a client to do. */
export interface ConsentsTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly client_id: Fixed<string>
  readonly client_name: string
  readonly redirect_host: string
  readonly grant_id: string
  /** JSON arrays of strings. */
  readonly scopes: string
  readonly resources: string
  readonly granted_at: number
  readonly used_at: number | null
  /** The network its tokens were last renewed from. */
  readonly place: string | null
}

export interface SigningKeysTable {
  readonly id: Fixed<string>
  /** The private JWK, sealed. */
  readonly sealed: Fixed<Buffer>
  readonly created_at: Fixed<number>
  /** From then on it signs nothing and only proves what it signed before. */
  readonly retires_at: number | null
}

/** The accounts users have connected; the credential itself is in the vault, under `oauth:<provider>`. */
export interface ConnectionsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** The provider's id, or `mcp:<server>` where the server's own metadata named the authorization server. */
  readonly provider: Fixed<string>
  readonly status: 'connected' | 'rejected'
  /** What the provider calls the account. */
  readonly account: string | null
  /** A JSON array of strings. */
  readonly scopes: string
  /** The authorization server the credential is bound to, where it named itself. */
  readonly issuer: string | null
  readonly client_id: string
  /** When the access token ends. */
  readonly expires_at: number | null
  readonly connected_at: number
  readonly refreshed_at: number | null
  /** The code of the last failure since the last success. */
  readonly failure: string | null
  readonly failed_at: number | null
  /** Until when one process alone renews it; `null` where none does. */
  readonly leased_until: number | null
  /** Goes up by one with each change of the credential. */
  readonly version: number
}

/** Connections that were begun and wait for the provider's answer. */
export interface ConnectFlowsTable extends Owned {
  readonly user_id: Fixed<UserId>
  /** SHA-256 of `state`, base64url. */
  readonly id: Fixed<string>
  /** The browser's session it was begun in. */
  readonly session_id: Fixed<string>
  readonly provider: Fixed<string>
  /** JSON, sealed: the code verifier and where to go afterwards. */
  readonly sealed: Fixed<Buffer>
  readonly created_at: Fixed<number>
  readonly expires_at: Fixed<number>
  readonly used_at: number | null
}

/** What this gate is called at authorization servers it registered itself with. */
export interface UpstreamClientsTable extends Owned {
  readonly issuer: Fixed<string>
  readonly client_id: string
  /** The client secret, sealed. */
  readonly sealed: Buffer | null
  readonly created_at: number
  readonly expires_at: number | null
}

/** Whom an identity provider means: the pair of issuer and subject is the identity, and nothing else of it is. */
export interface FederatedIdentitiesTable extends Owned {
  readonly user_id: Fixed<UserId>
  readonly issuer: Fixed<string>
  readonly subject: Fixed<string>
  /** What the configuration calls the provider. */
  readonly provider: string
  /** An address or a name, for its user to tell it by. */
  readonly shown_as: string
  /** Whether the account was made for it: 0 or 1. */
  readonly made_user: Fixed<0 | 1>
  readonly linked_at: Fixed<number>
  readonly used_at: number | null
}
