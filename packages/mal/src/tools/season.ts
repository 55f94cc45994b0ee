import { z } from 'zod'
import { foundShape, pageInput, pageOutput } from './schema.ts'
import { showFoundPage } from './show.ts'
import { tool } from './tool.ts'

const seasons = ['winter', 'spring', 'summer', 'fall'] as const

/** The anime of one season. */
export const getSeasonalAnime = tool({
  name: 'get_seasonal_anime',
  toolset: 'discover',
  title: 'Anime of a season',
  description:
    'The anime of one season, those that go on from an earlier one included, with what is on the own list. Without ' +
    'year and season it is the present one.',
  effect: 'reads',
  input: z.object({
    year: z.int().min(1917).max(2100).optional(),
    season: z.enum(seasons).optional(),
    sort: z.enum(['anime_score', 'anime_num_list_users']).default('anime_num_list_users'),
    include_nsfw: z.boolean().default(false),
    ...pageInput({ limit: 20, max: 500 }),
  }),
  output: z.object({
    year: z.int(),
    season: z.string(),
    ...pageOutput,
    results: z.array(z.object(foundShape.anime)),
  }),
  async run({ mal, now }, { year, season, sort, include_nsfw: nsfw, limit, offset }) {
    const present = seasonAt(now())
    const asked = { year: year ?? present.year, season: season ?? (year === undefined ? present.season : 'winter') }
    const page = await mal.season({ ...asked, sort, nsfw, limit, offset })
    const { data, lines } = showFoundPage(page, { offset, what: `anime of ${asked.season} ${asked.year}` })
    return { data: { ...asked, ...data }, lines }
  },
})

/** What MyAnimeList would suggest. */
export const getAnimeSuggestions = tool({
  name: 'get_anime_suggestions',
  toolset: 'discover',
  title: 'Suggestions',
  description: "MyAnimeList's own suggestions for this user; nothing for somebody whose list is empty.",
  effect: 'reads',
  input: z.object({ include_nsfw: z.boolean().default(false), ...pageInput({ limit: 20, max: 100 }) }),
  output: z.object({ ...pageOutput, results: z.array(z.object(foundShape.anime)) }),
  async run({ mal }, { include_nsfw: nsfw, limit, offset }) {
    return showFoundPage(await mal.suggestions({ nsfw, limit, offset }), { offset, what: 'suggestions' })
  },
})

/** The season that it is in Japan. Winter is January to March. */
function seasonAt(ms: number): { year: number; season: (typeof seasons)[number] } {
  const inJapan = new Date(ms + 9 * 3_600_000)
  return {
    year: inJapan.getUTCFullYear(),
    season: seasons[Math.floor(inJapan.getUTCMonth() / 3)] ?? 'winter',
  }
}
