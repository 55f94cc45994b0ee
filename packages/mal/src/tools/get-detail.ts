import { z } from 'zod'
import type { Kind } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Detail } from '../session.ts'
import { resolve } from './resolve.ts'
import { notedShape, workRef, workShape } from './schema.ts'
import { lineOf, progressOf, showNoted, showWork } from './show.ts'
import { tool } from './tool.ts'

const text = z.string().optional()
const whole = z.int().optional()
const texts = z.array(z.string()).optional()

const own = {
  anime: { broadcast: text, rating: text, source: text, studios: texts, episode_minutes: z.number().optional() },
  manga: { authors: texts, serialization: texts },
}

/** How many related and recommended works are shown unless all is asked for. */
const FEW = 10

/** One work with everything around it. */
function getDetail(kind: Kind) {
  return tool({
    name: `get_${kind}_detail`,
    toolset: 'core',
    title: `${kind === 'anime' ? 'Anime' : 'Manga'} details`,
    description:
      `Everything about one ${kind}: synopsis, dates, score, related works, recommendations, and the user's own entry. ` +
      'One request for each call: not for a whole list.',
    effect: 'reads',
    input: z.object({
      id: workRef,
      fields: z.enum(['compact', 'all']).default('compact').describe('all: also every field MyAnimeList sent'),
    }),
    output: z.object({
      ...workShape[kind],
      ...own[kind],
      title_ja: text,
      synonyms: texts,
      url: z.string(),
      picture: text,
      airing_status: text,
      start_date: text,
      end_date: text,
      nsfw: text,
      rank: whole,
      popularity: whole,
      num_list_users: whole,
      num_scoring_users: whole,
      synopsis: text,
      background: text,
      [`related_${kind}`]: z.array(z.object({ id: z.int(), title: z.string(), relation: z.string() })),
      recommendations: z.array(z.object({ id: z.int(), title: z.string(), num_recommendations: z.int() })),
      statistics: z.record(z.string(), z.number()).optional(),
      my_list_status: z.object(notedShape[kind]).nullable(),
      raw: z.record(z.string(), z.unknown()).optional(),
    }),
    async run(call, { id, fields }) {
      const detail = await call.mal.detail(kind, await resolve(call, kind, id))
      const all = fields === 'all' ? [`All fields: ${JSON.stringify(detail.raw)}`] : []
      return { data: show(kind, detail, fields === 'all'), lines: [...linesOf(detail), ...all] }
    },
  })
}

export const getAnimeDetail = getDetail('anime')
export const getMangaDetail = getDetail('manga')

function show(kind: Kind, detail: Detail, all: boolean) {
  const { work, noted } = detail
  const most = all ? Infinity : FEW
  return {
    ...showWork(work),
    ...showOwn(detail),
    title_ja: work.japaneseTitle,
    synonyms: work.synonyms.length > 0 ? work.synonyms : undefined,
    url: `https://myanimelist.net/${kind}/${work.id}`,
    picture: work.picture,
    airing_status: work.state,
    start_date: work.startDate,
    end_date: work.endDate,
    nsfw: work.nsfw,
    rank: work.rank,
    popularity: work.popularity,
    num_list_users: work.listUsers,
    num_scoring_users: work.scoringUsers,
    synopsis: detail.synopsis,
    background: detail.background,
    [`related_${kind}`]: detail.related
      .slice(0, most)
      .map(({ work: { id, title }, relation }) => ({ id, title, relation })),
    recommendations: detail.recommendations
      .slice(0, most)
      .map(({ work: { id, title }, votes }) => ({ id, title, num_recommendations: votes })),
    statistics: kind === 'anime' ? detail.usersByStatus : undefined,
    my_list_status: noted ? showNoted(kind, noted) : null,
    raw: all ? detail.raw : undefined,
  }
}

/** What only one of the kinds has. */
function showOwn({ work, serialization }: Detail) {
  if (work.kind === 'manga') return { authors: work.authors, serialization }
  return {
    broadcast: work.broadcast && [work.broadcast.day, work.broadcast.time].filter(Boolean).join(' '),
    rating: work.rating,
    source: work.source,
    studios: work.studios,
    episode_minutes: work.episodeSeconds === undefined ? undefined : Math.round(work.episodeSeconds / 6) / 10,
  }
}

function linesOf({ work, noted, synopsis, related, recommendations, usersByStatus }: Detail): string[] {
  const makers = work.kind === 'anime' ? `Studios: ${work.studios.join(', ')}` : `Authors: ${work.authors.join(', ')}`
  const users = Object.entries(usersByStatus).map(([status, count]) => `${status} ${count}`)
  return [
    lineOf(work),
    `On the own list: ${noted ? progressOf(noted, work) : 'no'}`,
    oneLine(`Genres: ${work.genres.join(', ')}. ${makers}.`),
    ...(synopsis === undefined ? [] : [`Synopsis, as MyAnimeList has it: "${oneLine(synopsis)}"`]),
    `Related: ${listed(related.map(({ work, relation }) => `${relation}: ${oneLine(work.title)} (${work.kind} id ${work.id})`))}`,
    `Recommended: ${listed(recommendations.map(({ work }) => `${oneLine(work.title)} (id ${work.id})`))}`,
    ...(users.length > 0 ? [`Users: ${users.join(', ')}`] : []),
  ]
}

function listed(all: readonly string[]): string {
  if (all.length === 0) return 'nothing'
  return all.length > FEW ? `${all.slice(0, FEW).join('; ')}; and ${all.length - FEW} more` : all.join('; ')
}
