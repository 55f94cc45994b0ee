import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** What came in, as a test looks at it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly form: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text as it stands, anything else as JSON. */
  readonly body?: unknown
}

export type Handler = (seen: Seen) => Answer | Promise<Answer>

/** A server of the outside world on a real socket, whose every answer the test writes. What has none is 404. */
export async function startScripted() {
  const handlers = new Map<string, Handler>()
  const seen: Seen[] = []
  const server = createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks).toString()
    const path = request.url ?? ''
    const form = Object.fromEntries(new URLSearchParams(body))
    const one: Seen = { method: request.method ?? '', path, headers: request.headers, body, form }
    seen.push(one)
    const { status = 200, headers = {}, body: said } = (await handlers.get(path)?.(one)) ?? { status: 404 }
    const isText = typeof said === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers })
    response.end(isText ? said : JSON.stringify(said))
  }

  const on = (path: string, handler: Handler) => void handlers.set(path, handler)

  /** Holds the next request to a path until it is let go; then it is answered what is given here, or as any other. */
  function hold(path: string, said?: Answer) {
    const right = handlers.get(path)
    const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    on(path, async (one) => {
      if (right) on(path, right)
      reached.resolve()
      await held.promise
      return said ?? (await right?.(one)) ?? { status: 404 }
    })
    return { reached: reached.promise, letGo: held.resolve }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    host: `127.0.0.1:${port}`,
    origin: `http://127.0.0.1:${port}`,
    seen,
    seenAt: (path: string) => seen.filter((one) => one.path === path),
    handlerOf: (path: string) => handlers.get(path),
    on,
    hold,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type Scripted = Awaited<ReturnType<typeof startScripted>>
