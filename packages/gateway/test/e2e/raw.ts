import { connect, type Socket } from 'node:net'

/** An HTTP response as it came, for requests that no client library would send. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A connection to a gate, in bytes. */
export interface Line {
  readonly socket: Socket
  /** What came so far. */
  text(): string
  /** Waits until what came matches. */
  match(pattern: RegExp): Promise<void>
  /** All that came, once the other side has closed. */
  readonly closed: Promise<string>
}

/** Connects, from another address of this machine where one is named. */
export function openLine(url: string, localAddress = '127.0.0.1'): Line {
  const { port } = new URL(url)
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  // A gate that closes early may reset what is still being sent.
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  return {
    socket,
    text: () => text,
    closed,
    match: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(text) && resolve()
        socket.on('data', look)
        void closed.then(() => reject(new Error(`closed before ${pattern} came, after: ${text}`)))
        look()
      }),
  }
}

export interface RawRequest {
  readonly method?: string
  readonly target?: string
  /** In place of `HTTP/1.1`. */
  readonly version?: string
  /** Whole lines, in the order they are sent, after Host and the length of the body where it is not among them. */
  readonly headers?: readonly string[]
  readonly host?: string
  readonly body?: string | Buffer
}

/** The bytes of a request. */
export function rawRequest(url: string, request: RawRequest): Buffer {
  const { method = 'POST', target = '/mcp', version = 'HTTP/1.1', headers = [], body = '' } = request
  const framed = headers.some((line) => /^(?:content-length|transfer-encoding)/i.test(line))
  const lines = [
    `${method} ${target} ${version}`,
    `Host: ${request.host ?? new URL(url).host}`,
    ...headers,
    ...(framed ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)])
}

/** Sends one request on a connection of its own, and gives the answer once the gate has closed it. */
export async function sendRaw(url: string, request: RawRequest): Promise<RawAnswer> {
  const line = openLine(url)
  line.socket.write(rawRequest(url, { ...request, headers: ['Connection: close', ...(request.headers ?? [])] }))
  return parseAnswer(await line.closed)
}

export function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { status: Number(first.split(' ')[1]), headers: new Map(pairs), body: rest.join('\r\n\r\n') }
}
