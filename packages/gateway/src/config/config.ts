import type { UpstreamId } from '../base/ids.ts'
import type { Secret } from '../base/secret.ts'
import type { Template } from '../base/template.ts'
import type { ConfigFile } from './schema.ts'

/**
 * A configuration that was found right, with every default filled in. It is frozen through and through:
 * reloading makes a new one, and a call in flight keeps the one it began with.
 */
export interface Config extends Readonly<
  Pick<ConfigFile, 'listen' | 'limits' | 'timeouts' | 'stdio' | 'names' | 'log' | 'audit'>
> {
  /** Scheme, host and port, without a slash at the end. With `listen.port` 0 its port is to be replaced. */
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
  readonly allowedHosts: readonly string[]
  readonly servers: readonly ServerConfig[]
  /** The names of servers that are left out. */
  readonly disabledServers: readonly UpstreamId[]
  /** An absolute path. */
  readonly dataDirectory: string
  readonly databaseUrl: Secret | undefined
}

export type ServerConfig = StdioServer | HttpServer | BuiltinServer

interface AnyServer {
  readonly id: UpstreamId
  readonly description: string | undefined
  readonly requiresUserToken: boolean
  readonly tokenSetup: TokenSetup | undefined
  readonly timeoutMs: number
  readonly startTimeoutMs: number
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
}

export interface BuiltinServer extends AnyServer {
  readonly kind: 'builtin'
  readonly builtin: string
}

export interface TokenSetup {
  readonly name: string
  readonly instructions: string
  readonly helpUrl: string | undefined
  /** Found in every token of this service. Neither global nor sticky, so that it keeps no state. */
  readonly format: RegExp | undefined
}
