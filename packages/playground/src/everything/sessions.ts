import { randomUUID } from 'node:crypto'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { createEventStore } from './event-store.ts'
import { createEverythingServer } from './server.ts'
import type { World } from './world.ts'

/**
 * Serves the revisions before 2026-07-28: `initialize` opens a session, the GET stream carries what the server says
 * on its own, DELETE ends the session, and a session nobody knows is answered with 404 so that the client starts anew.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management}
 */
export function createSessions({ world, limit = 500 }: { world: World; limit?: number }) {
  const sessions = new Map<string, Session>()

  return {
    async fetch(request: Request): Promise<Response> {
      const id = request.headers.get('mcp-session-id')
      if (id === null) return open(request)
      return sessions.get(id)?.transport.handleRequest(request) ?? sessionNotFound()
    },
    async close(): Promise<void> {
      await Promise.all([...sessions.values()].map((session) => session.end()))
    },
  }

  /** Gives the request a fresh session; one that turns out not to be an `initialize` is refused, and nothing stays. */
  async function open(request: Request): Promise<Response> {
    const { mcp, tell } = createEverythingServer(world, 'legacy')
    const stopListening = world.bus.subscribe(tell)
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 500,
      async onsessioninitialized(id) {
        sessions.set(id, { transport, end })
        await makeRoom()
      },
      onsessionclosed: forget,
    })
    await mcp.connect(transport)
    const response = await transport.handleRequest(request)
    if (transport.sessionId === undefined) await end()
    return response

    function forget(): void {
      stopListening()
      sessions.delete(transport.sessionId ?? '')
    }
    async function end(): Promise<void> {
      forget()
      await mcp.close()
    }
  }

  /** Clients seldom say goodbye, so the oldest session makes room for the newest. */
  async function makeRoom(): Promise<void> {
    const [oldest] = sessions.values()
    if (sessions.size > limit) await oldest?.end()
  }
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport
  end(): Promise<void>
}

function sessionNotFound(): Response {
  return Response.json(
    { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } },
    { status: 404 },
  )
}
