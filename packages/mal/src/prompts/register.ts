import type { McpServer } from '@modelcontextprotocol/server'
import { prompts } from './table.ts'

/** Registers the table. Prompts are text: they ask MyAnimeList for nothing. */
export function registerPrompts(mcp: McpServer): void {
  for (const { name, title, description, args, write } of prompts) {
    mcp.registerPrompt(name, { title, description, argsSchema: args }, (given) => ({
      messages: [{ role: 'user', content: { type: 'text', text: write(given) } }],
    }))
  }
}
