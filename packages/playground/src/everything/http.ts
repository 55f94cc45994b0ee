import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  originValidationResponse,
} from '@modelcontextprotocol/server'
import { sendResponse, toRequest } from '#kit/node-http'
import { createEverythingHandler } from './server.ts'
import { createSessions } from './sessions.ts'
import { createWorld } from './world.ts'

/** Which revisions are spoken: those with sessions, 2026-07-28, or all of them. */
export type Eras = 'legacy' | 'modern' | 'both'

export interface EverythingServer {
  url: string
  port: number
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts the everything server on `/mcp`, every revision behind one URL: what carries the 2026-07-28 envelope is
 * answered without a session, everything else belongs to a session. With `era` it speaks one of the two only, as if
 * it had never heard of the other.
 *
 * Only `host`, the loopback names and `allowedHosts` are accepted as Host and Origin; a page whose name was rebound
 * to 127.0.0.1 is refused.
 */
export async function startEverything({
  port,
  host = '127.0.0.1',
  allowedHosts = [],
  era = 'both',
}: {
  port: number
  host?: string
  allowedHosts?: readonly string[]
  era?: Eras
}): Promise<EverythingServer> {
  const world = createWorld()
  const modern = createEverythingHandler(world)
  const sessions = createSessions({ world })
  const names = [...localhostAllowedHostnames(), host, ...allowedHosts]

  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/mcp`,
    port: address.port,
    close,
    [Symbol.asyncDispose]: close,
  }

  async function close(): Promise<void> {
    await Promise.all([modern.close(), sessions.close()])
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await sendResponse(await serve(toRequest(req, res)), res)
    } catch {
      // The client went away, or we have a fault of our own; in both cases no answer is left to give.
      res.destroy()
    }
  }

  async function serve(request: Request): Promise<Response> {
    const refused = hostHeaderValidationResponse(request, names) ?? originValidationResponse(request, names)
    if (refused) return refused
    if (new URL(request.url).pathname !== '/mcp') return new Response('Not found\n', { status: 404 })
    const isLegacy = era === 'both' ? await isLegacyRequest(request) : era === 'legacy'
    return isLegacy ? sessions.fetch(request) : modern.fetch(request)
  }
}
