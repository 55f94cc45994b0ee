import { isRecord, type RpcRequest } from '../../base/json-rpc.ts'
import { mayBeAsked } from '../askable.ts'
import type { Question } from '../transport.ts'

/** Whether a client that declared this, as JSON text, can be asked that. */
export function canBeAsked(capabilities: string, { method, paramsValue = {} }: RpcRequest): boolean {
  return mayBeAsked(capabilities, { method, params: paramsValue })
}

/** A server's own request, as its client is asked it. */
export function questionOf({ method, bytes, params }: RpcRequest): Question {
  return { method, params: params ? bytes.toString('utf8', params.start, params.end) : '' }
}

/** What a server's request says of the call it belongs to. */
export interface Related {
  readonly progressToken: unknown
  readonly taskId: unknown
}

/**
 * Reads which call a question is for, where it says so. A token that is the question's own id is that of the
 * question: servers count both alike.
 *
 * @see MCP 2025-11-25, basic/utilities/tasks#related-task
 */
export function relatedOf({ meta, id }: RpcRequest): Related | undefined {
  if (meta === undefined) return undefined
  const task = meta['io.modelcontextprotocol/related-task']
  const taskId = isRecord(task) ? task['taskId'] : undefined
  const progressToken = meta['progressToken'] === id ? undefined : meta['progressToken']
  return progressToken === undefined && taskId === undefined ? undefined : { progressToken, taskId }
}
