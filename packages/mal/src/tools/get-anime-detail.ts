import { z } from 'zod'
import { DETAIL_FIELDS } from '../api/fields.ts'
import { MalProblem } from '../api/problem.ts'
import { asList, asNumber, asObject, asPositive, asText } from '../api/read.ts'
import { readAnime, readListStatus } from '../api/shapes.ts'
import { answer, done, readOnly, type Reading, type Register } from './answer.ts'
import { animeShape, listShape, prepared } from './schema.ts'
import { compact, lineOf, oneLine, progressOf, showAnime, showListStatus } from './show.ts'

const Input = z.object({
  id: z.int().min(1).max(2_147_483_647).describe('MyAnimeList id, as search_anime and the lists give it'),
})

const text = z.string().optional()
const whole = z.int().optional()

const Output = z.object({
  ...animeShape,
  title_ja: text,
  synonyms: z.array(z.string()),
  url: z.string(),
  picture: text,
  airing_status: text,
  start_date: text,
  end_date: text,
  broadcast: text.describe('Day and time in Japan'),
  source: text,
  rating: text.describe('Age rating'),
  nsfw: text,
  studios: z.array(z.string()),
  episode_minutes: z.number().optional(),
  rank: whole.describe('Place by score'),
  popularity: whole.describe('Place by number of lists'),
  num_list_users: whole,
  num_scoring_users: whole,
  synopsis: text,
  background: text,
  related_anime: z.array(z.object({ id: z.int(), title: z.string(), relation: z.string() })),
  recommendations: z.array(z.object({ id: z.int(), title: z.string(), num_recommendations: whole })),
  statistics: z
    .record(z.string(), z.number())
    .optional()
    .describe('How many users have it as watching, completed, on_hold, dropped, plan_to_watch'),
  my_list_status: z
    .object({ ...listShape, comments: text })
    .nullable()
    .describe("The user's own entry; null when it is not on their list"),
})

const config = {
  title: 'Anime details',
  description:
    'Everything MyAnimeList knows of one anime: synopsis, dates, studios, score, related anime, what other users ' +
    "recommend next to it, how many watch or dropped it, and the user's own entry. Needs the id; search_anime finds " +
    'it. One request for each call: do not call it for a whole list.',
  inputSchema: prepared(Input),
  outputSchema: prepared(Output),
  annotations: readOnly,
}

export const registerGetAnimeDetail: Register = (mcp, needs) => {
  mcp.registerTool('get_anime_detail', config, ({ id }, ctx) => answer(needs, ctx, (mal) => getDetail(mal, id)))
}

async function getDetail(mal: Reading, id: number) {
  const node = await mal.get(`/anime/${id}`, { fields: DETAIL_FIELDS })
  const anime = readAnime(node)
  if (anime === undefined) throw new MalProblem('unreadable')
  const titles = asObject(node['alternative_titles'])
  const related = asList(node['related_anime']).flatMap(readRelated)
  const recommendations = asList(node['recommendations']).flatMap(readRecommendation)
  const statistics = readStatistics(node['statistics'])
  const mine = readListStatus(node['my_list_status'])
  const comments = asText(asObject(node['my_list_status'])?.['comments'])
  const synopsis = asText(node['synopsis'])

  return done(
    compact({
      ...showAnime(anime),
      title_ja: asText(titles?.['ja']),
      synonyms: asList(titles?.['synonyms']).flatMap((synonym) => asText(synonym) ?? []),
      url: `https://myanimelist.net/anime/${anime.id}`,
      picture: asText(asObject(node['main_picture'])?.['large']) ?? asText(asObject(node['main_picture'])?.['medium']),
      airing_status: anime.airing,
      start_date: asText(node['start_date']),
      end_date: asText(node['end_date']),
      broadcast: readBroadcast(node['broadcast']),
      source: asText(node['source']),
      rating: asText(node['rating']),
      nsfw: asText(node['nsfw']),
      studios: anime.studios,
      episode_minutes: anime.episodeSeconds === undefined ? undefined : Math.round(anime.episodeSeconds / 6) / 10,
      rank: asPositive(node['rank']),
      popularity: asPositive(node['popularity']),
      num_list_users: asNumber(node['num_list_users']),
      num_scoring_users: asNumber(node['num_scoring_users']),
      synopsis,
      background: asText(node['background']),
      related_anime: related,
      recommendations,
      statistics,
      my_list_status: mine ? compact({ ...showListStatus(mine), comments }) : null,
    }),
    [
      lineOf(anime),
      `On the own list: ${mine ? progressOf(mine, anime.episodes) : 'no'}`,
      `Genres: ${anime.genres.join(', ')}. Studios: ${anime.studios.join(', ')}.`,
      ...(synopsis === undefined ? [] : [synopsis]),
      `Related: ${related.map(({ title, relation, id }) => `${relation}: ${oneLine(title)} (id ${id})`).join('; ')}`,
      `Recommended: ${recommendations.map(({ title, id }) => `${oneLine(title)} (id ${id})`).join('; ')}`,
      `Users: ${Object.entries(statistics ?? {})
        .map(([status, users]) => `${status} ${users}`)
        .join(', ')}`,
    ],
  )
}

function readRelated(value: unknown) {
  const member = asObject(value)
  const anime = readAnime(member?.['node'])
  const relation = asText(member?.['relation_type_formatted']) ?? asText(member?.['relation_type']) ?? 'related'
  return anime ? [{ id: anime.id, title: anime.title, relation }] : []
}

function readRecommendation(value: unknown) {
  const member = asObject(value)
  const anime = readAnime(member?.['node'])
  const times = asNumber(member?.['num_recommendations'])
  return anime ? [{ id: anime.id, title: anime.title, ...(times !== undefined && { num_recommendations: times }) }] : []
}

/** The counts come as strings. */
function readStatistics(value: unknown): Record<string, number> | undefined {
  const counts = asObject(asObject(value)?.['status'])
  if (counts === undefined) return undefined
  const read = Object.entries(counts).flatMap(([status, users]) => {
    const number = asNumber(users)
    return number === undefined ? [] : [[status, number] as const]
  })
  return Object.fromEntries(read)
}

function readBroadcast(value: unknown): string | undefined {
  const broadcast = asObject(value)
  const day = asText(broadcast?.['day_of_the_week'])
  const time = asText(broadcast?.['start_time'])
  return day === undefined ? undefined : [day, time].filter((part) => part !== undefined).join(' ')
}
