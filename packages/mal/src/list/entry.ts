/** The two kinds of list that MyAnimeList keeps. */
export const kinds = ['anime', 'manga'] as const
export type Kind = (typeof kinds)[number]

/**
 * What is known of one anime or manga, read leniently: MyAnimeList adds fields and values without notice and leaves
 * out what it has not computed. What is not known is `undefined`, never 0 and never "".
 */
export interface Work {
  readonly kind: Kind
  readonly id: number
  /** The main title, whole: it is never cut. */
  readonly title: string
  readonly englishTitle: string | undefined
  readonly japaneseTitle: string | undefined
  readonly synonyms: readonly string[]
  /** `tv`, `movie`, …; `manga`, `light_novel`, …; new ones may come. */
  readonly mediaType: string | undefined
  /** `finished_airing`, `currently_airing`, …; `finished`, `on_hiatus`, … */
  readonly state: string | undefined
  /** Episodes of an anime, chapters of a manga. */
  readonly units: number | undefined
  /** Volumes of a manga. */
  readonly volumes: number | undefined
  readonly episodeSeconds: number | undefined
  /** The year it started in, from the season or the start date. */
  readonly year: number | undefined
  readonly season: 'winter' | 'spring' | 'summer' | 'fall' | undefined
  /** `YYYY-MM-DD`, `YYYY-MM` or `YYYY`. */
  readonly startDate: string | undefined
  readonly endDate: string | undefined
  /** When an anime is on in Japan. */
  readonly broadcast: Broadcast | undefined
  /** The community's mean score, 1 to 10. */
  readonly mean: number | undefined
  readonly rank: number | undefined
  readonly popularity: number | undefined
  /** How many users have it on their list. */
  readonly listUsers: number | undefined
  readonly scoringUsers: number | undefined
  readonly genres: readonly string[]
  /** Studios of an anime. */
  readonly studios: readonly string[]
  /** Authors of a manga, `First Last`. */
  readonly authors: readonly string[]
  readonly source: string | undefined
  /** `g`, `pg`, `pg_13`, `r`, `r+`, `rx`. */
  readonly rating: string | undefined
  /** `white`, `gray`, `black`. */
  readonly nsfw: string | undefined
  /** Address of the cover. */
  readonly picture: string | undefined
}

export interface Broadcast {
  /** `monday` to `sunday` in Japan, or `other`. */
  readonly day: string
  /** `HH:MM` in Japan. */
  readonly time: string | undefined
}

/** What a user has noted about a work. */
export interface Noted {
  /** `watching` or `reading`, `completed`, `on_hold`, `dropped`, `plan_to_watch` or `plan_to_read`. */
  readonly status: string
  /** 1 to 10; absent where the user gave none. */
  readonly score: number | undefined
  /** Episodes watched, chapters read. */
  readonly progress: number
  /** Volumes read; 0 for an anime. */
  readonly volumes: number
  readonly isRepeating: boolean
  readonly timesRepeated: number
  /** 0 (none) to 5. */
  readonly repeatValue: number
  /** 0 (low) to 2 (high). */
  readonly priority: number
  readonly startDate: string | undefined
  readonly finishDate: string | undefined
  readonly tags: readonly string[]
  /** MyAnimeList tells comments of one entry only, not in lists: `undefined` where they were not asked for. */
  readonly comments: string | undefined
  /** ISO 8601. */
  readonly updatedAt: string | undefined
}

/** An entry that says nothing. */
export const blank: Noted = {
  status: '',
  score: undefined,
  progress: 0,
  volumes: 0,
  isRepeating: false,
  timesRepeated: 0,
  repeatValue: 0,
  priority: 0,
  startDate: undefined,
  finishDate: undefined,
  tags: [],
  comments: undefined,
  updatedAt: undefined,
}

export interface ListEntry {
  readonly work: Work
  readonly noted: Noted
}

/** A whole list, or as much of it as may be read. */
export interface WholeList {
  readonly kind: Kind
  readonly entries: readonly ListEntry[]
  /** Whether the list goes on after the last of `entries`. */
  readonly truncated: boolean
  /** When MyAnimeList was asked, in milliseconds; older than now where the answer was kept. */
  readonly readAt: number
}

/** The states an entry can be in, in MyAnimeList's own order and words. */
export const statuses = {
  anime: ['watching', 'completed', 'on_hold', 'dropped', 'plan_to_watch'],
  manga: ['reading', 'completed', 'on_hold', 'dropped', 'plan_to_read'],
} as const satisfies Record<Kind, readonly string[]>
