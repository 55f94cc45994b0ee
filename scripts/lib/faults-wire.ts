import { LABEL } from './faults-proxy.ts'

/** A JSON-RPC message as it was read. */
export interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Fields
  readonly result?: Fields
  readonly error?: Fields
}
// oxlint-disable-next-line typescript/no-explicit-any -- what came is looked at, and compared as a whole
export type Fields = Readonly<Record<string, any>>

/** Where requests go, and with which key. */
export interface Door {
  readonly url: string
  readonly key: string
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>
  /** What the proxy calls the request. */
  readonly label?: string
  readonly signal?: AbortSignal
}

export function post({ url, key }: Door, message: object, sending: Sending = {}): Promise<Response> {
  const { label, headers, signal } = sending
  return fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(label === undefined ? {} : { [LABEL]: label }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    ...(signal && { signal }),
  })
}

/** One event of a stream, or the whole of a plain answer. */
export interface Event {
  readonly id: string | undefined
  readonly message: Message | undefined
}

/** Reads what an answer has, as it comes; throws where the connection breaks. */
export async function* eventsOf(response: Response): AsyncGenerator<Event> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    const text = await response.text()
    if (text !== '') yield { id: undefined, message: JSON.parse(text) }
    return
  }
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) yield eventOf(block)
  }
}

function eventOf(block: string): Event {
  const lines = block.split('\n')
  const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  const data = field('data')
  return { id: field('id'), message: data === undefined || data === '' ? undefined : JSON.parse(data) }
}

/** What a client says to a question: it names what it was asked, so that an answer shows whose it is. */
export function sayTo(label: string, { method, params = {} }: Pick<Message, 'method' | 'params'>): Fields {
  if (method === 'sampling/createMessage') {
    const text = `said to ${params['messages'][0].content.text}`
    return { role: 'assistant', model: 'm', content: { type: 'text', text } }
  }
  const message: string = params['message']
  return { action: 'accept', content: CONTENTS[message]?.(label) ?? { username: `said to ${message}`, email: EMAIL } }
}

const EMAIL = 'ada@example.org'
/** Questions that are the same in each call. */
const CONTENTS: Readonly<Record<string, (label: string) => Fields>> = {
  'Step 1: What is your name?': (label) => ({ name: `name of ${label}` }),
  'Step 2: What is your favorite color?': (label) => ({ color: `colour of ${label}` }),
}

/** A tool that asks, and what it answers to a client that says {@link sayTo}. */
export interface AskingTool {
  readonly name: string
  arguments(label: string): Fields
  expected(label: string): string
}

const asksUser: AskingTool = {
  name: 'test_elicitation',
  arguments: (label) => ({ message: label }),
  expected: (label) =>
    `User response: action=accept, content=${JSON.stringify({ username: `said to ${label}`, email: EMAIL })}`,
}
const asksModel: AskingTool = {
  name: 'test_sampling',
  arguments: (label) => ({ prompt: label }),
  expected: (label) => `LLM response: said to ${label}`,
}
const asksTwice: AskingTool = {
  name: 'test_input_required_result_multi_round',
  arguments: () => ({}),
  expected: (label) => `name of ${label} likes colour of ${label}.`,
}

/** Over pipes nothing says which call of a user a question is about: there only those are called whose questions do. */
export const tools = { http: [asksUser, asksModel, asksTwice], pipes: [asksUser, asksModel] } as const
export type ServerName = keyof typeof tools
export const servers: readonly ServerName[] = ['http', 'pipes']

export function toolFor(server: ServerName, n: number): AskingTool {
  return tools[server][n % tools[server].length] ?? asksUser
}

export function textOf(result: Fields | undefined): string {
  const content: readonly Fields[] = result?.['content'] ?? []
  return content.map(({ text }) => String(text)).join('\n')
}

/** Does so many things, never more than so many at a time. */
export async function inTurns(count: number, atOnce: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    for (let n = next++; n < count; n = next++) await act(n)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work))
}
