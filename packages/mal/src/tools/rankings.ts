import { z } from 'zod'
import type { Kind } from '../list/entry.ts'
import { foundShape, pageInput, pageOutput } from './schema.ts'
import { showFoundPage } from './show.ts'
import { tool } from './tool.ts'

const types = {
  anime: ['all', 'airing', 'upcoming', 'tv', 'ova', 'movie', 'special', 'bypopularity', 'favorite'],
  manga: ['all', 'manga', 'novels', 'oneshots', 'doujin', 'manhwa', 'manhua', 'bypopularity', 'favorite'],
} as const satisfies Record<Kind, readonly string[]>

/** The best, the most popular, the most loved. */
function getRanking(kind: Kind) {
  return tool({
    name: `get_${kind}_ranking`,
    toolset: 'discover',
    title: `${kind === 'anime' ? 'Anime' : 'Manga'} ranking`,
    description: `MyAnimeList's ranking of ${kind}, by score unless it is bypopularity or favorite, with what is on the user's own list.`,
    effect: 'reads',
    input: z.object({
      ranking_type: z.enum(types[kind]).default('all'),
      include_nsfw: z.boolean().default(false),
      ...pageInput({ limit: 20, max: 500 }),
    }),
    output: z.object({ ...pageOutput, results: z.array(z.object(foundShape[kind])) }),
    async run({ mal }, { ranking_type: type, include_nsfw: nsfw, limit, offset }) {
      return showFoundPage(await mal.ranking(kind, { type, nsfw, limit, offset }), {
        offset,
        what: `${kind} (${type})`,
      })
    },
  })
}

export const getAnimeRanking = getRanking('anime')
export const getMangaRanking = getRanking('manga')
