import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { SigningIn } from './oauth-client.ts'

/** What scripts need of a client, whichever SDK it is made with. */
export interface McpClient extends AsyncDisposable {
  /** The names of all tools, over all pages. */
  toolNames(): Promise<string[]>
  /** Calls a tool; the text is that of all its text blocks. */
  call(tool: string, args?: Record<string, unknown>): Promise<{ text: string; isError: boolean }>
}

const CLIENT = { name: 'sekisho-tour', version: '1.0.0' }

/** What a client comes with: an API key, or what it was given when its user signed in. */
export type Credential = string | SigningIn

/** Connects the SDK's second generation, in revision 2026-07-28 and no other. */
export async function connectModern(url: string, credential: Credential): Promise<McpClient> {
  const client = new ModernClient(CLIENT, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new ModernTransport(new URL(url), shown(credential)))
  return {
    toolNames: () => allNames((cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    call: async (name, args = {}) => readResult(await client.callTool({ name, arguments: args })),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** Connects the SDK's first generation, which opens with `initialize`. */
export async function connectLegacy(url: string, credential: Credential): Promise<McpClient> {
  const client = new LegacyClient(CLIENT)
  await client.connect(new LegacyTransport(new URL(url), shown(credential)))
  return {
    toolNames: () => allNames((cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    call: async (name, args = {}) => readResult(await client.callTool({ name, arguments: args })),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

function shown(credential: Credential) {
  if (typeof credential !== 'string') return { authProvider: credential }
  return { requestInit: { headers: { Authorization: `Bearer ${credential}` } } }
}

interface Page {
  readonly tools: readonly { readonly name: string }[]
  readonly nextCursor?: string | undefined
}

async function allNames(list: (cursor: string | undefined) => Promise<Page>): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await list(cursor)
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return names
}

/** The older SDK's type of a result is a union with a form of 2024 that has no content. */
function readResult(result: object): { text: string; isError: boolean } {
  const content: unknown = 'content' in result ? result.content : undefined
  const blocks: readonly { text?: unknown }[] = Array.isArray(content) ? content : []
  const texts = blocks.flatMap(({ text }) => (typeof text === 'string' ? text : []))
  return { text: texts.join('\n'), isError: 'isError' in result && result.isError === true }
}
