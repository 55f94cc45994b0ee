import type { UpstreamId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { asProblem, problem } from '../../base/problem.ts'
import { toAbortSignal } from '../../base/stop.ts'
import { isRecord, targetOf } from '../../base/json-rpc.ts'
import type { Owner } from '../children/owner.ts'
import type { Handshake, UpstreamEras } from '../era.ts'
import type { Answer, Asking, Caller, Exchange, Transport } from '../transport.ts'
import { ownerOf, type BuiltinStorage } from '../builtin-store.ts'
import { createBuiltinWatch, type BuiltinRequest } from './builtin-watch.ts'
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
  /** Whose call it is; the owner of what the server keeps. */
  clientId: string
  scopes: string[]
}

/** Something that a server did; there are few of each, and none names a user. */
export interface Done {
  readonly what: string
  readonly outcome: string
  readonly ms: number
}

/** Loads a server, with what the configuration says of it, and where it keeps what must outlive a call. */
export type LoadBuiltin = (settings: {
  readonly apiBaseUrl: string | undefined
  readonly toolsets: readonly string[] | undefined
  readonly readOnly: boolean
  readonly limits: Readonly<Record<string, number | undefined>> | undefined
  /** How long a call may take, in milliseconds: what the server cannot do within it, it leaves and says so. */
  readonly timeoutMs: number
  readonly storage: BuiltinStorage
  /** Hears what it did, how that ended and how long it took. */
  readonly count: (done: Done) => void
}) => Promise<BuiltinServer>

export interface BuiltinTransportNeeds {
  readonly upstream: UpstreamId
  readonly eras: UpstreamEras
  readonly log: Pick<Log, 'debug'>
  readonly settings: { readonly answerBytes: number; readonly startMs: number }
  /** Loads the server when it is first called. */
  load(): Promise<BuiltinServer>
  /** Told of each notification that belongs to no call. */
  onNotification(message: { readonly method: string }, owner: Owner): void
}

/** Reaches a built-in server through the same door as any other, without a socket. */
export function createBuiltinTransport(needs: BuiltinTransportNeeds): Transport {
  const { upstream: server, eras, settings, load } = needs
  const { modern } = eras
  let loaded: Promise<BuiltinServer> | undefined
  /** What it says of itself, which is the same for everybody. */
  let known: Handshake | undefined
  const watching = createBuiltinWatch({ ...needs, ask, describe, known: () => known })

  async function send(exchange: Exchange, caller: Caller): Promise<Answer> {
    const { request, client, requestId, paramHeaders } = exchange
    const signal = toAbortSignal(exchange.signal)
    const notify = (message: Buffer, method: string) => exchange.notify(message, method)
    const target = targetOf(request)
    const headers = ['x-request-id', requestId, ...modern.headers(request.method, target, ''), ...paramHeaders]
    const body = modern.dress(request, client)
    const { answerBytes } = settings
    const reply = await ask({ id: request.id, body, headers, signal, answerBytes, notify }, caller)
    if (reply.kind === 'whole') return { kind: 'whole', bytes: reply.bytes, era: 'modern', status: reply.status }
    throw problem('upstream.bad_answer', {
      server,
      reason: reply.kind === 'status' ? `HTTP ${reply.status}` : reply.kind,
    })
  }

  async function describe({ client, signal }: Pick<Asking, 'client' | 'signal'>, caller: Caller): Promise<Handshake> {
    if (known) return known
    const { method, params } = modern.opening(client)
    const body = Buffer.from(`{"jsonrpc":"2.0","id":0,"method":"${method}","params":${params}}`)
    const headers = modern.headers(method, undefined, '')
    const { answerBytes } = settings
    const reply = await ask({ id: 0, body, headers, signal, answerBytes, notify() {} }, caller)
    const message: unknown = reply.kind === 'whole' ? JSON.parse(reply.bytes.toString()) : undefined
    known ??= isRecord(message) ? modern.accept(message['result']) : undefined
    if (!known) throw problem('upstream.unsupported', { server })
    watching.begin()
    return known
  }

  async function ask(request: BuiltinRequest, caller: Caller): Promise<Reply> {
    const { signal } = request
    const { fetch } = await (loaded ??= loadOnce())
    const response = await fetch(toRequest(request), {
      authInfo: { token: caller.token?.reveal() ?? '', clientId: ownerOf(caller), scopes: [] },
    }).catch((cause: unknown) => {
      throw signal.aborted ? asProblem(signal.reason) : problem('upstream.died', { server, cause })
    })
    // A server that was told to stop may answer all the same; what it says then is not what the call ended for.
    if (signal.aborted) throw asProblem(signal.reason)
    return read(response, request)
  }

  /** A server that could not be loaded is tried again with the next call. */
  function loadOnce(): Promise<BuiltinServer> {
    return load().catch((cause: unknown) => {
      loaded = undefined
      throw problem('upstream.start_failed', { server, cause })
    })
  }

  function read(response: Response, { id, answerBytes, notify, signal }: BuiltinRequest): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(asProblem(signal.reason))
      signal.addEventListener('abort', stop, { once: true })
      const reading: Reading = {
        server,
        id,
        answerBytes,
        mayStream: false,
        notify,
        ask: undefined,
        resolve,
        reject,
        connection: undefined,
        state: DONE,
        size: 0,
        sessionId: undefined,
        lingering: undefined,
      }
      void feed(response, reading).finally(() => signal.removeEventListener('abort', stop))
    })
  }

  return {
    send,
    describe,
    watch: watching.watch,
    // There is nothing that a server of the modern era is told outside of requests.
    tell() {},
    startedAt: () => 0,
    forget: (who) => watching.forget(who),
    forgetSession: async () => {},
    async close() {
      watching.close()
      await (await loaded?.catch(() => undefined))?.close()
    },
  }
}

function toRequest({ headers: pairs, body, signal }: BuiltinRequest): Request {
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' })
  for (let index = 0; index + 1 < pairs.length; index += 2) headers.set(pairs[index] ?? '', pairs[index + 1] ?? '')
  return new Request('http://builtin.invalid/mcp', { method: 'POST', headers, body: new Uint8Array(body), signal })
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
