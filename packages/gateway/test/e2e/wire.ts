import { envelopeOf, headersOf, type Era } from './eras.ts'

/** Where a client knocks, with which key, in which era. */
export interface Door {
  /** The whole address, `/mcp` or `/mcp/<server>` included. */
  readonly url: string
  readonly key: string
  readonly era: Era
}

/** One answer, as it came. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The body, byte for byte. */
  readonly bytes: Buffer
  /** Its messages: one in plain JSON, any number in an event stream. */
  readonly messages: readonly string[]
}

export interface Sending {
  readonly id?: string | number
  /** Added to, or in place of, what the era wants. */
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Sends a request made of a method and its params. */
export function send(door: Door, method: string, params: object = {}, sending: Sending = {}): Promise<Reply> {
  const { id = 1 } = sending
  const message = { jsonrpc: '2.0', id, method, params: envelopeOf(door.era, params) }
  return post(door, JSON.stringify(message), { ...headersOf(door.era, method, params), ...sending.headers }, sending)
}

/** Sends a notification. */
export function tell(door: Door, method: string, params: object, headers: Record<string, string> = {}): Promise<Reply> {
  const message = JSON.stringify({ jsonrpc: '2.0', method, params })
  return post(door, message, { ...headersOf(door.era, method, params), ...headers })
}

/** Opens a session of the older revisions; gives the header that its requests carry. */
export async function openSession(door: Door, capabilities: object = {}): Promise<{ 'Mcp-Session-Id': string }> {
  const clientInfo = { name: 'test', version: '1' }
  const reply = await send(door, 'initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
  const id = reply.headers.get('mcp-session-id')
  if (id === null) return unexpected('session', reply)
  await tell(door, 'notifications/initialized', {}, { 'Mcp-Session-Id': id })
  return { 'Mcp-Session-Id': id }
}

/** Sends bytes as they are. */
export async function post(
  { url, key }: Pick<Door, 'url' | 'key'>,
  body: string,
  headers: Readonly<Record<string, string>>,
  { signal }: Pick<Sending, 'signal'> = {},
): Promise<Reply> {
  const all = {
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...headers,
  }
  const answer = await fetch(url, { method: 'POST', headers: all, body, ...(signal && { signal }) })
  const bytes = Buffer.from(await answer.arrayBuffer())
  return { status: answer.status, headers: answer.headers, bytes, messages: messagesOf(answer.headers, bytes) }
}

function messagesOf(headers: Headers, bytes: Buffer): string[] {
  const text = bytes.toString()
  if (headers.get('content-type')?.startsWith('text/event-stream') !== true) return text === '' ? [] : [text]
  return text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
}

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text: string }[]
  readonly isError?: boolean
  readonly structuredContent?: { readonly servers: readonly ServerStatus[] }
}

/** One line of `sekisho_status`. */
export interface ServerStatus {
  readonly server: string
  readonly state: string
  readonly tools: number
  readonly reason?: string
  readonly fix?: string
}

/** The result a request was answered with, taken to be what the test says it is; no result is a failure of the test. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- JSON has no type, and a test knows which it wants
export function resultOf<T>(reply: Reply): T {
  const { result }: { result?: T } = JSON.parse(lastOf(reply))
  return result ?? unexpected('result', reply)
}

/** The error a request was answered with. */
export function errorOf(reply: Reply): { readonly code: number; readonly message: string } {
  const { error }: { error?: { code: number; message: string } } = JSON.parse(lastOf(reply))
  return error ?? unexpected('error', reply)
}

function lastOf({ messages }: Reply): string {
  return messages.at(-1) ?? '{}'
}

function unexpected(wanted: string, { status, bytes }: Reply): never {
  throw new Error(`no ${wanted}, but ${status} ${bytes.toString()}`)
}

/** Calls a tool; an answer that is no result is a failure of the test. */
export async function call(door: Door, name: string, args: object = {}, sending?: Sending): Promise<ToolResult> {
  return resultOf<ToolResult>(await send(door, 'tools/call', { name, arguments: args }, sending))
}

/** The text a tool answered with; a result that is an error is a failure of the test. */
export async function textFrom(door: Door, name: string, args: object = {}, sending?: Sending): Promise<string> {
  const result = await call(door, name, args, sending)
  if (result.isError === true) throw new Error(`${name} failed: ${said(result)}`)
  return said(result)
}

export function said({ content }: ToolResult): string {
  return content.map(({ text }) => text).join('')
}

interface Page {
  readonly tools: readonly { readonly name: string }[]
  readonly nextCursor?: string
}

/** The names of all tools, page by page. */
export async function namesOf(door: Door): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page: Page = resultOf(await send(door, 'tools/list', cursor === undefined ? {} : { cursor }))
    names.push(...page.tools.map(({ name }) => name))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return names
}

/** What `sekisho_status` says of each server, by its name. */
export async function statusOf(door: Door): Promise<Map<string, ServerStatus>> {
  const { structuredContent } = await call(door, 'sekisho_status')
  return new Map(structuredContent?.servers.map((each) => [each.server, each]))
}
