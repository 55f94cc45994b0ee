import { z } from 'zod'
import type { ListEntry } from '../list/entry.ts'
import { matches, order, parseQuery } from '../query/query.ts'
import { entryFields, pageInput, pageOutput } from './schema.ts'
import { lineOf, pageLine, progressOf, showAllOf, showNoted } from './show.ts'
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
    fields: entryFields,
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
    const entries = page.map((entry) => (fields === 'all' ? showAll(entry) : showShort(entry)))
    return {
      data: {
        ...showWhole(list),
        found: found.length,
        count: page.length,
        offset,
        has_more: nextOffset !== undefined,
        next_offset: nextOffset,
        entries,
      },
      lines: wholeLines(list, [
        `${found.length} of ${list.entries.length} fit. ${pageLine(`${page.length} shown`, offset, nextOffset)}`,
        // A model may be shown the text alone.
        ...(fields === 'all'
          ? entries.map((entry) => JSON.stringify(entry))
          : page.map(({ work, noted }) => `${lineOf(work)}: ${progressOf(noted, work)}`)),
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

function showAll({ work, noted }: ListEntry) {
  return { ...showAllOf(work), ...showNoted(work.kind, noted) }
}
