import type { ListEntry, ListStatus } from '../catalogue/lists.ts'
import type { Kind, Work } from '../catalogue/work.ts'

/** A ranking: who is in it, and by what it is sorted. */
export interface Ranking {
  fits(work: Work): boolean
  score(work: Work): number
}

export interface Ordered {
  readonly work: Work
  readonly entry: ListEntry
}

/** What anime and manga call the same things. */
export interface KindRow {
  readonly kind: Kind
  readonly statuses: Readonly<Record<string, ListStatus>>
  /** The names in an answer. `volumes` is what only manga have. */
  readonly shows: {
    readonly progress: string
    readonly volumes?: string
    readonly again: string
    readonly timesAgain: string
    readonly againValue: string
  }
  /** The names in a form where they differ: what is sent under the answer's name is overlooked. */
  readonly takes: { readonly progress: string; readonly volumes?: string }
  readonly rankings: Readonly<Record<string, Ranking>>
  readonly sorts: Readonly<Record<string, (a: Ordered, b: Ordered) => number>>
}

const sharedStatuses = { completed: 'completed', on_hold: 'on_hold', dropped: 'dropped' } as const
const byMean = (work: Work) => work.mean ?? 0
const isRated = (work: Work) => work.mean !== undefined

const sharedRankings = {
  all: { fits: isRated, score: byMean },
  bypopularity: { fits: () => true, score: (work) => work.members },
  favorite: { fits: (work) => work.favorites > 0, score: (work) => work.favorites },
} satisfies Record<string, Ranking>

const sharedSorts: KindRow['sorts'] = {
  list_score: (a, b) => b.entry.score - a.entry.score,
  list_updated_at: (a, b) => b.entry.updatedAt - a.entry.updatedAt,
}
const byTitle = (a: Ordered, b: Ordered) => compare(a.work.title, b.work.title)
const byStart = (a: Ordered, b: Ordered) => compare(b.work.startDate ?? '', a.work.startDate ?? '')

export const animeRow: KindRow = {
  kind: 'anime',
  statuses: { watching: 'now', ...sharedStatuses, plan_to_watch: 'later' },
  shows: {
    progress: 'num_episodes_watched',
    again: 'is_rewatching',
    timesAgain: 'num_times_rewatched',
    againValue: 'rewatch_value',
  },
  takes: { progress: 'num_watched_episodes' },
  rankings: {
    ...sharedRankings,
    airing: { fits: (work) => isRated(work) && work.status === 'currently_airing', score: byMean },
    upcoming: { fits: (work) => work.status === 'not_yet_aired', score: (work) => work.members },
    tv: ofType('tv'),
    ova: ofType('ova'),
    movie: ofType('movie'),
    special: ofType('special', 'tv_special'),
  },
  sorts: { ...sharedSorts, anime_title: byTitle, anime_start_date: byStart },
}

export const mangaRow: KindRow = {
  kind: 'manga',
  statuses: { reading: 'now', ...sharedStatuses, plan_to_read: 'later' },
  shows: {
    progress: 'num_chapters_read',
    volumes: 'num_volumes_read',
    again: 'is_rereading',
    timesAgain: 'num_times_reread',
    againValue: 'reread_value',
  },
  takes: { progress: 'num_chapters_read', volumes: 'num_volumes_read' },
  rankings: {
    ...sharedRankings,
    manga: ofType('manga'),
    novels: ofType('novel', 'light_novel'),
    oneshots: ofType('one_shot'),
    doujin: ofType('doujinshi'),
    manhwa: ofType('manhwa'),
    manhua: ofType('manhua'),
  },
  sorts: { ...sharedSorts, manga_title: byTitle, manga_start_date: byStart },
}

export const rows: Readonly<Record<Kind, KindRow>> = { anime: animeRow, manga: mangaRow }

function ofType(...types: readonly string[]): Ranking {
  return { fits: (work) => isRated(work) && types.includes(work.mediaType), score: byMean }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
