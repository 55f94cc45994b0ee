import type { Urgency } from '#kit/queue'
import type { Kind, ListEntry, Noted, WholeList, Work } from './list/entry.ts'

/** One page of something; `nextOffset` is absent on the last. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextOffset: number | undefined
}

export interface PageRequest {
  readonly limit: number
  readonly offset: number
}

/** Everything MyAnimeList tells of one work. */
export interface Detail {
  readonly work: Work
  readonly synopsis: string | undefined
  readonly background: string | undefined
  readonly related: readonly { readonly work: Work; readonly relation: string }[]
  readonly recommendations: readonly { readonly work: Work; readonly votes: number }[]
  /** How many users hold it in each state. */
  readonly usersByStatus: Readonly<Record<string, number>>
  readonly pictures: readonly string[]
  readonly openings: readonly string[]
  readonly endings: readonly string[]
  readonly serialization: readonly string[]
  /** The caller's own entry, with comments; absent where it is not on their list. */
  readonly noted: Noted | undefined
  /** What came, unread: for those who ask for all fields. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** What is to change in an entry, in our words; only what is named is sent. "" as a date and [] as tags clear. */
export interface Change {
  readonly status?: string
  readonly score?: number
  readonly progress?: number
  readonly volumes?: number
  readonly isRepeating?: boolean
  readonly timesRepeated?: number
  readonly repeatValue?: number
  readonly priority?: number
  readonly startDate?: string
  readonly finishDate?: string
  readonly tags?: readonly string[]
  readonly comments?: string
}

/**
 * Reads and writes as one account: queued, retried, cached, and served with its age where MyAnimeList is down.
 * Everything it throws is a `MalProblem`, or the reason the call's signal fired for.
 */
export interface MalSession {
  /** Who calls, from `/users/@me`, kept for an hour. */
  me(): Promise<User>
  search(kind: Kind, request: PageRequest & { readonly q: string; readonly nsfw: boolean }): Promise<Page<Found>>
  detail(kind: Kind, id: number): Promise<Detail>
  ranking(kind: Kind, request: PageRequest & { readonly type: string; readonly nsfw: boolean }): Promise<Page<Found>>
  season(request: PageRequest & SeasonRequest): Promise<Page<Found>>
  suggestions(request: PageRequest & { readonly nsfw: boolean }): Promise<Page<Found>>
  /** @param user `@me`, or somebody whose list is public. */
  listPage(kind: Kind, user: string, request: PageRequest & ListRequest): Promise<Page<ListEntry>>
  /**
   * The whole list in as few requests as there are, kept for 5 minutes; our own writes change what is kept. A `fresh`
   * one is asked for again, whatever is kept.
   */
  wholeList(kind: Kind, user?: string, how?: { readonly fresh: boolean }): Promise<WholeList>
  /** The caller's own entry as it is at this moment, with its comments: it is asked for each time and never kept. */
  entry(kind: Kind, id: number, urgency?: Urgency): Promise<OwnEntry>
  /**
   * Changes or creates an entry and answers what MyAnimeList now says of it. It verifies the reply.
   * @throws {MalProblem} `not_applied` where MyAnimeList took the request and changed something else than asked.
   */
  update(kind: Kind, id: number, change: Change, urgency?: Urgency): Promise<Noted>
  /** Removes an entry; one that is not there is removed already. */
  remove(kind: Kind, id: number, urgency?: Urgency): Promise<void>
  boards(): Promise<readonly BoardCategory[]>
  topics(request: PageRequest & TopicsRequest): Promise<Page<Topic>>
  topic(
    id: number,
    request: PageRequest,
  ): Promise<Page<Post> & { readonly title: string; readonly poll: Poll | undefined }>
}

/** A work, and what the caller has noted about it; `undefined` where it is not on their list. */
export interface OwnEntry {
  readonly work: Work
  readonly noted: Noted | undefined
}

/** Something that was found, with the caller's own entry where it is on their list. */
export interface Found {
  readonly work: Work
  readonly synopsis: string | undefined
  readonly noted: Noted | undefined
  readonly rank?: number | undefined
  readonly previousRank?: number | undefined
}

export interface SeasonRequest {
  readonly year: number
  readonly season: 'winter' | 'spring' | 'summer' | 'fall'
  readonly sort?: 'anime_score' | 'anime_num_list_users' | undefined
  readonly nsfw: boolean
}

export interface ListRequest {
  readonly status?: string | undefined
  readonly sort?: string | undefined
}

export interface User {
  readonly id: number
  readonly name: string
  readonly picture: string | undefined
  readonly gender: string | undefined
  readonly birthday: string | undefined
  readonly location: string | undefined
  readonly joinedAt: string | undefined
  readonly timeZone: string | undefined
  readonly isSupporter: boolean | undefined
  /** MyAnimeList's own count, in its own names. */
  readonly animeStatistics: Readonly<Record<string, number>>
}

export interface BoardCategory {
  readonly title: string
  readonly boards: readonly {
    readonly id: number
    readonly title: string
    readonly description: string
    readonly subboards: readonly { readonly id: number; readonly title: string }[]
  }[]
}

export interface TopicsRequest {
  readonly boardId?: number | undefined
  readonly subboardId?: number | undefined
  readonly q?: string | undefined
  readonly topicUserName?: string | undefined
  readonly userName?: string | undefined
}

export interface Topic {
  readonly id: number
  readonly title: string
  readonly createdAt: string | undefined
  readonly createdBy: string | undefined
  readonly posts: number
  readonly lastPostAt: string | undefined
  readonly lastPostBy: string | undefined
  readonly isLocked: boolean
}

export interface Post {
  readonly id: number
  readonly number: number
  readonly createdAt: string | undefined
  readonly createdBy: string | undefined
  /** BBCode and HTML as people wrote it: untrusted text. */
  readonly body: string
}

export interface Poll {
  readonly question: string
  readonly closed: boolean
  readonly options: readonly { readonly text: string; readonly votes: number }[]
}
