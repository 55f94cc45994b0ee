import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { ProtocolEra } from '@modelcontextprotocol/server'
import type { Eras } from './http.ts'
import { createEverythingServer } from './server.ts'
import { createWorld } from './world.ts'

/** Serves everything over the pipes of this process, with a world of its own, until the client closes them. */
export async function serveEverythingStdio(era: Eras): Promise<{ close(): Promise<void> }> {
  const world = createWorld()
  if (era === 'legacy') {
    const mcp = open('legacy')
    await mcp.connect(new StdioServerTransport())
    return mcp
  }
  return serveStdio(({ era }) => open(era), { legacy: era === 'modern' ? 'reject' : 'serve' })

  function open(era: ProtocolEra) {
    const { mcp, tell } = createEverythingServer(world, era)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- no event target
    mcp.server.onclose = world.bus.subscribe(tell)
    return mcp
  }
}
