import { setTimeout as sleep } from 'node:timers/promises'
import { eventsOf, post, sayTo, textOf, type Door, type Event, type Fields, type Message } from './faults-wire.ts'

/** How a call of a session ended. */
export type Ended =
  | { readonly how: 'answered'; readonly text: string; readonly notes: readonly Message[] }
  /** An error of the protocol, with the gate's code where it has one; whether the client had come back for it. */
  | { readonly how: 'failed'; readonly code: string; readonly resumed: boolean }
  /** The connection was cut before there was anything to come back to. */
  | { readonly how: 'cut' }

export interface Session {
  /** Calls a tool, answers what is asked in the middle of it, and comes back for the rest where it is cut off. */
  call(label: string, name: string, args: Fields): Promise<Ended>
  /** Makes another request, of which only the end matters. @throws {Error} where that is no result */
  request(method: string, params: Fields): Promise<void>
  /** Notifications on its own stream, as they came. */
  readonly told: readonly Message[]
  /** Whether its own stream is open. */
  readonly isStreaming: boolean
  /** What was refused to it: a session that is known nowhere any more, above all. */
  readonly refused: readonly string[]
  close(): void
}

export interface SessionNeeds {
  readonly door: Door
  /** Waited for before a question of a call is answered. */
  mayAnswer?(label: string): Promise<void>
}

const VERSION = { 'MCP-Protocol-Version': '2025-11-25' }
const REPLY_TRIES = 20
const AGAIN_MS = 100

/** Opens a session of revision 2025-11-25 whose client can be asked, with a stream of its own. */
export async function openSession({ door, mayAnswer = () => Promise.resolve() }: SessionNeeds): Promise<Session> {
  const closing = new AbortController()
  const told: Message[] = []
  const refused: string[] = []
  let isStreaming = false
  let ids = 0

  const clientInfo = { name: 'faults', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {}, sampling: {} }, clientInfo }
  const first = await post(door, { id: ++ids, method: 'initialize', params }, { headers: VERSION })
  const sessionId = first.headers.get('mcp-session-id')
  if (sessionId === null) throw new Error(`no session, but ${first.status} ${await first.text()}`)
  await first.text()
  const headers = { ...VERSION, 'Mcp-Session-Id': sessionId }
  await (await post(door, { method: 'notifications/initialized' }, { headers })).text()

  // 1. The session's own stream.

  async function listen(): Promise<void> {
    let last: string | undefined
    while (!closing.signal.aborted) {
      try {
        const response = await get(last)
        isStreaming = response.ok
        if (!response.ok) refused.push(`GET ${response.status} ${await response.text()}`)
        for await (const { id, message } of eventsOf(response)) {
          last = id ?? last
          if (message) hear(message)
        }
      } catch {
        // It was cut: the client comes back with the last it has.
      }
      isStreaming = false
      await sleep(AGAIN_MS)
    }
  }

  function get(lastEventId: string | undefined): Promise<Response> {
    const accepted = { Authorization: `Bearer ${door.key}`, Accept: 'text/event-stream', ...headers }
    const all = lastEventId === undefined ? accepted : { ...accepted, 'Last-Event-ID': lastEventId }
    return fetch(door.url, { headers: all, signal: closing.signal })
  }

  function hear(message: Message): void {
    if (message.method === undefined) return
    if (message.id === undefined) told.push(message)
    else void reply('', message)
  }

  /** A reply whose connection is cut may have arrived or not; the same twice does no harm. */
  async function reply(label: string, question: Message): Promise<void> {
    await mayAnswer(label)
    for (let tries = 0; tries < REPLY_TRIES; tries++) {
      try {
        const answer = await post(door, { id: question.id, result: sayTo(label, question) }, { headers })
        await answer.text()
        if (answer.status !== 202) refused.push(`reply ${answer.status}`)
        return
      } catch {
        await sleep(AGAIN_MS)
      }
    }
    refused.push('no reply arrived')
  }

  // 2. Calls.

  async function call(label: string, name: string, args: Fields): Promise<Ended> {
    const id = ++ids
    const under: Under = { id, label, notes: [], last: undefined }
    const sent = { id, method: 'tools/call', params: { name, arguments: args } }
    const ended = await readWhole(() => post(door, sent, { headers, label }), under)
    if (ended) return endOf(ended, under, false)
    if (under.last === undefined) return { how: 'cut' }
    for (let tries = 0; tries < REPLY_TRIES; tries++) {
      const rest = await readWhole(() => get(under.last), under)
      if (rest) return endOf(rest, under, true)
      await sleep(AGAIN_MS)
    }
    return { how: 'failed', code: 'no end', resumed: true }
  }

  /** Reads until the call's own answer; `undefined` where the connection ends before. */
  async function readWhole(open: () => Promise<Response>, under: Under): Promise<Message | undefined> {
    try {
      for await (const event of eventsOf(await open())) {
        const answer = take(event, under)
        if (answer) return answer
      }
    } catch {
      // As if it had ended.
    }
    return undefined
  }

  function take({ id, message }: Event, under: Under): Message | undefined {
    under.last = id ?? under.last
    if (message === undefined) return undefined
    if (message.method === undefined) return message
    if (message.id === undefined) under.notes.push(message)
    else void reply(under.label, message)
    return undefined
  }

  void listen()
  return {
    call,
    async request(method, params) {
      const response = await post(door, { id: ++ids, method, params }, { headers })
      for await (const { message } of eventsOf(response)) if (message?.result) return
      throw new Error(`${method}: ${response.status}`)
    },
    told,
    get isStreaming() {
      return isStreaming
    },
    refused,
    close: () => closing.abort(),
  }
}

/** A call under way. */
interface Under {
  readonly id: number
  readonly label: string
  readonly notes: Message[]
  /** The last event that its client has. */
  last: string | undefined
}

function endOf({ result, error }: Message, { notes }: Under, resumed: boolean): Ended {
  if (error) return { how: 'failed', code: error['data']?.code ?? String(error['code']), resumed }
  if (result?.['isError'] !== true) return { how: 'answered', text: textOf(result), notes }
  return { how: 'failed', code: result['_meta']?.['dev.sekisho/error']?.code ?? textOf(result), resumed }
}
