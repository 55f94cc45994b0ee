import { McpServer } from '@modelcontextprotocol/server'
import packageJson from '../package.json' with { type: 'json' }
import type { Caller } from './auth/credentials.ts'
import { registerPrompts } from './prompts/register.ts'
import { registerResources } from './resources/register.ts'
import type { Mal } from './settings.ts'
import { isOffered, type Offer } from './tools/offer.ts'
import { preparedTools } from './tools/table.ts'

export const { version } = packageJson

/** One server object, for one request or for one stdio connection. Every schema is made once, with the table. */
export function createMalServer(mal: Mal, caller: Caller, offer: Offer = mal.offer): McpServer {
  const mcp = new McpServer(
    { name: 'sekisho-mal', title: 'MyAnimeList', version, websiteUrl: 'https://myanimelist.net' },
    {
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false },
        prompts: { listChanged: false },
        completions: {},
      },
      instructions:
        "Reads the user's own MyAnimeList account. For questions about taste or recommendations start with " +
        'get_user_stats or analyze_taste: each reads the whole list at once. Do not page through ' +
        'get_my_anime_list for that, and do not call get_anime_detail for every entry.',
      cacheHints: {
        'server/discover': lists,
        'tools/list': lists,
        'resources/list': lists,
        'resources/templates/list': lists,
        'prompts/list': lists,
      },
    },
  )
  for (const { row, register } of preparedTools) if (isOffered(row, offer)) register({ mcp, mal, caller, offer })
  registerResources({ mcp, mal, caller })
  registerPrompts(mcp)
  return mcp
}

/** What there is, is the same for every caller. */
const lists = { ttlMs: 3_600_000, cacheScope: 'public' } as const
