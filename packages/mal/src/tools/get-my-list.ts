import { z } from 'zod'
import { entriesOf } from '../list/count.ts'
import { statuses, type Kind, type ListEntry } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Page } from '../session.ts'
import { entryFields, notedShape, pageInput, pageOutput, userName, workShape, type EntryFields } from './schema.ts'
import { lineOf, pageLine, progressOf, showAllOf, showNoted, showWork } from './show.ts'
import { tool } from './tool.ts'

/** How MyAnimeList sorts a list: highest or newest first, titles A to Z. */
const sorts = (kind: Kind) => ['list_score', 'list_updated_at', `${kind}_title`, `${kind}_start_date`] as const

/** The same without the word in front, where that says it too: `score`, `title`. */
const sortInput = (kind: Kind) =>
  z
    .preprocess(
      (said) =>
        sorts(kind).find((sort) => typeof said === 'string' && [`list_${said}`, `${kind}_${said}`].includes(sort)) ??
        said,
      z.enum(sorts(kind)),
    )
    .optional()

const inputOf = (kind: Kind) => ({
  status_filter: z.enum(statuses[kind]).optional(),
  sort: sortInput(kind),
  fields: entryFields,
  ...pageInput({ limit: 100, max: 1000 }),
})

const outputOf = (kind: Kind) => ({
  ...pageOutput,
  entries: z.array(z.looseObject({ ...workShape[kind], list: z.object(notedShape[kind]) })),
})

/** One page of the own list. */
function getMyList(kind: Kind) {
  return tool({
    name: `get_my_${kind}_list`,
    toolset: 'core',
    title: `My ${kind} list`,
    description:
      `One page of the user's own ${kind} list: title, score, status and progress of each entry. For statistics take ` +
      'get_user_stats, for the whole list analyze_taste: each reads everything in one call.',
    effect: 'reads',
    input: z.object(inputOf(kind)),
    output: z.object(outputOf(kind)),
    async run({ mal }, { status_filter: status, sort, fields, limit, offset }) {
      const page = await mal.listPage(kind, '@me', { status, sort, limit, offset })
      return showPage(page, { kind, fields, offset, whose: '' })
    },
  })
}

/** One page of somebody else's list. */
function getUserList(kind: Kind) {
  return tool({
    name: `get_user_${kind}_list`,
    toolset: 'discover',
    title: `Somebody's ${kind} list`,
    description: `One page of another user's ${kind} list, where it is public: their scores, status and progress.`,
    effect: 'reads',
    input: z.object({
      user: userName,
      ...inputOf(kind),
    }),
    output: z.object(outputOf(kind)),
    async run({ mal }, { user, status_filter: status, sort, fields, limit, offset }) {
      const page = await mal.listPage(kind, user, { status, sort, limit, offset })
      return showPage(page, { kind, fields, offset, whose: ` of ${oneLine(user)}` })
    },
  })
}

export const getMyAnimeList = getMyList('anime')
export const getMyMangaList = getMyList('manga')
export const getUserAnimeList = getUserList('anime')
export const getUserMangaList = getUserList('manga')

function showPage(
  { items, nextOffset }: Page<ListEntry>,
  { kind, fields, offset, whose }: { kind: Kind; fields: EntryFields; offset: number; whose: string },
) {
  const show = fields === 'all' ? showAllOf : showWork
  const entries = items.map(({ work, noted }) => ({ ...show(work), list: showNoted(kind, noted) }))
  return {
    data: {
      count: items.length,
      offset,
      has_more: nextOffset !== undefined,
      next_offset: nextOffset,
      entries,
    },
    lines: [
      pageLine(`${entriesOf(items.length)}${whose}`, offset, nextOffset),
      // A model may be shown the text alone.
      ...(fields === 'all'
        ? entries.map((entry) => JSON.stringify(entry))
        : items.map(({ work, noted }) => `${lineOf(work)}: ${progressOf(noted, work)}`)),
    ],
  }
}
