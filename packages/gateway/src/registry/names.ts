import { hash } from 'node:crypto'
import type { UpstreamId } from '../base/ids.ts'
import type { Edit, Span } from '../base/json-spans.ts'

/** What clients allow a tool's name to be, their own prefix included. */
export const NAME_LIMIT = 64

const SEPARATOR = '__'
/** 40 bits in base 36. */
const MARK_LENGTH = 8

/**
 * The name of a tool or a prompt on the merged endpoint: `server__tool`, in at most `limit` characters that every
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

/** Stands after the server's name, which cannot contain it. */
const MARK = '+'
/** Hosts know what to do with such a resource by this beginning alone. @see MCP Apps, ui:// resources */
const UI = 'ui://'

/** Something of a server's own, and which server's. */
export interface OwnUri {
  readonly server: UpstreamId
  readonly uri: string
}

/**
 * The URI of a resource on the merged endpoint, or the template of several: `server+uri`, where `uri` stays to the
 * last character what its server calls it. Only `ui://` stays in front: `ui://server+rest`.
 */
export function exposeUri(server: string, uri: string): string {
  const front = schemeOf(server) + MARK
  return uri.startsWith(UI) ? UI + front + uri.slice(UI.length) : front + uri
}

/**
 * The same, as an edit of the JSON text in which the URI stands: what is added is put in, so that the URI keeps its own
 * bytes. None where there is something else than text.
 *
 * @throws {SyntaxError} where that is no JSON.
 */
export function exposeUriAt(bytes: Buffer, { start, end }: Span, server: string): Edit | undefined {
  const text = bytes.toString('utf8', start, end)
  const uri: unknown = JSON.parse(text)
  if (typeof uri !== 'string') return undefined
  const isUi = uri.startsWith(UI)
  // Somebody may write a slash as `\/`, and then there is no place to put it.
  if (isUi && !text.startsWith(UI, 1)) return { start, end, by: JSON.stringify(exposeUri(server, uri)) }
  const at = start + 1 + (isUi ? UI.length : 0)
  return { start: at, end: at, by: schemeOf(server) + MARK }
}

/** What {@link exposeUri} was given; `undefined` where it cannot have made this. */
export function readUri(exposed: string): OwnUri | undefined {
  const scheme = exposed.startsWith(UI) ? UI : ''
  const found = divide(exposed.slice(scheme.length))
  if (!found || (scheme === '' && found.rest.startsWith(UI))) return undefined
  return { server: found.server, uri: scheme + found.rest }
}

/** Something of a server's own, and which server's. */
export interface OwnTask {
  readonly server: UpstreamId
  readonly id: string
}

/** The id of a task on the merged endpoint: `server+id`. */
export function exposeTask(server: string, id: string): string {
  return schemeOf(server) + MARK + id
}

/** What {@link exposeTask} was given; `undefined` where it cannot have made this. */
export function readTask(exposed: string): OwnTask | undefined {
  const found = divide(exposed)
  return found && { server: found.server, id: found.rest }
}

function divide(exposed: string): { server: UpstreamId; rest: string } | undefined {
  const at = exposed.indexOf(MARK)
  const server = serverIn(exposed.slice(0, Math.max(0, at)))
  return server === undefined ? undefined : { server, rest: exposed.slice(at + MARK.length) }
}

/** In front of a name that begins with a digit; no name has two underlines together. */
const DIGIT_FIRST = 's..'

/**
 * A server's name as the beginning of a scheme, which has no underlines and begins with a letter: clients that look
 * closely would refuse a whole list for one such URI. Some write schemes in small letters, so who looks a server up by
 * one takes any case for any.
 *
 * @see RFC 3986 §3.1
 */
function schemeOf(server: string): string {
  const scheme = server.replaceAll('_', '.')
  return /^[0-9]/.test(scheme) ? DIGIT_FIRST + scheme : scheme
}

function serverIn(scheme: string): UpstreamId | undefined {
  if (!SCHEME.test(scheme)) return undefined
  const name = scheme.startsWith(DIGIT_FIRST) ? scheme.slice(DIGIT_FIRST.length) : scheme
  return name.replaceAll('.', '_') as UpstreamId
}

const SCHEME = /^(?:s\.\.(?=[0-9])|(?=[A-Za-z]))[A-Za-z0-9.-]{1,64}$/
