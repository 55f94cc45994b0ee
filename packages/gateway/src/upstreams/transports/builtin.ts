import type { UpstreamId } from '../../base/ids.ts'
import { asProblem, problem } from '../../base/problem.ts'
import type { UpstreamEras } from '../era.ts'
import type { Answer, Caller, Exchange, Transport } from '../transport.ts'
import { DONE, readData, readEnd, readFailure, readHead, type Reading, type Reply } from './reply.ts'

/**
 * A server of ours in this process. It speaks the modern era only; `authInfo` says who calls and carries
 * their token, and nothing of one request is left for the next.
 */
export interface BuiltinServer {
  fetch(request: Request, options?: { readonly authInfo?: AuthInfo }): Promise<Response>
  close(): Promise<void>
}

/** @see MCP SDK v2, `AuthInfo` */
export interface AuthInfo {
  token: string
  clientId: string
  scopes: string[]
}

/** Loads a server, with what the configuration says of it. */
export type LoadBuiltin = (settings: { readonly apiBaseUrl: string | undefined }) => Promise<BuiltinServer>

export interface BuiltinTransportNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly settings: { readonly answerBytes: number }
  /** Loads the server when it is first called. */
  load(): Promise<BuiltinServer>
}

/** Reaches a built-in server through the same door as any other, without a socket. */
export function createBuiltinTransport({ upstream: server, eras, settings, load }: BuiltinTransportNeeds): Transport {
  let loaded: Promise<BuiltinServer> | undefined
  const { modern } = eras

  async function send(exchange: Exchange, caller: Caller): Promise<Answer> {
    const { fetch } = await (loaded ??= loadOnce())
    const response = await fetch(toRequest(exchange), {
      authInfo: { token: caller.token?.reveal() ?? '', clientId: caller.userId, scopes: [] },
    }).catch((cause: unknown) => {
      throw exchange.signal.aborted ? asProblem(exchange.signal.reason) : problem('upstream.died', { server, cause })
    })
    // A server that was told to stop may answer all the same; what it says then is not what the call ended for.
    if (exchange.signal.aborted) throw asProblem(exchange.signal.reason)
    const reply = await read(response, exchange)
    if (reply.kind !== 'whole') throw problem('upstream.bad_answer', { server, reason: `HTTP ${response.status}` })
    return { kind: 'whole', bytes: reply.bytes, era: 'modern', status: reply.status }
  }

  /** A server that could not be loaded is tried again with the next call. */
  function loadOnce(): Promise<BuiltinServer> {
    return load().catch((cause: unknown) => {
      loaded = undefined
      throw problem('upstream.start_failed', { server, cause })
    })
  }

  function toRequest({ request, requestId, paramHeaders, signal }: Exchange): Request {
    const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
    setAll(headers, ['x-request-id', requestId, ...modern.headers(request.method, request.name ?? request.uri, '')])
    setAll(headers, paramHeaders)
    const body = new Uint8Array(modern.dress(request))
    return new Request('http://builtin.invalid/mcp', { method: 'POST', headers, body, signal })
  }

  function read(response: Response, exchange: Exchange): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { signal } = exchange
      const stop = () => reject(asProblem(signal.reason))
      signal.addEventListener('abort', stop, { once: true })
      const reading: Reading = {
        server,
        id: exchange.request.id,
        answerBytes: settings.answerBytes,
        mayStream: false,
        notify: exchange.notify,
        ask: () => {},
        resolve,
        reject,
        connection: undefined,
        state: DONE,
        size: 0,
        sessionId: undefined,
      }
      void feed(response, reading).finally(() => signal.removeEventListener('abort', stop))
    })
  }

  return {
    send,
    startedAt: () => 0,
    forget: async () => {},
    async close() {
      await (await loaded?.catch(() => undefined))?.close()
    },
  }
}

async function feed(response: Response, reading: Reading): Promise<void> {
  try {
    readHead(reading, response.status, { contentType: response.headers.get('content-type') ?? undefined })
    for await (const chunk of response.body ?? []) readData(reading, Buffer.from(chunk))
    readEnd(reading)
  } catch (cause) {
    readFailure(reading, cause)
  }
}

function setAll(headers: Headers, pairs: readonly string[]): void {
  for (let index = 0; index + 1 < pairs.length; index += 2) headers.set(pairs[index] ?? '', pairs[index + 1] ?? '')
}
