import { z } from 'zod'
import { statuses, type Kind } from '../list/entry.ts'
import type { Change } from '../session.ts'

const date = z
  .string()
  .regex(/^(\d{4}(-\d\d){0,2})?$/)
  .describe('YYYY-MM-DD; "" clears')
  .optional()
const count = z.int().min(0).max(100_000).optional()
const tagNames = z.array(z.string().trim().min(1).max(255)).max(50)

/** What can be changed of an entry, by MyAnimeList's names of what is read. */
export const changeInput = {
  anime: {
    status: z.enum(statuses.anime).optional(),
    num_episodes_watched: count,
    is_rewatching: z.boolean().optional(),
    num_times_rewatched: count,
    rewatch_value: rank(5),
    ...shared(),
  },
  manga: {
    status: z.enum(statuses.manga).optional(),
    num_chapters_read: count,
    num_volumes_read: count,
    is_rereading: z.boolean().optional(),
    num_times_reread: count,
    reread_value: rank(5),
    ...shared(),
  },
}

export function readAnimeChange(given: z.output<z.ZodObject<typeof changeInput.anime>>): Change {
  return defined({
    ...readShared(given),
    progress: given.num_episodes_watched,
    isRepeating: given.is_rewatching,
    timesRepeated: given.num_times_rewatched,
    repeatValue: given.rewatch_value,
  })
}

export function readMangaChange(given: z.output<z.ZodObject<typeof changeInput.manga>>): Change {
  return defined({
    ...readShared(given),
    progress: given.num_chapters_read,
    volumes: given.num_volumes_read,
    isRepeating: given.is_rereading,
    timesRepeated: given.num_times_reread,
    repeatValue: given.reread_value,
  })
}

/** The same for entries of either kind. */
export const anyChange = z.object({
  status: z.enum([...new Set([...statuses.anime, ...statuses.manga])]).optional(),
  progress: count.describe('Episodes or chapters'),
  volumes: count,
  repeating: z.boolean().optional(),
  times_repeated: count,
  repeat_value: rank(5),
  ...shared(),
})

export function readAnyChange(kind: Kind, given: z.output<typeof anyChange>): Change {
  const { progress, volumes, repeating, times_repeated: timesRepeated, repeat_value: repeatValue } = given
  const rest = readShared(given)
  return defined({
    ...rest,
    status: rest.status === undefined ? undefined : statusOf(kind, rest.status),
    progress,
    volumes,
    isRepeating: repeating,
    timesRepeated,
    repeatValue,
  })
}

export const tagList = tagNames

/** What one kind calls `watching`, the other calls `reading`; whoever says the one word means the same of both. */
function statusOf(kind: Kind, status: string): string {
  const at = Math.max(
    statuses.anime.findIndex((one) => one === status),
    statuses.manga.findIndex((one) => one === status),
  )
  return statuses[kind][at] ?? status
}

function shared() {
  return {
    score: z.int().min(0).max(10).describe('0 clears').optional(),
    priority: rank(2),
    start_date: date,
    finish_date: date,
    tags: tagNames.describe('All of them').optional(),
    comments: z.string().max(20_000).optional(),
  }
}

interface SharedGiven {
  readonly status?: string | undefined
  readonly score?: number | undefined
  readonly priority?: number | undefined
  readonly start_date?: string | undefined
  readonly finish_date?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly comments?: string | undefined
}

function readShared({ status, score, priority, start_date, finish_date, tags, comments }: SharedGiven) {
  return { status, score, priority, startDate: start_date, finishDate: finish_date, tags, comments }
}

function rank(most: number) {
  return z.int().min(0).max(most).optional()
}

/** Only what is named is changed. */
function defined(given: { readonly [Name in keyof Change]?: Change[Name] | undefined }): Change {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
