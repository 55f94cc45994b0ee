import { z } from 'zod'
import type { ListEntry } from '../list/entry.ts'
import { matches, order, parseQuery } from '../query/query.ts'
import { pageInput, pageOutput } from './schema.ts'
import { lineOf, pageLine, progressOf, showNoted, showWork } from './show.ts'
import { tool } from './tool.ts'
import { kindInput, showWhole, wholeLines, wholeShape } from './whole.ts'

export const searchMyList = tool({
  name: 'search_my_list',
  toolset: 'insight',
  title: 'Search my list',
  description:
    "Filters and sorts the user's own list with one query: words find titles, field:value narrows. For instance " +
    'status:completed score>=8 genre:"Slice of Life" -tag:dropped year:2010..2019 updated<30d sort:score desc,title. ' +
    'Comparisons : = != < <= > >= ~ (contains); and, or, not, parentheses; a,b is either; none and any ask whether a ' +
    'field is known. A field that does not exist is answered with those that do.',
  effect: 'reads',
  input: z.object({
    kind: kindInput,
    query: z.string().default('').describe('Empty: everything'),
    fields: z.enum(['compact', 'all']).default('compact'),
    ...pageInput({ limit: 50, max: 1000 }),
  }),
  output: z.object({
    ...wholeShape,
    found: z.int(),
    ...pageOutput,
    entries: z.array(z.looseObject({ id: z.int(), title: z.string(), status: z.string() })),
  }),
  async run({ mal, now }, { kind, query: text, fields, limit, offset }) {
    // A query that cannot be read costs no request.
    const query = parseQuery(text, { kind, now: now() })
    const list = await mal.wholeList(kind)
    const found = order(
      query,
      list.entries.filter((entry) => matches(query, entry)),
    )
    const page = found.slice(offset, offset + limit)
    const nextOffset = offset + limit < found.length ? offset + limit : undefined
    return {
      data: {
        ...showWhole(list),
        found: found.length,
        count: page.length,
        offset,
        has_more: nextOffset !== undefined,
        next_offset: nextOffset,
        entries: page.map((entry) => (fields === 'all' ? showAll(entry) : showShort(entry))),
      },
      lines: wholeLines(list, [
        `${found.length} of ${list.entries.length} fit. ${pageLine(`${page.length} shown`, offset, nextOffset)}`,
        ...page.map(({ work, noted }) => `${lineOf(work)}: ${progressOf(noted, work)}`),
      ]),
    }
  },
})

function showShort({ work, noted }: ListEntry) {
  return {
    id: work.id,
    title: work.title,
    status: noted.status,
    score: noted.score,
    progress: `${noted.progress}/${work.units ?? '?'}`,
  }
}

/** Everything that is known, in the words of the other tools where they have one. */
function showAll({ work, noted }: ListEntry) {
  return {
    ...showWork(work),
    ...showNoted(work.kind, noted),
    airing_status: work.state,
    work_start_date: work.startDate,
    work_end_date: work.endDate,
    rank: work.rank,
    popularity: work.popularity,
    num_list_users: work.listUsers,
    studios: work.kind === 'anime' ? work.studios : undefined,
    authors: work.kind === 'manga' ? work.authors : undefined,
    source: work.source,
    rating: work.rating,
    repeat_value: noted.repeatValue || undefined,
  }
}
