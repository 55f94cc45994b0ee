import { z } from 'zod'
import type { Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import { foundShape, pageInput, pageOutput } from './schema.ts'
import { showFoundPage } from './show.ts'
import { tool } from './tool.ts'

/** MyAnimeList answers 400 to a longer query; the beginning of a long title finds it too. */
const LONGEST_QUERY = 64

/** Finds works by title. */
function search(kind: Kind) {
  return tool({
    name: `search_${kind}`,
    toolset: 'core',
    title: `Search ${kind}`,
    description:
      `Finds ${kind} by title, not by topic: ids, the beginning of the synopsis, and my_status where it is on the ` +
      "user's own list.",
    effect: 'reads',
    input: z.object({
      query: z.string().trim().min(3).max(500).describe('Title or part of it, in any language'),
      include_nsfw: z.boolean().default(false),
      ...pageInput({ limit: 10, max: 100 }),
    }),
    output: z.object({ ...pageOutput, results: z.array(z.object(foundShape[kind])) }),
    async run({ mal }, { query, limit, offset, include_nsfw: nsfw }) {
      const q = Array.from(query).slice(0, LONGEST_QUERY).join('')
      const page = await mal.search(kind, { q, limit, offset, nsfw })
      const { data, lines } = showFoundPage(page, { offset, what: 'found' })
      const nothing = [`Nothing found for "${oneLine(q)}". Try fewer words, or the Japanese title.`]
      return { data, lines: page.items.length === 0 ? nothing : lines }
    },
  })
}

export const searchAnime = search('anime')
export const searchManga = search('manga')
