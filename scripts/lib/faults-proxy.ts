import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The header by which a client gives its request a label. */
export const LABEL = 'x-label'
/** The header that says which process answered: its place in the list of targets. */
export const SERVED_BY = 'x-served-by'

export interface RoundRobin extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string
  /** The labels of requests whose process was gone before the answer was whole. */
  readonly cut: ReadonlySet<string>
  /** The labels of the requests that a target has now. */
  flying(target: number): readonly string[]
}

/**
 * A proxy before several processes that hands each request to the next of them, whoever sends it. What it streams, it
 * streams both ways. A process that takes no connection is passed over; one that ends in mid-answer takes the client's
 * connection with it.
 */
export async function startRoundRobin(targets: readonly string[]): Promise<RoundRobin> {
  const flying = targets.map(() => new Map<object, string>())
  const cut = new Set<string>()
  let turn = 0
  const server = createServer((request, response) => {
    carry({ request, response, label: String(request.headers[LABEL] ?? '') }, turn++ % targets.length, targets.length)
  })

  function carry(carried: Carried, target: number, left: number): void {
    const { request, response, label } = carried
    const onward = forward(targets[target] + (request.url ?? ''), {
      method: request.method,
      headers: headersFor(request),
      // A kept connection to a process that ended would fail a request that it never had.
      agent: false,
    })
    flying[target]?.set(onward, label)
    // Nothing of the body is taken before somebody is there who takes it.
    onward.once('socket', (socket) => socket.once('connect', () => request.pipe(onward)))
    onward.once('response', (answer) => {
      answer.once('error', (error) => broken(error))
      carryBack(answer, response, target)
    })
    onward.once('error', (error) => broken(error))
    onward.once('close', () => flying[target]?.delete(onward))
    response.once('close', () => onward.destroy())

    function broken(error: NodeJS.ErrnoException): void {
      if (response.destroyed || response.writableFinished) return
      if (error.code === 'ECONNREFUSED' && left > 1) return carry(carried, (target + 1) % targets.length, left - 1)
      if (label !== '') cut.add(label)
      response.destroy()
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    cut,
    flying: (target) => [...(flying[target]?.values() ?? [])].filter(Boolean),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Carried {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly label: string
}

/** Headers that are of one connection only. @see RFC 9110 §7.6.1 */
const HOPS = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding'])

function headersFor({ headers }: IncomingMessage): Record<string, string | string[] | undefined> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOPS.has(name)))
}

function carryBack(answer: IncomingMessage, response: ServerResponse, target: number): void {
  response.writeHead(answer.statusCode ?? 502, { ...headersFor(answer), [SERVED_BY]: String(target) })
  response.flushHeaders()
  answer.pipe(response)
}
