import { isRecord } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import { mayBeAsked } from '../../upstreams/askable.ts'
import type { ClientView } from '../../upstreams/client.ts'
import type { Question, Reply } from '../../upstreams/transport.ts'

/** Whether a client may be asked that: only for what it has declared. */
export function isAskable({ capabilities }: ClientView, { method, params }: Question): boolean {
  const value: unknown = params === '' ? undefined : JSON.parse(params)
  return mayBeAsked(capabilities, { method, params: isRecord(value) ? value : {} })
}

/** What a server is told whose question reaches nobody. */
export function notAsked({ method }: Question): Reply {
  const { row, message } = problem('client.not_asked', { method })
  return `"error":${JSON.stringify({ code: row.rpc, message })}` as Reply
}
