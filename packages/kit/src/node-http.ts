import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** The request as the web platform knows it; its signal fires when the client leaves before the answer is complete. */
export function toRequest(req: IncomingMessage, res: ServerResponse): Request {
  const left = new AbortController()
  res.once('close', () => {
    if (!res.writableFinished) left.abort()
  })
  const headers = new Headers()
  for (const [name, values] of Object.entries(req.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD'
  return new Request(new URL(req.url ?? '/', 'http://server.invalid'), {
    method: req.method ?? 'GET',
    headers,
    signal: left.signal,
    ...(hasBody && { body: Readable.toWeb(req), duplex: 'half' }),
  })
}

/** Sends the answer; a body that is cut off by the client is cancelled, so that its producer stops too. */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  res.writeHead(response.status, Object.fromEntries(response.headers))
  if (!response.body) {
    res.end()
    return
  }
  res.flushHeaders()
  await pipeline(Readable.fromWeb(response.body), res)
}
