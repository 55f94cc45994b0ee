import { asList, asNumber, asObject, asPositive, asText, namesOf } from './read.ts'

/** What lists, search and detail say of an anime alike. */
export interface Anime {
  readonly id: number
  readonly title: string
  readonly englishTitle: string | undefined
  readonly mediaType: string | undefined
  readonly airing: string | undefined
  /** 0 at MyAnimeList means that nobody knows yet. */
  readonly episodes: number | undefined
  readonly episodeSeconds: number | undefined
  readonly year: number | undefined
  readonly mean: number | undefined
  readonly genres: readonly string[]
  readonly studios: readonly string[]
}

/** What the user has noted about an anime. */
export interface ListStatus {
  readonly status: string
  /** 1 to 10; absent where the user gave none. */
  readonly score: number | undefined
  readonly watched: number
  readonly isRewatching: boolean
  readonly timesRewatched: number
  readonly startDate: string | undefined
  readonly finishDate: string | undefined
  readonly updatedAt: string | undefined
  readonly tags: readonly string[]
}

export type ListEntry = Anime & { readonly list: ListStatus }

/** The entries of one page of a list. What has no id is left out, everything else may be missing. */
export function readListPage(page: Record<string, unknown>): ListEntry[] {
  return asList(page['data']).flatMap((item) => {
    const member = asObject(item)
    const anime = readAnime(member?.['node'])
    return anime ? { ...anime, list: readListStatus(member?.['list_status']) ?? nothingNoted } : []
  })
}

export function readAnime(value: unknown): Anime | undefined {
  const node = asObject(value)
  const id = asNumber(node?.['id'])
  if (node === undefined || id === undefined) return undefined
  return {
    id,
    title: asText(node['title']) ?? `Anime ${id}`,
    englishTitle: asText(asObject(node['alternative_titles'])?.['en']),
    mediaType: asText(node['media_type']),
    airing: asText(node['status']),
    episodes: asPositive(node['num_episodes']),
    episodeSeconds: asPositive(node['average_episode_duration']),
    year: readYear(node),
    mean: asPositive(node['mean']),
    genres: namesOf(node['genres']),
    studios: namesOf(node['studios']),
  }
}

/** `undefined` where the anime is not on the list, or was not asked for. */
export function readListStatus(value: unknown): ListStatus | undefined {
  const status = asObject(value)
  if (status === undefined) return undefined
  return {
    status: asText(status['status']) ?? 'unknown',
    score: asPositive(status['score']),
    watched: asPositive(status['num_episodes_watched']) ?? 0,
    isRewatching: status['is_rewatching'] === true,
    timesRewatched: asPositive(status['num_times_rewatched']) ?? 0,
    startDate: asText(status['start_date']),
    finishDate: asText(status['finish_date']),
    updatedAt: asText(status['updated_at']),
    tags: asList(status['tags']).flatMap((tag) => asText(tag) ?? []),
  }
}

/** The address of the next page, checked by whoever follows it. */
export function readNext(page: Record<string, unknown>): string | undefined {
  return asText(asObject(page['paging'])?.['next'])
}

const nothingNoted: ListStatus = {
  status: 'unknown',
  score: undefined,
  watched: 0,
  isRewatching: false,
  timesRewatched: 0,
  startDate: undefined,
  finishDate: undefined,
  updatedAt: undefined,
  tags: [],
}

/** Dates are `YYYY-MM-DD`, `YYYY-MM` or `YYYY`. */
function readYear(node: Record<string, unknown>): number | undefined {
  return asPositive(asObject(node['start_season'])?.['year']) ?? asPositive(asText(node['start_date'])?.slice(0, 4))
}
