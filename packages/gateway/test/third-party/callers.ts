import {
  Client,
  StreamableHTTPClientTransport,
  type ClientCapabilities,
  type Transport,
} from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { z } from 'zod'

/** One request, as a test writes it down. */
export type Call =
  | { readonly tool: string; readonly args?: object; readonly vague?: boolean }
  | { readonly prompt: string; readonly args?: Readonly<Record<string, string>> }
  | { readonly resource: string }
  | { readonly complete: { readonly ref: object; readonly argument: object } }

/** A client that can do all that a server may ask of it; what it is told in vain, it answers with the error. */
export interface Caller extends AsyncDisposable {
  /** What the server says it has. */
  readonly capabilities: readonly string[]
  list(method: string, member: string): Promise<readonly Described[]>
  call(call: Call): Promise<unknown>
}

const Described = z.looseObject({
  name: z.string().optional(),
  uri: z.string().optional(),
  uriTemplate: z.string().optional(),
})
export type Described = z.infer<typeof Described>

const CAPABILITIES: ClientCapabilities = { sampling: {}, elicitation: {} }
const CALL_MS = 60_000

/** Starts a server and speaks to it without a gate between. */
export function callDirectly(
  program: { command: string; args: string[]; env: Record<string, string> },
  root: string | undefined,
): Promise<Caller> {
  return open(new StdioClientTransport({ ...program, stderr: 'ignore' }), 'legacy', root)
}

/** Speaks to a server through the gate, in one era or the other. */
export function callThrough(
  { url, key }: { readonly url: string; readonly key: string },
  era: 'legacy' | 'modern',
  root: string | undefined,
): Promise<Caller> {
  const headers = { Authorization: `Bearer ${key}` }
  return open(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }), era, root)
}

async function open(transport: Transport, era: 'legacy' | 'modern', root: string | undefined): Promise<Caller> {
  const client = new Client(
    { name: 'third-party-test', version: '1.0.0' },
    {
      capabilities: root === undefined ? CAPABILITIES : { ...CAPABILITIES, roots: {} },
      versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
    },
  )
  if (root !== undefined) {
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: `file://${root}`, name: 'work' }] }))
  }
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada', check: true } }))
  client.setRequestHandler('sampling/createMessage', ({ params }) => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: `asked for ${params.maxTokens} tokens` },
  }))
  await client.connect(transport)

  return {
    capabilities: Object.keys(client.getServerCapabilities() ?? {}),
    async list(method, member) {
      const items: Described[] = []
      for (let cursor: string | undefined; ;) {
        const params = cursor === undefined ? {} : { cursor }
        const page = await client.request({ method, params }, z.looseObject({ nextCursor: z.string().optional() }))
        items.push(...z.array(Described).parse(page[member]))
        cursor = page.nextCursor
        if (cursor === undefined) return items
      }
    },
    async call(call) {
      try {
        return await send(client, call)
      } catch (error) {
        return { error: error instanceof Error ? error.message : error }
      }
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

function send(client: Client, call: Call): Promise<unknown> {
  const options = { timeout: CALL_MS }
  if ('tool' in call) return client.callTool({ name: call.tool, arguments: { ...call.args } }, options)
  if ('prompt' in call) return client.getPrompt({ name: call.prompt, ...(call.args && { arguments: call.args }) })
  if ('resource' in call) return client.readResource({ uri: call.resource })
  return client.request({ method: 'completion/complete', params: { ...call.complete } }, z.looseObject({}))
}
