import { createMalHandler, type MalHandler } from '../../src/handler.ts'
import type { MalSettings } from '../../src/settings.ts'
import type { Clock } from '#kit/clock'
import { startStandIn, type StandIn } from './stand-in.ts'

export interface Bench extends AsyncDisposable {
  readonly mal: StandIn
  readonly handler: MalHandler
  call(tool: string, args?: object, options?: CallOptions): Promise<Called>
}

export interface CallOptions {
  readonly token?: string
  readonly signal?: AbortSignal
  readonly legacy?: boolean
  readonly progressToken?: string
}

export interface Called {
  readonly status: number
  readonly challenge: string | null
  readonly isError: boolean
  readonly text: string
  readonly structured: Record<string, unknown>
  /** Messages that came before the result. */
  readonly notes: Message[]
}

interface Message {
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: {
    isError?: boolean
    content?: { text: string }[]
    structuredContent?: Record<string, unknown>
    tools?: { name: string }[]
  }
}

/** The server in front of a stand-in, quick: nothing waits and nothing is kept unless a test asks for it. */
export async function startBench(settings: MalSettings = {}): Promise<Bench> {
  const mal = await startStandIn()
  mal.lists.set('ada', [])
  const handler = createMalHandler({
    apiBaseUrl: mal.apiBaseUrl,
    pace: { burst: 1000, perSecond: 1000 },
    retryDelaysMs: [1, 2, 4],
    keep: nothing,
    ...settings,
  })
  return {
    mal,
    handler,
    call: (tool, args, options) => callTool(handler, tool, { args: args ?? {}, token: 'ada', ...options }),
    async [Symbol.asyncDispose]() {
      await handler.close()
      await mal[Symbol.asyncDispose]()
    },
  }
}

const nothing = { list: 0, profile: 0, work: 0, catalogue: 0, boards: 0, forum: 0 }

/** Time that passes only by waiting. */
export function fakeClock(): Clock & { waits: number[] } {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    async wait(ms, signal) {
      signal.throwIfAborted()
      waits.push(ms)
      now += ms
    },
  }
}

export function requestOf(method: string, params: object, options: CallOptions = {}): Request {
  const { legacy = false, signal, progressToken } = options
  const name = 'name' in params ? String(params.name) : 'uri' in params ? String(params.uri) : undefined
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    ...(progressToken !== undefined && { progressToken }),
  }
  return new Request('http://mal.invalid/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(!legacy && { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method }),
      ...(!legacy && name !== undefined && { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: legacy ? params : { ...params, _meta: meta } }),
    ...(signal && { signal }),
  })
}

async function callTool(handler: MalHandler, name: string, { args, ...options }: CallOptions & { args: object }) {
  const request = requestOf('tools/call', { name, arguments: args }, options)
  const token = options.token ?? ''
  const response = await handler.fetch(request, { authInfo: { token, clientId: 'test', scopes: [] } })
  return readCalled(response)
}

/** What a call was answered with. */
export async function readCalled(response: Response): Promise<Called> {
  const messages = readMessages(await response.text())
  const result = messages.at(-1)?.result
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    isError: result?.isError ?? false,
    text: result?.content?.[0]?.text ?? '',
    structured: result?.structuredContent ?? {},
    notes: messages.slice(0, -1),
  }
}

/** The messages of a body, which is one message or a stream of them. */
export function readMessages(body: string): Message[] {
  if (body.startsWith('{')) return [JSON.parse(body)]
  return body.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
}
