import {
  createMcpHandler,
  McpServer,
  type CacheHint,
  type McpHandlerRequestOptions,
  type ProtocolEra,
  type ServerEvent,
} from '@modelcontextprotocol/server'
import { registerPrompts } from './prompts.ts'
import { registerResources } from './resources.ts'
import { offerSkills } from './skills.ts'
import { registerContentTools } from './tools-content.ts'
import { registerInputTools } from './tools-input.ts'
import { registerRoundTools } from './tools-rounds.ts'
import { registerRuntimeTools } from './tools-runtime.ts'
import { registerTaskTools } from './tools-tasks.ts'
import { createWorld, type World } from './world.ts'

export interface EverythingHandler {
  fetch(request: Request, options?: McpHandlerRequestOptions): Promise<Response>
  close(): Promise<void>
}

/**
 * The everything server as a fetch handler, revision 2026-07-28 only: nothing is kept between two requests except
 * what the tools change on purpose. It checks neither Host nor Origin nor tokens; whoever mounts it does.
 */
export function createEverythingHandler(world: World = createWorld()): EverythingHandler {
  const handler = createMcpHandler(({ era }) => createEverythingServer(world, era).mcp, {
    legacy: 'reject',
    bus: world.bus,
  })
  return { fetch: handler.fetch, close: handler.close }
}

/**
 * One server object: for one request, for one session of the older revisions, or for one pair of pipes. A session
 * and a pipe pass what happens in the world to `tell`; a request has no need to, its listeners are served by the
 * handler around it.
 */
export function createEverythingServer(
  world: World,
  era: ProtocolEra,
): { mcp: McpServer; tell(event: ServerEvent): void } {
  const mcp = new McpServer(
    { name: 'sekisho-everything', title: 'Everything', version: '0.1.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      instructions:
        'Exercises every part of MCP. The tools whose names start with test_ belong to the conformance suite.',
      cacheHints: {
        'server/discover': lists,
        'tools/list': lists,
        'prompts/list': lists,
        'resources/list': lists,
        'resources/templates/list': lists,
      },
      requestState: { verify: world.states.verify },
    },
  )

  registerContentTools(mcp)
  registerInputTools(mcp)
  registerRoundTools(mcp, world)
  const tool = registerRuntimeTools(mcp, world)
  const prompt = registerPrompts(mcp, world)
  const watched = registerResources(mcp, world)
  if (era === 'modern') registerTaskTools(mcp, world)
  offerSkills(mcp)

  return {
    mcp,
    tell(event) {
      switch (event.kind) {
        case 'tools_list_changed':
          tool.update({ enabled: world.shown.tool })
          break
        case 'prompts_list_changed':
          prompt.update({ enabled: world.shown.prompt })
          break
        case 'resources_list_changed':
          mcp.sendResourceListChanged()
          break
        case 'resource_updated':
          // A modern pipe hands on to its listeners what they asked for.
          if (era === 'modern' || watched.has(event.uri)) void mcp.server.sendResourceUpdated({ uri: event.uri })
          break
      }
    },
  }
}

/** The lists are the same for every caller, and a change is announced. */
const lists = { ttlMs: 60_000, cacheScope: 'public' } as const satisfies CacheHint
