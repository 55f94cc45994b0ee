import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HeaderProxy {
  readonly port: number
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface HeaderProxySettings {
  readonly port: number
  /** Where requests go, path and query as they come. */
  readonly target: string
  /** Put before the headers of each request, which otherwise go on as they came, Host and Origin included. */
  readonly headers: Readonly<Record<string, string>>
}

/** A reverse proxy on loopback for clients that cannot send a header themselves. Bodies are streamed both ways. */
export async function startHeaderProxy({ port, target, headers }: HeaderProxySettings): Promise<HeaderProxy> {
  const { hostname, port: targetPort } = new URL(target)
  const added = Object.entries(headers).flat()

  const server = createServer((request, response) => {
    const { method, url, rawHeaders } = request
    const onward = forward(
      // Node's types know headers as a record only; as a list they keep their order and repetitions.
      { hostname, port: targetPort, method, path: url, setHost: false, headers: [...added, ...rawHeaders] },
      (answer) => carryBack(answer, response),
    )
    request.pipe(onward)
    onward.on('error', () => refuse(response))
    response.on('close', () => onward.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

function carryBack(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
  response.flushHeaders()
  answer.pipe(response)
  answer.on('error', () => response.destroy())
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) response.destroy()
  else response.writeHead(502).end()
}
