import { z } from 'zod'
import { answer, done, readOnly, warningOf, type Reading, type Register } from './answer.ts'
import { prepared } from './schema.ts'
import { compact, oneLine } from './show.ts'
import { computeStatistics, type Deviation, type Difference, type Share, type Statistics } from './statistics.ts'

const shares = z.array(
  z.object({
    name: z.string(),
    count: z.int(),
    mean_score: z.number().optional().describe("The user's own mean score among them"),
  }),
)
const differences = z.array(
  z.object({
    id: z.int(),
    title: z.string(),
    score: z.int(),
    community_mean: z.number(),
    difference: z.number(),
  }),
)

const Output = z.object({
  truncated: z.boolean().describe('Whether the list goes on beyond what was counted'),
  warning: z.string().optional(),
  total: z.int(),
  scored: z.int(),
  mean_score: z.number().optional(),
  by_status: shares,
  by_score: shares.describe('10 to 1'),
  by_genre: shares.describe('An anime counts once for each of its genres'),
  by_media_type: shares,
  by_decade: shares.describe('Oldest first, by the year it started'),
  top_studios: shares.describe('The 15 most frequent'),
  episodes_watched: z.int(),
  episodes_rewatched: z.int().describe('Complete rewatches, estimated'),
  watch_time: z.object({ hours: z.number(), days: z.number(), entries_without_length: z.int() }),
  versus_community: z
    .object({
      compared: z.int().describe('Entries that have a score of the user and one of the community'),
      mean_difference: z.number().describe('Above 0: scores higher than the community'),
      mean_absolute_difference: z.number(),
      liked_more: differences,
      liked_less: differences,
    })
    .optional(),
})

const config = {
  title: 'Anime statistics',
  description:
    "Figures about the user's whole anime list: how it divides by status, score, genre, media type and decade, top " +
    "studios, episodes, estimated watch time, and where the user's scores differ from the community's. Use it for " +
    'questions of how much and how often; use analyze_taste when the titles themselves matter.',
  inputSchema: prepared(z.object({})),
  outputSchema: prepared(Output),
  annotations: readOnly,
}

export const registerGetUserStats: Register = (mcp, needs) => {
  mcp.registerTool('get_user_stats', config, (_args, ctx) => answer(needs, ctx, count))
}

async function count(mal: Reading) {
  const list = await mal.wholeList()
  const warning = warningOf(list)
  const statistics = computeStatistics(list.entries)
  return done(compact({ truncated: list.truncated, warning, ...statistics }), [
    ...(warning === undefined ? [] : [warning]),
    ...linesOf(statistics),
  ])
}

function linesOf(statistics: Statistics): string[] {
  const { watch_time: time, versus_community: deviation } = statistics
  const mean = statistics.mean_score === undefined ? '' : `, mean ${statistics.mean_score}`
  const unknown = time.entries_without_length > 0 ? ` (${time.entries_without_length} entries of unknown length)` : ''
  return [
    `${statistics.total} anime, ${statistics.scored} scored${mean}`,
    `Status: ${listed(statistics.by_status)}`,
    `Scores: ${statistics.by_score.map(({ name, count }) => `${name}: ${count}`).join(', ')}`,
    `Genres: ${listed(statistics.by_genre)}`,
    `Types: ${listed(statistics.by_media_type)}`,
    `Decades: ${listed(statistics.by_decade)}`,
    `Studios: ${listed(statistics.top_studios)}`,
    `Episodes: ${statistics.episodes_watched} watched, about ${statistics.episodes_rewatched} rewatched`,
    `Watch time: about ${time.hours} hours, ${time.days} days${unknown}`,
    ...(deviation ? linesOfDeviation(deviation) : []),
  ]
}

function linesOfDeviation(deviation: Deviation): string[] {
  return [
    `Against the community (${deviation.compared} compared): ${signed(deviation.mean_difference)} on average, ` +
      `${deviation.mean_absolute_difference} apart`,
    `Liked more: ${deviation.liked_more.map(differenceOf).join('; ') || 'nothing'}`,
    `Liked less: ${deviation.liked_less.map(differenceOf).join('; ') || 'nothing'}`,
  ]
}

function differenceOf({ title, score, community_mean: mean, difference }: Difference): string {
  return `${oneLine(title)} ${score} against ${mean} (${signed(difference)})`
}

function listed(all: readonly Share[]): string {
  return all
    .map(({ name, count, mean_score: mean }) => `${name} ${count}${mean === undefined ? '' : ` (ø ${mean})`}`)
    .join(', ')
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value)
}
