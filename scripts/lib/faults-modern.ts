import type { Ground } from './faults-ground.ts'
import { SERVED_BY } from './faults-proxy.ts'
import {
  eventsOf,
  inTurns,
  post,
  sayTo,
  textOf,
  toolFor,
  type AskingTool,
  type Door,
  type Fields,
  type Message,
  type ServerName,
} from './faults-wire.ts'

/** What became of calls whose client can only be asked by an answer, and comes again with what it says. */
export interface ModernCounts {
  readonly calls: number
  /** How often clients came again. */
  rounds: number
  /** How often that was at another process than the call. */
  elsewhere: number
  right: number
  /** Another answer than what was said to that very call. */
  readonly wrong: string[]
  /** No answer at all. */
  readonly lost: string[]
}

export interface Many {
  readonly server: ServerName
  readonly calls: number
  readonly atOnce: number
}

/** Makes calls of revision 2026-07-28 by way of the proxy: each of tools that ask in mid-call. */
export async function callModern(ground: Ground, { server, calls, atOnce }: Many): Promise<ModernCounts> {
  const counts: ModernCounts = { calls, rounds: 0, elsewhere: 0, right: 0, wrong: [], lost: [] }
  await inTurns(calls, atOnce, async (n) => {
    const label = `${server} ${n}`
    const tool = toolFor(server, n)
    try {
      const text = await complete(ground.door(server), { label, tool }, counts)
      if (text === tool.expected(label)) counts.right += 1
      else counts.wrong.push(`${label}: ${text}`)
    } catch (error) {
      counts.lost.push(`${label}: ${String(error)}`)
    }
  })
  return counts
}

interface Call {
  readonly label: string
  readonly tool: AskingTool
}

/** Answers what it is asked until it has the result; the text of that. */
async function complete(door: Door, { label, tool }: Call, counts: ModernCounts): Promise<string> {
  const first = await begin(door, { label, tool })
  let { result } = first
  while (result['resultType'] === 'input_required') {
    const next = await comeAgain(door, { label, tool }, result)
    counts.rounds += 1
    if (next.servedBy !== first.servedBy) counts.elsewhere += 1
    result = next.result
  }
  if (result['isError'] === true) throw new Error(textOf(result))
  return textOf(result)
}

export interface Answered {
  readonly result: Fields
  readonly servedBy: string | null
}

/** Calls a tool; the answer may be a question. */
export function begin(door: Door, { label, tool }: Call): Promise<Answered> {
  return send(door, { label, params: { name: tool.name, arguments: tool.arguments(label) } })
}

/** Comes with what is said to the questions of a result. */
export function comeAgain(door: Door, { label, tool }: Call, asked: Fields): Promise<Answered> {
  const questions = Object.entries<Fields>(asked['inputRequests'])
  const inputResponses = Object.fromEntries(questions.map(([key, question]) => [key, sayTo(label, question)]))
  const params = { name: tool.name, arguments: tool.arguments(label), inputResponses }
  return send(door, { label, params: { ...params, requestState: asked['requestState'] } })
}

interface Request {
  readonly label: string
  readonly params: Fields & { readonly name: string }
}

/** Makes one call, and waits for its answer. @throws {Error} where none comes, or an error of the protocol */
export async function send(door: Door, { label, params }: Request, onNote = ignore): Promise<Answered> {
  const _meta = { ...ENVELOPE, ...params['_meta'] }
  const message = { id: label, method: 'tools/call', params: { ...params, _meta } }
  const headers = { 'MCP-Protocol-Version': REVISION, 'Mcp-Method': 'tools/call', 'Mcp-Name': params.name }
  const response = await post(door, message, { headers, label })
  for await (const { message: came } of eventsOf(response)) {
    if (came?.method !== undefined) onNote(came)
    if (came?.id !== label) continue
    if (!came.result) throw new Error(`${response.status} ${JSON.stringify(came.error)}`)
    return { result: came.result, servedBy: response.headers.get(SERVED_BY) }
  }
  throw new Error(`${response.status} without an answer`)
}

function ignore(_note: Message): void {}

const REVISION = '2026-07-28'
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': REVISION,
  'io.modelcontextprotocol/clientInfo': { name: 'faults', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, sampling: {} },
}
