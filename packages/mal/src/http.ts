import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  originValidationResponse,
  type AuthInfo,
} from '@modelcontextprotocol/server'
import { sendResponse, toRequest } from '#kit/node-http'
import type { MalHandler } from './handler.ts'

export interface HttpSettings {
  readonly port: number
  readonly host: string
  /** Names besides the loopback ones and `host` under which the server may be reached; `*` is any. */
  readonly allowedHosts: readonly string[]
  /** Whether `GET /metrics` shows what is counted to whoever reaches the port. */
  readonly metrics: boolean
}

export interface HttpServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves the handler on `/mcp` without sessions: any POST is answered by any replica. The `Authorization` header of
 * a request is its caller's own MyAnimeList token.
 *
 * Host and Origin must be names we know, so that a page whose name was rebound to this machine is refused. Where any Host
 * will do, as in a network of containers that name each other, the Origin alone keeps such pages out: a browser sends it
 * with every POST, and programs send none.
 */
export async function serveHttp(handler: MalHandler, settings: HttpSettings): Promise<HttpServer> {
  const { port, host, allowedHosts, metrics } = settings
  const anyHost = allowedHosts.includes('*')
  const names = [...localhostAllowedHostnames(), host, ...allowedHosts]
  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/mcp`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await sendResponse(await serve(toRequest(req, res)), res)
    } catch {
      // The client went away; no answer is left to give.
      res.destroy()
    }
  }

  async function serve(request: Request): Promise<Response> {
    const refused =
      (anyHost ? undefined : hostHeaderValidationResponse(request, names)) ?? originValidationResponse(request, names)
    if (refused) return refused
    const { pathname } = new URL(request.url)
    if (metrics && pathname === '/metrics' && request.method === 'GET') return shown(handler.metrics())
    if (pathname !== '/mcp') return new Response('MCP is at /mcp.\n', { status: 404 })
    const header = request.headers.get('authorization')
    if (header === null) return handler.fetch(request)
    const authInfo = readBearer(header)
    // A caller who brings a credential must not end up with somebody else's account because it could not be read.
    return authInfo ? handler.fetch(request, { authInfo }) : unreadable()
  }
}

function shown(metrics: string): Response {
  return new Response(metrics, { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } })
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1} */
function readBearer(header: string): AuthInfo | undefined {
  const token = /^Bearer +([\w~+/.-]+=*)$/i.exec(header.trim())?.[1]
  return token === undefined ? undefined : { token, clientId: '', scopes: [] }
}

function unreadable(): Response {
  return Response.json(
    {
      error: 'invalid_token',
      error_description: 'The Authorization header must be "Bearer <MyAnimeList access token>".',
    },
    { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
  )
}
