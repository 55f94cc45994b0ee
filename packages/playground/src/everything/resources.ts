import {
  acceptedContent,
  inputRequired,
  ResourceTemplate,
  type CacheHint,
  type McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { redPixelPng } from './media.ts'
import { form } from './tools-rounds.ts'
import type { World } from './world.ts'

/** The conformance suite's resources. Returns the URIs this session subscribed to, a live view. */
export function registerResources(mcp: McpServer, world: World): ReadonlySet<string> {
  const watched = new Set<string>()

  mcp.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text that never changes.', mimeType: 'text/plain', cacheHint: forEver },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    }),
  )
  mcp.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image that never changes.', mimeType: 'image/png', cacheHint: forEver },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: redPixelPng }] }),
  )
  mcp.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'Changes whenever the tool touch_resource is called.', mimeType: 'text/plain' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: `Touched ${world.touches.get(href) ?? 0} times.` }],
    }),
  )
  mcp.registerResource(
    'guarded-resource',
    'test://guarded-resource',
    { description: 'Asks the user before it is read.', mimeType: 'text/plain' },
    ({ href }, { mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'reason', Reasoned)
      if (!answer) return inputRequired({ inputRequests: { reason: askReason } })
      return { contents: [{ uri: href, mimeType: 'text/plain', text: `Read because: ${answer.reason}` }] }
    },
  )
  mcp.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', {
      list: undefined,
      complete: { id: (typed) => ['1', '12', '123'].filter((id) => id.startsWith(typed)) },
    }),
    { description: 'One document for every id.', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  )

  // Older revisions only: 2026-07-28 subscribes with subscriptions/listen, which the handler serves itself.
  mcp.server.setRequestHandler('resources/subscribe', ({ params }) => {
    watched.add(params.uri)
    return {}
  })
  mcp.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    watched.delete(params.uri)
    return {}
  })
  return watched
}

const forEver = { ttlMs: 3_600_000, cacheScope: 'public' } as const satisfies CacheHint

const askReason = form('Why do you want to read this?', 'reason', { type: 'string' })
const Reasoned = z.object({ reason: z.string() })
