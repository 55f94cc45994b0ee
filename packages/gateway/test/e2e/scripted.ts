import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as an upstream gets it. */
export interface Asked {
  readonly headers: IncomingHttpHeaders
  /** The body, byte for byte. */
  readonly body: Buffer
  readonly method: string
  readonly id: string | number | undefined
  readonly name: string | undefined
}

/** What to answer: a result as JSON text, or a whole body. */
export type Answer =
  | { readonly result: string }
  | { readonly status?: number; readonly contentType?: string; readonly body: string }

export interface Scripted extends AsyncDisposable {
  readonly url: string
  /** All that was asked, in the order it came. */
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

/** An upstream over HTTP that answers what a test tells it to, to the byte. A notification is answered with 202. */
export async function startScripted(answer: (asked: Asked) => Answer | Promise<Answer>, port = 0): Promise<Scripted> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const one = await read(request)
      asked.push(one)
      if (one.id === undefined) return response.writeHead(202).end()
      const given = await answer(one)
      const {
        status = 200,
        contentType = 'application/json',
        body,
      } = 'body' in given ? given : whole(one, given.result)
      return response.writeHead(status, { 'Content-Type': contentType }).end(body)
    })()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return { url, asked, close, [Symbol.asyncDispose]: close }
}

interface WholeAnswer {
  readonly status?: number
  readonly contentType?: string
  readonly body: string
}

function whole({ id }: Asked, result: string): WholeAnswer {
  return { body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}` }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = await request.toArray()
  const body = Buffer.concat(chunks)
  const message: { method?: string; id?: string | number; params?: { name?: string } } =
    body.length === 0 ? {} : JSON.parse(body.toString())
  return { headers: request.headers, body, method: message.method ?? '', id: message.id, name: message.params?.name }
}
