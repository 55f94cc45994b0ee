import { z } from 'zod'
import { SEARCH_FIELDS } from '../api/fields.ts'
import { asList, asObject, asPositive, asText } from '../api/read.ts'
import { readAnime, readListStatus } from '../api/shapes.ts'
import { answer, done, readOnly, type Reading, type Register } from './answer.ts'
import { animeShape, prepared } from './schema.ts'
import { compact, lineOf, oneLine, progressOf, showAnime } from './show.ts'

/** MyAnimeList answers 400 to a longer query; the beginning of a long title finds it too. */
const LONGEST_QUERY = 64
const SYNOPSIS = 200

const Input = z.object({
  query: z
    .string()
    .trim()
    .min(3)
    .max(500)
    .describe('Title or part of it, in any language; at least 3 characters, of which the first 64 are searched for'),
  limit: z.int().min(1).max(100).default(10).describe('Results at most'),
  include_nsfw: z.boolean().default(false).describe('Also titles that MyAnimeList marks as not safe for work'),
})

const Output = z.object({
  count: z.int(),
  results: z.array(
    z.object({
      ...animeShape,
      airing_status: z.string().optional(),
      rank: z.int().optional().describe('Place among all anime by score'),
      synopsis: z.string().optional().describe('Its beginning; get_anime_detail has all of it'),
      my_status: z.string().optional().describe("Status on the user's own list; absent when not on it"),
      my_score: z.int().optional(),
    }),
  ),
})

const config = {
  title: 'Search anime',
  description:
    'Finds anime on MyAnimeList by title. Gives the id that get_anime_detail needs, and whether the anime is on the ' +
    "user's own list. Matches titles, not descriptions: search for names, not for topics.",
  inputSchema: prepared(Input),
  outputSchema: prepared(Output),
  annotations: readOnly,
}

export const registerSearchAnime: Register = (mcp, needs) => {
  mcp.registerTool('search_anime', config, (args, ctx) => answer(needs, ctx, (mal) => search(mal, args)))
}

async function search(mal: Reading, { query, limit, include_nsfw: nsfw }: z.output<typeof Input>) {
  const q = Array.from(query).slice(0, LONGEST_QUERY).join('')
  const page = await mal.get('/anime', { q, limit, fields: SEARCH_FIELDS, nsfw: nsfw || undefined })
  const found = asList(page['data']).flatMap((item) => readResult(asObject(item)?.['node']) ?? [])
  return done(
    { count: found.length, results: found.map(({ result }) => result) },
    [
      found.length === 0 ? `Nothing found for "${oneLine(q)}". Try fewer words, or the Japanese title.` : '',
      ...found.map(({ line }) => line),
    ].filter((line) => line !== ''),
  )
}

function readResult(value: unknown) {
  const anime = readAnime(value)
  if (anime === undefined) return undefined
  const node = asObject(value)
  const synopsis = beginning(asText(node?.['synopsis']))
  const mine = readListStatus(node?.['my_list_status'])
  const result = compact({
    ...showAnime(anime),
    airing_status: anime.airing,
    rank: asPositive(node?.['rank']),
    synopsis,
    my_status: mine?.status,
    my_score: mine?.score,
  })
  const own = mine ? ` [on the list: ${progressOf(mine, anime.episodes)}]` : ''
  return { result, line: `${lineOf(anime)}${own}${synopsis === undefined ? '' : `: ${oneLine(synopsis)}`}` }
}

/** The first words, up to about {@link SYNOPSIS} characters; letters beyond the 16 bits stay whole. */
function beginning(text: string | undefined): string | undefined {
  const letters = Array.from(text ?? '')
  if (letters.length <= SYNOPSIS) return text
  const cut = letters.slice(0, SYNOPSIS).join('')
  const space = cut.lastIndexOf(' ')
  return `${space > SYNOPSIS / 2 ? cut.slice(0, space) : cut}…`
}
