import { randomUUID } from 'node:crypto'
import { withParams, type RpcRequest } from '../../base/json-rpc.ts'
import { eachMember, findMember, splice, type Span } from '../../base/json-spans.ts'
import type { Question } from '../../upstreams/transport.ts'
import { hasMember, insertMember } from './members.ts'

/**
 * Asking a client in the middle of a request since 2026-07-28: an answer that holds the questions, and the same
 * request again with what the client says to them. The only place that knows how either is written.
 *
 * @see MCP 2026-07-28, basic/patterns/mrtr
 */

/** Questions by the keys they are asked under. */
export type Questions = ReadonlyMap<string, Question>

const ASKING_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Whether an answer to this method may hold questions. */
export function mayHoldQuestions(method: string): boolean {
  return ASKING_METHODS.has(method)
}

/** The result that asks, as JSON text; the params of each question keep their bytes. */
export function composeInputRequired(questions: Questions, requestState: string): string {
  const requests = [...questions].map(([key, question]) => `${JSON.stringify(key)}:${composeQuestion(question)}`)
  return `{"resultType":"input_required","inputRequests":{${requests.join(',')}},"requestState":${JSON.stringify(requestState)}}`
}

function composeQuestion({ method, params }: Question): string {
  return `{"method":${JSON.stringify(method)}${params === '' ? '' : `,"params":${params}`}}`
}

/** An answer that asks. */
export interface InputRequired {
  /** Where its requestState stands, quotes included. */
  readonly state: Span | undefined
  /** Where its questions stand. */
  readonly requests: Span | undefined
}

const TYPE = Buffer.from('"input_required"')
const OPEN_BRACE = 0x7b

/**
 * Reads whether an answer asks; `undefined` where it does not, which is found out without a walk for nearly all.
 *
 * @throws {SyntaxError} where the bytes are no JSON
 */
export function readInputRequired(answer: Buffer): InputRequired | undefined {
  if (!answer.includes(TYPE)) return undefined
  const result = findMember(answer, 0, 'result')
  if (!result || answer[result.start] !== OPEN_BRACE) return undefined
  const type = findMember(answer, result.start, 'resultType')
  if (!type || !answer.subarray(type.start, type.end).equals(TYPE)) return undefined
  const state = findMember(answer, result.start, 'requestState')
  return { state, requests: findMember(answer, result.start, 'inputRequests') }
}

/** @throws {SyntaxError} where they are not questions by their keys */
export function readQuestions(answer: Buffer, { requests }: InputRequired): Questions {
  const questions = new Map<string, Question>()
  if (!requests) return questions
  eachMember(answer, requests.start, (key, start) => {
    const method = findMember(answer, start, 'method')
    if (!method) throw new SyntaxError('a question has no method')
    const params = findMember(answer, start, 'params')
    questions.set(key, {
      method: String(JSON.parse(textOf(answer, method))),
      params: params ? textOf(answer, params) : '',
    })
  })
  return questions
}

/** A question as older revisions have it: an address that is to be opened has an id there. */
export function asOlder(question: Question): Question {
  if (question.method !== 'elicitation/create' || question.params === '') return question
  const params = Buffer.from(question.params)
  const mode = findMember(params, 0, 'mode')
  if (!mode || textOf(params, mode) !== '"url"' || hasMember(params, 0, 'elicitationId')) return question
  const id = insertMember(params, 0, `"elicitationId":"${randomUUID()}"`)
  return { ...question, params: splice(params, [id]).toString() }
}

/** The same request with what is said to the questions of an answer, each value as JSON text, and with its state. */
export function withInput(
  request: RpcRequest,
  said: ReadonlyMap<string, string>,
  requestState: string | undefined,
): RpcRequest {
  const responses = [...said].map(([key, value]) => `${JSON.stringify(key)}:${value}`)
  return withParams(request, {
    ...(responses.length > 0 ? { inputResponses: `{${responses.join(',')}}` } : {}),
    ...(requestState === undefined ? {} : { requestState }),
  })
}

/** The same request with another state, as JSON text. */
export function withRequestState(request: RpcRequest, requestState: string): RpcRequest {
  return withParams(request, { requestState })
}

/** The state a request comes with; whatever stands there, since anybody may have written it. */
export function requestStateOf({ paramsValue }: RpcRequest): unknown {
  return paramsValue?.['requestState']
}

/** What a request says to questions: JSON texts by key. What is no object is no answer, and left out. */
export function readInputResponses({ bytes, params }: RpcRequest): ReadonlyMap<string, string> {
  const said = new Map<string, string>()
  const responses = params && findMember(bytes, params.start, 'inputResponses')
  if (!responses || bytes[responses.start] !== OPEN_BRACE) return said
  eachMember(bytes, responses.start, (key, start, end) => {
    if (bytes[start] === OPEN_BRACE) said.set(key, bytes.toString('utf8', start, end))
  })
  return said
}

/** What stays the same when a request comes again with what was asked for. */
export function lastingParams({ paramsValue }: RpcRequest): Readonly<Record<string, unknown>> {
  const { requestState: _state, inputResponses: _said, _meta, ...lasting } = paramsValue ?? {}
  return lasting
}

function textOf(bytes: Buffer, { start, end }: Span): string {
  return bytes.toString('utf8', start, end)
}
