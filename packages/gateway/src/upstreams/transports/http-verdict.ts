import { isRecord } from '../../base/json-rpc.ts'
import { findMember } from '../../base/json-spans.ts'
import type { Link } from './http-link.ts'
import type { Reply } from './reply.ts'

/**
 * A server that has forgotten a session answers 404, some 400, and has not run the request; an error in the
 * body names no id then, or one of the server's own.
 */
export function isSessionLost(reply: Reply, { sessionId }: Link): boolean {
  return sessionId !== undefined && reply.kind === 'status' && (reply.status === 404 || reply.status === 400)
}

/**
 * Whether the reply may be that of a server that does not speak the modern era any more. Nothing was run then, so
 * that the request may be sent again.
 *
 * @see MCP 2026-07-28, basic/versioning: what a server says that does not know the revision, or the method
 */
export function isOtherEra(reply: Reply, { era }: Link): boolean {
  if (era !== 'modern' || reply.kind === 'stream' || reply.kind === 'cut') return false
  if (reply.kind === 'status') return reply.status === 404 || reply.status === 400
  return reply.isError && reply.bytes.length <= SHORT_BYTES && NOT_SPOKEN.has(errorCodeOf(reply.bytes))
}

/** A refusal is short; longer answers are not searched for one. */
const SHORT_BYTES = 4_096
const NOT_SPOKEN: ReadonlySet<unknown> = new Set([-32022, -32601])

function errorCodeOf(bytes: Buffer): unknown {
  const at = findMember(bytes, 0, 'error')
  const error: unknown = at && parse(bytes.toString('utf8', at.start, at.end))
  return isRecord(error) ? error['code'] : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
