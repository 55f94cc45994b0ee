import type { UpstreamId } from '../base/ids.ts'
import type { Template } from '../base/template.ts'

/** What a user must give before an upstream can be called for them. */
export interface TokenSetup {
  readonly name: string
  readonly instructions: string
  readonly helpUrl?: string | undefined
  readonly format?: string | undefined
}

interface Common {
  readonly id: UpstreamId
  readonly description?: string | undefined
  /** Present where each user needs a token of their own. */
  readonly tokenSetup: TokenSetup | undefined
  readonly timeoutMs: number
  readonly startTimeoutMs: number
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
  | (Common & { readonly kind: 'http'; readonly url: Template; readonly headers: Readonly<Record<string, Template>> })
  | (Common & { readonly kind: 'builtin'; readonly builtin: string })
