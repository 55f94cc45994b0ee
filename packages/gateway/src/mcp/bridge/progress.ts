import type { RpcRequest } from '../../base/json-rpc.ts'
import { findMember, splice } from '../../base/json-spans.ts'

/**
 * Notifications as the request that waits for them wants them: progress has its token, not that of the request the
 * call began with, and none is told to one that gave none.
 *
 * @see MCP 2026-07-28, basic/patterns/progress: a token belongs to one request
 */
export function withOwnProgress({ bytes, metaSpan }: RpcRequest, notify: Notify): Notify {
  const own = metaSpan && findMember(bytes, metaSpan.start, 'progressToken')
  return (message, method) => {
    if (method !== 'notifications/progress') return notify(message, method)
    const params = findMember(message, 0, 'params')
    const token =
      params && message[params.start] === OPEN_BRACE ? findMember(message, params.start, 'progressToken') : undefined
    if (own && token) notify(splice(message, [{ ...token, by: bytes.subarray(own.start, own.end) }]), method)
  }
}

const OPEN_BRACE = 0x7b

type Notify = (message: Buffer, method: string) => void
