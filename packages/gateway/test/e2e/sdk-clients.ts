import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** One of the published clients, as far as the tests use it. */
export interface AnyClient extends AsyncDisposable {
  /** The names of all tools, however many pages they come in. */
  names(): Promise<string[]>
  /** Calls a tool and answers with its text. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>
}

export interface CallOptions {
  readonly onprogress?: (progress: { progress: number }) => void
  readonly signal?: AbortSignal
}

type Connect = (url: string, key: string) => Promise<AnyClient>

/** Every client that has to work unchanged: its name, and how it is connected. */
export const clients: readonly (readonly [string, Connect])[] = [
  ['the client of SDK v1', connectV1],
  ['the modern client of SDK v2', (url, key) => connectV2({ pin: '2026-07-28' }, url, key)],
  ['the legacy client of SDK v2', (url, key) => connectV2('legacy', url, key)],
  ['the client of SDK v2 that finds out by itself', (url, key) => connectV2('auto', url, key)],
]

const ABOUT = { name: 'test', version: '1' }

function connection(url: string, key: string) {
  return [new URL(url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } }] as const
}

async function connectV1(url: string, key: string): Promise<AnyClient> {
  const client = new OldClient(ABOUT)
  await client.connect(new OldTransport(...connection(url, key)))
  return {
    names: () => allPages(async (cursor) => client.listTools(cursor)),
    call: async (name, args = {}, options = {}) =>
      said(await client.callTool({ name, arguments: args }, undefined, options)),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

async function connectV2(mode: 'legacy' | 'auto' | { pin: string }, url: string, key: string): Promise<AnyClient> {
  const client = new Client(ABOUT, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(...connection(url, key)))
  return {
    names: () => allPages(async (cursor) => client.listTools(cursor)),
    call: async (name, args = {}, options = {}) => said(await client.callTool({ name, arguments: args }, options)),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

interface Page {
  readonly tools: readonly { readonly name: string }[]
  readonly nextCursor?: string | undefined
}

async function allPages(list: (cursor: { cursor: string } | undefined) => Promise<Page>): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await list(cursor === undefined ? undefined : { cursor })
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return names
}

function said(result: object): string {
  const content: unknown = Reflect.get(result, 'content')
  if (!Array.isArray(content)) throw new TypeError('a result without content')
  return content.map((block: { text?: string }) => block.text ?? '').join('')
}
