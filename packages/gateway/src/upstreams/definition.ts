import type { UpstreamId } from '../base/ids.ts'
import type { Template } from '../base/template.ts'
import type { ProviderLink } from '../providers/link.ts'
import type { ServiceToken } from '../providers/service.ts'

interface Common {
  readonly id: UpstreamId
  readonly description?: string | undefined
  /** The service whose token each user needs of their own, where one does. */
  readonly service: ServiceToken | undefined
  /** The provider whose account each user connects for it, where one does. */
  readonly link: ProviderLink | undefined
  readonly timeoutMs: number
  readonly startTimeoutMs: number
  /** Whether nothing is changed at it, by nobody. */
  readonly readOnly?: boolean | undefined
}

/** One MCP server as the configuration names it. Immutable: a reload makes new ones. */
export type UpstreamDefinition =
  | (Common & {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly Template[]
      readonly env: Readonly<Record<string, Template>>
      readonly cwd: string | undefined
      readonly shared: boolean
      readonly memoryMb: number
    })
  | (Common & {
      readonly kind: 'http'
      readonly url: Template
      readonly headers: Readonly<Record<string, Template>>
      /** Whether it speaks HTTP with SSE, the transport before Streamable HTTP. */
      readonly sse?: boolean | undefined
    })
  | (Common & {
      readonly kind: 'builtin'
      readonly builtin: string
      /** The groups of its tools that are offered; its own choice where none are named. */
      readonly toolsets: readonly string[] | undefined
      /** What it may ask of its provider, by the names that it has for that; as usual where none are given. */
      readonly limits?: Readonly<Record<string, number | undefined>> | undefined
      /** Where its provider's API is, where that is not the usual place. */
      readonly apiBaseUrl: string | undefined
    })
