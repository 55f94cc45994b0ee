import { VERSION } from '../../../src/base/version.ts'
import { exposeName, NAME_LIMIT } from '../../../src/registry/names.ts'
import { at, fill } from './marks.ts'
import { LEVELS, type Answering, type Asking, type Case, type Told } from './case.ts'

/** How a server is reached and what it speaks. */
export interface ServerKind {
  readonly name: string
  readonly era: 'modern' | 'legacy'
  readonly transport: 'http' | 'stdio'
  /** Whether it opens a session. */
  readonly session: boolean
}

/** The log level that a client in a session has set. */
export const SESSION_LEVEL = 'info'

/**
 * Everything that may differ between what one side wrote and what the other reads, and nothing else. This is the whole
 * of what the gate does to messages.
 *
 * 1. On `/mcp`, names and URIs have the server's name with them.
 */
export function asClientWrites({ door, asking }: Case, server: ServerKind): string {
  return fill(asking.text, { id: asking.id, token: asking.token ?? '', ...targetOf(asking, door, server) })
}

function targetOf({ own }: Asking, door: Case['door'], server: ServerKind): Partial<Record<'name' | 'uri', string>> {
  if (own.kind === 'none') return {}
  const text = door === 'server' ? own.spelled : JSON.stringify(exposedTarget(own, server))
  return { [own.kind]: text }
}

export function exposedTarget({ kind, value }: Asking['own'], { name }: ServerKind): string {
  return kind === 'uri' ? exposedUri(name) + value : exposeName(name, value, NAME_LIMIT)
}

function exposedUri(server: string): string {
  return `${server}+`
}

/**
 * 2. In a session or a pipe each request has a number of the gate's own for its id.
 * 3. In a pipe its progress token is the same number.
 * 4. For a newer server, an older client's request says what every request says there: see {@link envelope}.
 * 5. In a pipe a message is one line: a line end between values is a space.
 */
export function asServerReads({ client, door, asking }: Case, server: ServerKind, number: string): string {
  const { own } = asking
  const text = fill(withEnvelope(client, asking, server), {
    id: isNumbered(server) ? number : asking.id,
    token: server.transport === 'stdio' ? number : (asking.token ?? ''),
    [own.kind]: door === 'server' ? own.spelled : JSON.stringify(own.value),
  })
  return server.transport === 'stdio' ? oneLine(text) : text
}

export function isNumbered({ transport, session }: ServerKind): boolean {
  return transport === 'stdio' || session
}

function withEnvelope(client: Case['client'], { text, has, isEmpty }: Asking, server: ServerKind): string {
  if (client === 'modern' || server.era === 'legacy') return text
  const members = envelope(client)
  const places = ['id', 'token', 'name', 'uri'] as const
  const rest = Object.fromEntries(places.map((place) => [place, at(place)]))
  if (has.meta) return fill(text, { ...rest, meta: members + (isEmpty.meta ? '' : ',') })
  if (has.params) return fill(text, { ...rest, params: `"_meta":{${members}}${isEmpty.params ? '' : ','}` })
  return fill(text, { ...rest, end: `,"params":{"_meta":{${members}}}` })
}

/** Which revision, who asks, and what its client can do and wants to hear. */
function envelope(client: Case['client']): string {
  const prefix = 'io.modelcontextprotocol'
  const level = client === 'session' ? `,"${prefix}/logLevel":"${SESSION_LEVEL}"` : ''
  const info = `{"name":"sekisho","version":"${VERSION}"}`
  return `"${prefix}/protocolVersion":"2026-07-28","${prefix}/clientInfo":${info},"${prefix}/clientCapabilities":{}${level}`
}

/** What the server writes, to a request that came with this id and token. */
export function asServerWrites(
  text: string,
  { code }: Pick<Answering, 'code'>,
  came: { id: string; token: string },
): string {
  return fill(text, { ...came, code })
}

/**
 * 6. What was renumbered the client has back, in its own spelling; the rest is as the server spells it.
 * 7. On `/mcp`, the URIs of resources have the server's name with them.
 * 8. A newer client is told by an older server's result that it is complete, and of a resource how long it keeps.
 * 9. To a newer client the resource that is not there has another code.
 * 10. Where lines are the frame, on one side or the other, a line end between values is a space or another one.
 */
export function asClientReads(one: Case, server: ServerKind, id: string): string {
  const { client, asking, answering } = one
  const { result } = answering
  const crosses = (client === 'modern') !== (server.era === 'modern')
  const adopts = crosses && client === 'modern'
  const added = asking.method === 'resources/read' ? `${COMPLETE},"ttlMs":0,"cacheScope":"private"` : COMPLETE
  return fill(answering.text, {
    id,
    code: adopts && answering.code === '-32002' ? '-32602' : answering.code,
    uri: uriMark(one, server),
    result: adopts && result.isObject && !result.hasType ? added + (result.isEmpty ? '' : ',') : '',
  })
}

const COMPLETE = '"resultType":"complete"'

function uriMark({ door }: Case, { name }: ServerKind): string {
  return door === 'merged' ? exposedUri(name) : ''
}

/**
 * 11. A log message is for who asked for such; in a pipe, what belongs to no call is not told in one, nor progress that
 * was not asked for.
 */
export function heardByClient(
  { client, asking, answering }: Case,
  server: ServerKind,
  came: { token: string },
): string[] {
  const level = client === 'session' ? SESSION_LEVEL : asking.logLevel
  const isHeard = (one: Told) => {
    if (one.kind === 'log') return level !== undefined && severity(one.level) >= severity(level)
    if (server.transport === 'http') return true
    return one.kind === 'progress' && asking.token !== undefined
  }
  const token = server.transport === 'stdio' ? (asking.token ?? '') : came.token
  return answering.told.filter(isHeard).map(({ text }) => fill(text, { token }))
}

function severity(level: string): number {
  return LEVELS.findIndex((known) => known === level)
}

export function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ')
}

/** As the lines of one event: whatever ended them, the reader puts a line feed there. */
export function throughEvents(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\n')
}
