import type { UpstreamId } from '../base/ids.ts'
import type { Secret } from '../base/secret.ts'
import type { Template } from '../base/template.ts'
import type { ProviderDefinition } from './provider-schema.ts'
import type { ConfigFile } from './schema.ts'
import type { BuiltinLimits } from './server-schema.ts'

/**
 * A configuration that was found right, with every default filled in. It is frozen through and through:
 * reloading makes a new one, and a call in flight keeps the one it began with.
 */
export interface Config extends Readonly<
  Pick<
    ConfigFile,
    'listen' | 'workers' | 'oauth' | 'outbound' | 'limits' | 'timeouts' | 'stdio' | 'names' | 'log' | 'audit'
  >
> {
  /** What is asked of the people of every tenant. */
  readonly signIn: Pick<ConfigFile['signIn'], 'passwordLength' | 'invitationHours'>
  /** The tenants, the first of which is `default`. */
  readonly tenants: readonly [TenantConfig, ...TenantConfig[]]
  /** Whom people may sign in with, in the order of the file. */
  readonly identityProviders: readonly IdentityProviderConfig[]
  /** Scheme, host and port, without a slash at the end. With `listen.port` 0 its port is to be replaced. */
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
  readonly allowedHosts: readonly string[]
  readonly trustProxy: readonly string[]
  readonly allowedAddresses: readonly string[]
  readonly servers: readonly ServerConfig[]
  /** The providers that the file sets up or a server names, by id. */
  readonly providers: Readonly<Record<string, ProviderConfig>>
  /** The names of servers that are left out. */
  readonly disabledServers: readonly UpstreamId[]
  /** An absolute path. */
  readonly dataDirectory: string
  readonly databaseUrl: Secret | undefined
  /** Where the processes that serve the database tell each other; without it this one is alone. */
  readonly redisUrl: Secret | undefined
}

/** How the people of one tenant sign in. */
export type SignInConfig = Readonly<
  Pick<ConfigFile['signIn'], 'methods' | 'secondFactor' | 'stepUpMinutes' | 'idleHours' | 'maxHours'>
>

export interface TenantConfig {
  /** As the file has it: lower case letters, digits and `-`. */
  readonly name: string
  readonly signIn: SignInConfig
}

export type ServerConfig = StdioServer | HttpServer | BuiltinServer

interface AnyServer {
  readonly id: UpstreamId
  readonly description: string | undefined
  readonly requiresUserToken: boolean
  readonly tokenSetup: TokenSetup | undefined
  /** The provider whose account each user connects; a key of `providers`. */
  readonly provider: string | undefined
  readonly timeoutMs: number
  readonly startTimeoutMs: number
  /** Whether nothing is changed at it, by nobody. */
  readonly readOnly?: boolean | undefined
}

export interface StdioServer extends AnyServer {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly Template[]
  readonly env: Readonly<Record<string, Template>>
  /** An absolute path. */
  readonly cwd: string | undefined
  readonly shared: boolean
  readonly memoryMb: number
}

export interface HttpServer extends AnyServer {
  readonly kind: 'http'
  /** Checked to be http or https with the host fixed; a `userToken` stands after the host only. */
  readonly url: Template
  readonly headers: Readonly<Record<string, Template>>
  /** Where each user connects an account by what the server's own metadata says. */
  readonly oauth: DiscoveredOAuth | undefined
  /** Whether it speaks HTTP with SSE, the transport before Streamable HTTP. */
  readonly sse?: boolean | undefined
}

export interface BuiltinServer extends AnyServer {
  readonly kind: 'builtin'
  readonly builtin: string
  /** The groups of its tools that are offered; its own choice where none are named. */
  readonly toolsets: readonly string[] | undefined
  /** What it may ask of its provider. */
  readonly limits: BuiltinLimits | undefined
}

export interface TokenSetup {
  readonly name: string
  readonly instructions: string
  readonly helpUrl: string | undefined
  /** Found in every token of this service. Neither global nor sticky, so that it keeps no state. */
  readonly format: RegExp | undefined
}

/** What an authorization server calls this gate; without an id it is not set up there. */
export interface ClientConfig {
  readonly clientId: string | undefined
  readonly clientSecret: Secret | undefined
}

export interface DiscoveredOAuth extends ClientConfig {
  readonly scopes: readonly string[] | undefined
}

/** A provider with every default filled in: its definition, and what the file says beside or in place of it. */
export interface ProviderConfig extends ClientConfig {
  readonly id: string
  readonly name: string
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly issuer: string | undefined
  readonly revocation: ProviderDefinition['revocation']
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly pkce: 'S256' | 'plain' | 'none'
  readonly clientAuthentication: 'body' | 'basic' | 'none'
  readonly scopes: readonly string[]
  readonly scopeSeparator: ' ' | ','
  readonly tokenReply: TokenReply
  readonly refresh: {
    readonly rotates: 'always' | 'optional' | 'never' | 'none'
    readonly expiresIn?: number | undefined
  }
  readonly account: ProviderDefinition['account']
  readonly apiBaseUrl: string | undefined
  readonly redirect: 'exact' | 'loopback-any-port'
  readonly help: ProviderDefinition['help']
}

/** How the token endpoint answers. */
export interface TokenReply {
  readonly format: 'json' | 'form' | 'auto'
  readonly errorsWithStatus200: boolean
  readonly path: string | undefined
  readonly grantErrors: readonly string[]
  readonly clientErrors: readonly string[]
}

/** An identity provider with every default filled in: its definition, and what the file says beside it. */
export interface IdentityProviderConfig {
  readonly id: string
  readonly label: string
  /** The name of the tenant it lets people into. */
  readonly tenant: string
  readonly protocol: 'oidc' | 'github'
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scopes: readonly string[]
  readonly groupsClaim: string
  readonly emailVerifiedClaim: string
  readonly anew: 'max_age' | 'login' | 'select_account'
  readonly rules: {
    readonly emailDomains: readonly string[] | undefined
    readonly groups: readonly string[] | undefined
    readonly createUsers: boolean
    readonly role: 'admin' | 'member'
    readonly roles: Readonly<Record<string, 'admin' | 'member'>> | undefined
  }
}
