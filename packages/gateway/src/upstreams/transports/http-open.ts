import type { Random } from '../../base/ids.ts'
import { isRecord } from '../../base/json-rpc.ts'
import { problem } from '../../base/problem.ts'
import type { ClientView } from '../client.ts'
import type { EraName, Handshake } from '../era.ts'
import { COMMON_HEADERS, createLinkMaker, type Link, type Route } from './http-link.ts'
import { post } from './http-post.ts'
import type { Reply } from './reply.ts'
import type { Speech, SpeechNeeds } from './http-speech.ts'

export interface OpenerNeeds extends SpeechNeeds {
  readonly speech: Pick<Speech, 'tell'>
  readonly random: Random
}

/** Opens an upstream in one era, on account of a client; `undefined` where it does not speak that era. */
export type OpenLink = (name: EraName, route: Route, client: ClientView) => Promise<Link | undefined>

/**
 * Asks an upstream who it is, and agrees on what is needed to send requests.
 *
 * @returns a function that throws {Problem} `upstream.*`.
 */
export function createOpener(needs: OpenerNeeds): OpenLink {
  const { upstream: server, eras, log, settings, speech } = needs
  const makeLink = createLinkMaker(needs)

  async function ask(name: EraName, route: Route, client: ClientView): Promise<Reply> {
    const era = eras[name]
    const signal = AbortSignal.timeout(settings.startMs)
    const { method, params } = era.opening(client)
    return post(route.pool, {
      server,
      path: route.path,
      headers: [...COMMON_HEADERS, ...route.headers, ...era.headers(method, undefined, '')],
      body: Buffer.from(`{"jsonrpc":"2.0","id":0,"method":"${method}","params":${params}}`),
      id: 0,
      signal,
      answerBytes: settings.answerBytes,
      mayStream: false,
      resumes: false,
      notify: () => {},
      ask: () => {},
    }).catch((error: unknown) => {
      throw signal.aborted ? problem('upstream.timeout', { server, seconds: settings.startMs / 1000 }) : error
    })
  }

  function handshakeOf(reply: Reply, name: EraName): Handshake | undefined {
    if (reply.kind !== 'whole') return undefined
    const message = parse(reply.bytes)
    return isRecord(message) && isRecord(message['result']) ? eras[name].accept(message['result']) : undefined
  }

  /** Whether it refuses what it says in the same breath that it speaks. */
  function isToBeAskedAgain(reply: Reply, name: EraName): boolean {
    const message = reply.kind === 'whole' && reply.status >= 400 ? parse(reply.bytes) : undefined
    return isRecord(message) && eras[name].isSpoken(message['error'])
  }

  function parse(bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString())
    } catch (cause) {
      throw problem('upstream.bad_answer', { server, reason: 'not valid JSON', cause })
    }
  }

  /** A link that serves everybody is bound to no session, whatever the server says. */
  function sessionOf(reply: Reply, name: EraName): string | undefined {
    const id = name === 'legacy' && reply.kind === 'whole' ? reply.sessionId : undefined
    if (id === undefined || SESSION_ID.test(id)) return id
    throw problem('upstream.bad_answer', { server, reason: 'a session id of other characters than visible ASCII' })
  }

  return async (name, route, client) => {
    const first = await ask(name, route, client)
    const reply = isToBeAskedAgain(first, name) ? await ask(name, route, client) : first
    const handshake = handshakeOf(reply, name)
    if (!handshake) return undefined
    const link = makeLink(handshake, sessionOf(reply, name))
    const { opened } = eras[name]
    if (opened !== undefined) await speech.tell({ route, link }, opened)
    log.debug({ server, era: name, version: handshake.version }, 'upstream.opened')
    return link
  }
}

/** @see MCP 2025-11-25, basic/transports#session-management */
const SESSION_ID = /^[\x21-\x7e]{1,4096}$/
