import { z } from 'zod'
import { LIST_FIELDS } from '../api/fields.ts'
import { readListPage, readNext } from '../api/shapes.ts'
import { answer, done, readOnly, type Reading, type Register } from './answer.ts'
import { animeShape, listShape, prepared } from './schema.ts'
import { compact, lineOf, progressOf, showAnime, showListStatus } from './show.ts'

const Input = z.object({
  status_filter: z
    .enum(['watching', 'completed', 'on_hold', 'dropped', 'plan_to_watch'])
    .optional()
    .describe('Only entries of this status; all when left out'),
  sort: z
    .enum(['list_score', 'list_updated_at', 'anime_title', 'anime_start_date'])
    .optional()
    .describe('list_score, list_updated_at and anime_start_date: highest or newest first; anime_title: A to Z'),
  limit: z.int().min(1).max(1000).default(100).describe('Entries on one page'),
  offset: z.int().min(0).max(1_000_000).default(0).describe('Entries to skip; next_offset of the page before'),
})

const Output = z.object({
  count: z.int().describe('Entries on this page'),
  offset: z.int(),
  has_more: z.boolean(),
  next_offset: z.int().optional().describe('Where the next page starts; absent on the last one'),
  entries: z.array(z.object({ ...animeShape, list: z.object(listShape) })),
})

const config = {
  title: 'My anime list',
  description:
    "One page of the user's own anime list on MyAnimeList: title, score, status and progress of each entry. Use it " +
    'to look at some entries ("what am I watching", "my newest ten"). For statistics use get_user_stats and for the ' +
    'whole list use analyze_taste; both read everything in one call.',
  inputSchema: prepared(Input),
  outputSchema: prepared(Output),
  annotations: readOnly,
}

export const registerGetMyAnimeList: Register = (mcp, needs) => {
  mcp.registerTool('get_my_anime_list', config, (args, ctx) => answer(needs, ctx, (mal) => getPage(mal, args)))
}

async function getPage(mal: Reading, { status_filter: status, sort, limit, offset }: z.output<typeof Input>) {
  const query = { fields: LIST_FIELDS, status, sort, limit, offset, nsfw: true }
  const page = await mal.get('/users/@me/animelist', query)
  const entries = readListPage(page)
  const hasMore = readNext(page) !== undefined
  const next = hasMore ? offset + limit : undefined
  return done(
    compact({
      count: entries.length,
      offset,
      has_more: hasMore,
      next_offset: next,
      entries: entries.map((entry) => ({ ...showAnime(entry), list: showListStatus(entry.list) })),
    }),
    [
      `${entries.length} entries from ${offset}; ${next === undefined ? 'no more' : `more from offset ${next}`}`,
      ...entries.map((entry) => `${lineOf(entry)}: ${progressOf(entry.list, entry.episodes)}`),
    ],
  )
}
