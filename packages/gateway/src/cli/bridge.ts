import { createInterface } from 'node:readline'
import { Agent, fetch, type Response } from 'undici'
import { z } from 'zod'
import type { Secret } from '../base/secret.ts'
import type { Input, Output } from '../base/terminal.ts'
import { carryStream, type Carried } from './bridge-stream.ts'

export interface BridgeNeeds {
  /** The gate's endpoint. */
  readonly url: string
  /** A token that is good now; another one where the gate refused that one. */
  token(refused?: Secret): Promise<Secret>
  readonly input: Input
  readonly output: Output
  /** What whoever started it should know; nothing but messages goes to the output. */
  note(text: string): void
}

/** As much of a message as it takes to carry it. */
const Message = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  method: z.string().optional(),
  result: z.object({ protocolVersion: z.string().optional() }).loose().optional(),
})
type Message = z.output<typeof Message>

const NO_METHOD = -32601
const NO_ANSWER = -32000
const ANSWERS = 'application/json, text/event-stream'

/**
 * Carries MCP between a client that speaks stdio and a gate over HTTP, until the client ends its input. Messages go
 * through as they are. A client of the newest revision is told that there is none of it here, and goes on with the handshake:
 * what such a client would say in headers, this end cannot know.
 *
 * @see MCP, basic/transports: stdio, Streamable HTTP
 */
export async function carry({ url, token, input, output, note }: BridgeNeeds): Promise<void> {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const ended = new AbortController()
  const session = new Map<string, string>()
  const underWay = new Set<Promise<void>>()
  let listening: Promise<void> | undefined

  const say = (message: object | string) =>
    void output.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
  const fail = (id: Message['id'], code: number, message: string) =>
    id === undefined || id === null ? note(message) : say({ jsonrpc: '2.0', id, error: { code, message } })

  async function ask(method: string, { body, headers = {} }: Asking = {}, refused?: Secret): Promise<Response> {
    const bearer = await token(refused)
    const answer = await fetch(url, {
      method,
      body: body ?? null,
      dispatcher: agent,
      redirect: 'error',
      signal: ended.signal,
      headers: {
        ...Object.fromEntries(session),
        ...headers,
        Accept: ANSWERS,
        Authorization: `Bearer ${bearer.reveal()}`,
      },
    })
    if (answer.status !== 401 || refused !== undefined) return answer
    await answer.body?.cancel()
    return ask(method, { body, headers }, bearer)
  }

  const resume = (lastId: string) => ask('GET', { headers: { 'Last-Event-ID': lastId } })

  /** Hands on what the gate says; keeps what was agreed on in the handshake. */
  function hear(text: string, wanted?: Message['id']): boolean {
    say(text)
    if (wanted === undefined) return false
    const { id, method, result } = read(text)
    if (result?.protocolVersion !== undefined) session.set('MCP-Protocol-Version', result.protocolVersion)
    return id === wanted && method === undefined
  }

  async function send(line: string): Promise<void> {
    const { id, method } = read(line)
    if (method === 'server/discover') return fail(id, NO_METHOD, 'This end speaks MCP with a handshake.')
    try {
      const answer = await ask('POST', { body: line, headers: { 'Content-Type': 'application/json' } })
      const opened = answer.headers.get('mcp-session-id')
      if (opened !== null) session.set('Mcp-Session-Id', opened)
      const carried: Carried = { hear: (text) => hear(text, id), resume, ended: ended.signal }
      if (isStream(answer)) await carryStream(answer, carried)
      else await carryText(answer, id)
      if (method === 'notifications/initialized') listening ??= listen()
    } catch (error) {
      if (!ended.signal.aborted) fail(id, NO_ANSWER, `The gate did not answer: ${reasonOf(error)}`)
    }
  }

  /** One message, or none. What is no message, such as a proxy's page, is told as an error. */
  async function carryText(answer: Response, id: Message['id']): Promise<void> {
    const text = (await answer.text()).replaceAll(/[\r\n]+/g, ' ').trim()
    if (text.startsWith('{') || text.startsWith('[')) hear(text, id)
    else if (answer.status >= 400) fail(id, NO_ANSWER, `The gate answers ${answer.status}.`)
  }

  /** What the gate says by itself. */
  async function listen(): Promise<void> {
    const answer = await ask('GET').catch(() => undefined)
    if (answer === undefined || !isStream(answer)) return answer?.body?.cancel()
    await carryStream(answer, { hear: (text) => hear(text), resume, ended: ended.signal })
  }

  for await (const line of createInterface({ input })) {
    if (line.trim() === '') continue
    const sent: Promise<void> = send(line).finally(() => underWay.delete(sent))
    underWay.add(sent)
  }
  await Promise.all(underWay)
  if (session.has('Mcp-Session-Id')) await ask('DELETE').then((answer) => answer.body?.cancel(), note)
  ended.abort()
  await listening?.catch(() => undefined)
  await agent.close()
}

interface Asking {
  readonly body?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** What cannot be read is for the gate to refuse. */
function read(text: string): Message {
  try {
    return Message.safeParse(JSON.parse(text)).data ?? {}
  } catch {
    return {}
  }
}

function isStream({ headers, ok }: Response): boolean {
  return ok && (headers.get('content-type') ?? '').startsWith('text/event-stream')
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
