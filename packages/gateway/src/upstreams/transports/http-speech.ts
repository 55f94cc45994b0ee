import type { UpstreamId } from '../../base/ids.ts'
import { isRecord, type RpcRequest } from '../../base/json-rpc.ts'
import type { Log } from '../../base/log.ts'
import { problem, type Problem } from '../../base/problem.ts'
import { questionOf } from '../children/questions.ts'
import { leastSevere, type ClientView, type LogLevel } from '../client.ts'
import type { OwnRequest, UpstreamEras } from '../era.ts'
import type { Question, Reply as ClientReply } from '../transport.ts'
import { messageHeaders, sessionHeaders, streamHeaders, type Link, type Route } from './http-link.ts'
import { post } from './http-post.ts'
import { resume } from './http-resume.ts'
import type { Reply } from './reply.ts'

export interface SpeechNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Log
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
}

/** Where something is said: in a session, where the link has one. */
export interface Way {
  readonly route: Route
  readonly link: Link
}

/** Has the client answer a question. */
export type Ask = (question: Question) => Promise<ClientReply>

/** What the gate says to an upstream on its own account, beside the requests of clients. */
export type Speech = ReturnType<typeof createSpeech>

/** How many answers to requests of an upstream's own may be on their way, or be thought about, in one session. */
const ANSWERS_MOST = 64
const ENDING_MS = 1_000

export function createSpeech({ upstream: server, eras, log, settings }: SpeechNeeds) {
  /**
   * Sends a notification, or an answer; what the server says to one decides nothing.
   *
   * @throws {Problem} `upstream.unreachable` where it does not answer at all.
   */
  async function tell({ route, link }: Way, message: string | Buffer): Promise<void> {
    const { streams, path } = route
    const signal = AbortSignal.timeout(settings.startMs)
    const headers = messageHeaders(route, link)
    try {
      const { body } = await streams.request({ path, method: 'POST', headers, body: message, signal })
      await body.dump()
    } catch (cause) {
      throw problem('upstream.unreachable', { server, cause })
    }
  }

  function tellSoon(way: Way, message: string | Buffer): Promise<void> {
    return tell(way, message).catch((error: unknown) => log.debug({ server, error }, 'upstream.not_told'))
  }

  /**
   * Sends a request of the gate's own.
   *
   * @throws {Problem} `upstream.*`
   */
  async function request(way: Way, { method, params }: OwnRequest): Promise<Reply> {
    const { route, link } = way
    const id = link.nextId()
    const signal = AbortSignal.timeout(settings.startMs)
    const one = {
      server,
      path: route.path,
      headers: messageHeaders(route, link, method),
      body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`),
      id,
      signal,
      answerBytes: settings.answerBytes,
      mayStream: false,
      resumes: link.sessionId !== undefined,
      notify: () => {},
      ask: (question: RpcRequest) => answer(way, question, undefined),
    }
    try {
      const reply = await post(route.streams, one)
      if (reply.kind !== 'cut') return reply
      return await resume(route.streams, reply, one, (lastId) => streamHeaders(route, link, lastId))
    } catch (error) {
      throw signal.aborted ? problem('upstream.timeout', { server, seconds: settings.startMs / 1000 }) : error
    }
  }

  /** Answers a request of the upstream's own, under its id in the bytes it came in. */
  function answer(way: Way, question: RpcRequest, ask: Ask | undefined): void {
    const { link } = way
    if (link.asked >= ANSWERS_MOST) return log.debug({ server, method: question.method }, 'upstream.asks_too_much')
    link.asked++
    void answerIn(way, question, ask).finally(() => link.asked--)
  }

  async function answerIn(way: Way, question: RpcRequest, ask: Ask | undefined): Promise<void> {
    const { bytes, idSpan, method } = question
    const id = bytes.toString('utf8', idSpan.start, idSpan.end)
    const asked = method === 'ping' ? Promise.resolve(PONG) : ask?.(questionOf(question)).catch(() => REFUSAL)
    const said = (await asked) ?? REFUSAL
    await tellSoon(way, `{"jsonrpc":"2.0","id":${id},${said}}`)
  }

  /** One level after the other; that one could not be set must not keep a call from being made. */
  async function tellLevel(way: Way, level: LogLevel, own: OwnRequest): Promise<void> {
    await way.link.told
    await request(way, own).catch((error: unknown) => {
      // Asked for again with the next call.
      if (way.link.level === level) way.link.level = undefined
      log.debug({ server, error }, 'upstream.level_not_set')
    })
  }

  return {
    tellSoon,
    tell,
    request,
    answer,
    /** Says that nobody waits for an answer any more. Only a session knows which request is meant by an id. */
    cancel(way: Way, id: number | string, reason: Problem): void {
      const { era, sessionId } = way.link
      const message = sessionId === undefined ? undefined : eras[era].cancelled(id, reason.message)
      if (message !== undefined) void tellSoon(way, message)
    },
    /**
     * Has the upstream send the log messages that the client wants to see, and those that others on the link want:
     * nothing to wait for where it does so already.
     */
    ensureLevel(way: Way, { logLevel, session }: ClientView): Promise<void> | undefined {
      const { link } = way
      if (logLevel === undefined || !link.logs) return undefined
      const level = session === undefined ? (leastSevere(link.level, logLevel) ?? logLevel) : logLevel
      if (level === link.level) return link.told
      const own = eras[link.era].setLevel(level)
      if (own === undefined) return undefined
      link.level = level
      const told = tellLevel(way, level, own).finally(() => {
        if (link.told === told) link.told = undefined
      })
      link.told = told
      return told
    },
    /** Ends a session at the upstream. Never rejects. */
    async end({ route, link }: Way): Promise<void> {
      if (link.sessionId === undefined || route.streams.closed) return
      const headers = [...route.headers, ...sessionHeaders(link), ...link.headers('', undefined)]
      const signal = AbortSignal.timeout(ENDING_MS)
      await route.streams
        .request({ path: route.path, method: 'DELETE', headers, signal })
        .then(({ body }) => body.dump())
        .catch((error: unknown) => log.debug({ server, error }, 'upstream.session_not_ended'))
    },
  }
}

const PONG = '"result":{}'
const REFUSAL = '"error":{"code":-32601,"message":"This client does not serve that method."}'

/** Whether a reply to a request of the gate's own says that it was done. */
export function isDone(reply: Reply): boolean {
  if (reply.kind !== 'whole') return false
  const message: unknown = JSON.parse(reply.bytes.toString())
  return isRecord(message) && 'result' in message
}
