import type { UpstreamId } from '../../base/ids.ts'
import { withId, type RpcRequest } from '../../base/json-rpc.ts'
import { findMember, splice } from '../../base/json-spans.ts'
import { problem } from '../../base/problem.ts'
import type { Answer, Question, Reply } from '../../upstreams/transport.ts'
import { asOlder, readInputRequired, readQuestions, withInput, type Questions } from '../eras/input-required.ts'
import type { StopSignal } from '../../base/stop.ts'

export interface Rounds {
  /** What the upstream answered first. */
  readonly answer: Answer
  /** What it was asked, without a state or responses of the client's. */
  readonly request: RpcRequest
  /** Has the client answer. Never rejects. */
  ask(question: Question): Promise<Reply>
  /** Asks the upstream once more. */
  again(request: RpcRequest): Promise<Answer>
  readonly server: UpstreamId
  readonly signal: StopSignal
}

const ROUNDS_MOST = 16

/**
 * For a client of the older revisions, which is asked and answers in the middle of a call, in front of an upstream that
 * answers with its questions and is called again: calls it until it has all it asks for.
 *
 * @returns the first answer that asks for nothing more, with the id of the request.
 * @throws {Problem} `upstream.asks_on`; `upstream.bad_answer`; `client.not_asked` where the client lacks what the
 * upstream cannot do without; what `again` throws
 * @see MCP 2026-07-28, basic/patterns/mrtr#client-requirements-basic-workflow
 */
export async function completeRounds(rounds: Rounds): Promise<Answer> {
  const { request, again, server, signal } = rounds
  let { answer } = rounds
  for (let round = 1; ; round++) {
    const asked = readAsked(answer, server)
    if (!asked) return round === 1 ? answer : withIdOf(request, answer)
    if (round > ROUNDS_MOST) throw problem('upstream.asks_on', { server, rounds: ROUNDS_MOST })
    const said = await askAll(asked.questions, rounds)
    if (signal.aborted) throw signal.reason
    // Each time is a request of its own, and has an id of its own.
    answer = await again(withId(withInput(request, said, asked.state), `${request.id}.${round}`))
  }
}

interface Asked {
  readonly questions: Questions
  /** The state to come back with, as JSON text. */
  readonly state: string | undefined
}

function readAsked(answer: Answer, server: UpstreamId): Asked | undefined {
  if (answer.kind === 'stream') return undefined
  const { bytes } = answer
  try {
    const asked = readInputRequired(bytes)
    if (!asked) return undefined
    const { state } = asked
    return { questions: readQuestions(bytes, asked), state: state && bytes.toString('utf8', state.start, state.end) }
  } catch (cause) {
    throw problem('upstream.bad_answer', { server, reason: 'its questions cannot be read', cause })
  }
}

/** What the client says to all of them, asked at once: JSON texts by key. */
async function askAll(questions: Questions, { ask, server, signal }: Rounds): Promise<ReadonlyMap<string, string>> {
  const said = [...questions].map(async ([key, question]) => {
    const reply = await ask(asOlder(question))
    // Who has left says nothing either, and lacks nothing.
    if (signal.aborted) throw signal.reason
    return [key, resultOf(reply) ?? instead(question, server)] as const
  })
  return new Map(await Promise.all(said))
}

/** The JSON text of a result; `undefined` for an error. */
function resultOf(reply: Reply): string | undefined {
  const bytes = Buffer.from(`{${reply}}`)
  const result = findMember(bytes, 0, 'result')
  return result && bytes.toString('utf8', result.start, result.end)
}

/** A user who cannot be asked is as one who turned away; for the rest there is nothing that could be said instead. */
function instead({ method }: Question, server: UpstreamId): string {
  if (method === 'elicitation/create') return '{"action":"cancel"}'
  throw problem('client.not_asked', { method, server })
}

function withIdOf({ bytes, idSpan }: RpcRequest, answer: Answer): Answer {
  if (answer.kind === 'stream') return answer
  const id = findMember(answer.bytes, 0, 'id')
  if (!id) return answer
  return { ...answer, bytes: splice(answer.bytes, [{ ...id, by: bytes.subarray(idSpan.start, idSpan.end) }]) }
}
