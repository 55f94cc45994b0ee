import { McpServer } from '@modelcontextprotocol/server'
import packageJson from '../package.json' with { type: 'json' }
import type { Caller } from './auth/credentials.ts'
import type { Mal } from './settings.ts'
import { registerAnalyzeTaste } from './tools/analyze-taste.ts'
import { registerGetAnimeDetail } from './tools/get-anime-detail.ts'
import { registerGetMyAnimeList } from './tools/get-my-anime-list.ts'
import { registerGetUserStats } from './tools/get-user-stats.ts'
import { registerSearchAnime } from './tools/search-anime.ts'

export const { version } = packageJson

/** One server object, for one request or for one stdio connection. Every schema is made once, in its tool's file. */
export function createMalServer(mal: Mal, caller: Caller): McpServer {
  const mcp = new McpServer(
    { name: 'sekisho-mal', title: 'MyAnimeList', version, websiteUrl: 'https://myanimelist.net' },
    {
      capabilities: { tools: { listChanged: false } },
      instructions:
        "Reads the user's own MyAnimeList account. For questions about taste or recommendations start with " +
        'get_user_stats or analyze_taste: each reads the whole list at once. Do not page through ' +
        'get_my_anime_list for that, and do not call get_anime_detail for every entry.',
      cacheHints: { 'server/discover': lists, 'tools/list': lists },
    },
  )
  const needs = { mal, caller }
  registerGetMyAnimeList(mcp, needs)
  registerGetUserStats(mcp, needs)
  registerSearchAnime(mcp, needs)
  registerGetAnimeDetail(mcp, needs)
  registerAnalyzeTaste(mcp, needs)
  return mcp
}

/** The list of tools is the same for every caller. */
const lists = { ttlMs: 3_600_000, cacheScope: 'public' } as const
