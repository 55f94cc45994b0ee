import { hash } from 'node:crypto'
import type { UpstreamId } from '../base/ids.ts'

/** What clients allow a tool's name to be, their own prefix included. */
export const NAME_LIMIT = 64

const SEPARATOR = '__'
/** 40 bits in base 36. */
const MARK_LENGTH = 8

/**
 * The name of a tool on the merged endpoint: `server__tool`, in at most `limit` characters that every
 * client accepts. It depends on nothing but its arguments, so it never changes while the tool lives.
 *
 * A name that is too long or has other characters is shortened and marked with a hash of the whole, so
 * that two different tools never get one name. Server names cannot contain `__` or end in `_`, so the
 * first `__` always ends the server's name.
 *
 * @see MCP 2026-07-28, server/tools#tool-names
 */
export function exposeName(server: string, tool: string, limit: number): string {
  const plain = server + SEPARATOR + tool
  if (plain.length <= limit && /^[A-Za-z0-9_-]+$/.test(tool)) return plain
  const bits = Number.parseInt(hash('sha256', plain, 'hex').slice(0, 10), 16)
  const mark = bits.toString(36).padStart(MARK_LENGTH, '0')
  const room = limit - server.length - SEPARATOR.length - MARK_LENGTH - 1
  const readable = tool.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, Math.max(0, room))
  return `${server}${SEPARATOR}${readable}_${mark}`
}

/** The server's part of an exposed name; `undefined` where it has none. */
export function serverOf(exposed: string): UpstreamId | undefined {
  const at = exposed.indexOf(SEPARATOR)
  return at > 0 ? (exposed.slice(0, at) as UpstreamId) : undefined
}
