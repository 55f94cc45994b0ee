import { isRecord } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import type { ClientView } from '../../upstreams/client.ts'
import type { Question, Reply } from '../../upstreams/transport.ts'

type Declared = Readonly<Record<string, unknown>>
type Params = Readonly<Record<string, unknown>>

/** What a client has declared that may be asked this. What is not listed is asked of nobody. */
const rules: Readonly<Record<string, (declared: Declared, params: Params) => boolean>> = {
  'roots/list': ({ roots }) => isRecord(roots),
  'sampling/createMessage': ({ sampling }, { tools }) =>
    isRecord(sampling) && (tools === undefined || isRecord(sampling['tools'])),
  'elicitation/create': ({ elicitation }, { mode }) =>
    isRecord(elicitation) && (mode === 'url' ? isRecord(elicitation['url']) : takesForms(elicitation)),
}

/** @see MCP 2025-11-25, client/elicitation#capabilities: without any mode it means forms, which came first */
function takesForms({ form, url }: Readonly<Record<string, unknown>>): boolean {
  return isRecord(form) || url === undefined
}

/** Whether a client may be asked that: only for what it has declared. */
export function isAskable({ capabilities }: ClientView, { method, params }: Question): boolean {
  const rule = Object.hasOwn(rules, method) ? rules[method] : undefined
  return rule !== undefined && rule(parse(capabilities), parse(params))
}

function parse(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = text === '' ? undefined : JSON.parse(text)
  return isRecord(value) ? value : {}
}

/** What a server is told whose question reaches nobody. */
export function notAsked({ method }: Question): Reply {
  const { row, message } = problem('client.not_asked', { method })
  return `"error":${JSON.stringify({ code: row.rpc, message })}` as Reply
}
