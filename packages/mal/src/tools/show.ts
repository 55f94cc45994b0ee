import type { Kind, Noted, WholeList, Work } from '../list/entry.ts'
import { oneLine } from '../list/one-line.ts'
import type { Found, Page } from '../session.ts'

const SYNOPSIS = 200

/** A work in the form of `workShape`; what is not known is left out. */
export function showWork(work: Work) {
  return {
    id: work.id,
    title: work.title,
    title_en: work.englishTitle === work.title ? undefined : work.englishTitle,
    media_type: work.mediaType,
    year: work.year,
    ...(work.kind === 'anime' ? { num_episodes: work.units } : { num_chapters: work.units, num_volumes: work.volumes }),
    mean: work.mean,
    genres: work.genres,
  }
}

/** Everything that a list tells of a work, in the words of the details where they have one. */
export function showAllOf(work: Work) {
  const { kind, synonyms, broadcast, studios, authors } = work
  return {
    ...showWork(work),
    title_ja: work.japaneseTitle,
    synonyms: synonyms.length > 0 ? synonyms : undefined,
    airing_status: work.state,
    season: work.season,
    work_start_date: work.startDate,
    work_end_date: work.endDate,
    rank: work.rank,
    popularity: work.popularity,
    num_list_users: work.listUsers,
    num_scoring_users: work.scoringUsers,
    source: work.source,
    rating: work.rating,
    nsfw: work.nsfw,
    picture: work.picture,
    broadcast: broadcast && [broadcast.day, broadcast.time].filter(Boolean).join(' '),
    episode_minutes: work.episodeSeconds === undefined ? undefined : Math.round(work.episodeSeconds / 6) / 10,
    studios: kind === 'anime' ? studios : undefined,
    authors: kind === 'manga' ? authors : undefined,
  }
}

/** An entry in the form of `notedShape`, in MyAnimeList's words; what says nothing is left out. */
export function showNoted(kind: Kind, noted: Noted) {
  const repeated = noted.timesRepeated || undefined
  const value = noted.repeatValue || undefined
  return {
    status: noted.status,
    score: noted.score,
    ...(kind === 'anime'
      ? {
          num_episodes_watched: noted.progress,
          is_rewatching: noted.isRepeating || undefined,
          num_times_rewatched: repeated,
          rewatch_value: value,
        }
      : {
          num_chapters_read: noted.progress,
          num_volumes_read: noted.volumes,
          is_rereading: noted.isRepeating || undefined,
          num_times_reread: repeated,
          reread_value: value,
        }),
    start_date: noted.startDate,
    finish_date: noted.finishDate,
    priority: noted.priority || undefined,
    tags: noted.tags.length > 0 ? noted.tags : undefined,
    comments: noted.comments || undefined,
    updated_at: noted.updatedAt,
  }
}

/** One line of text: `Title (id 1, tv, 2015, 12 ep, mean 7.9)`. */
export function lineOf(work: Work): string {
  const facts = [
    `id ${work.id}`,
    work.mediaType,
    work.year,
    work.units === undefined ? undefined : `${work.units} ${work.kind === 'anime' ? 'ep' : 'ch'}`,
    work.mean === undefined ? undefined : `mean ${work.mean}`,
  ]
  return `${oneLine(work.title)} (${facts.filter((fact) => fact !== undefined).join(', ')})`
}

/** `watching 3/12, score 8`. */
export function progressOf(noted: Noted, work: Work): string {
  const score = noted.score === undefined ? 'not scored' : `score ${noted.score}`
  const volumes = noted.volumes > 0 ? ` (volume ${noted.volumes}/${work.volumes ?? '?'})` : ''
  const again = work.kind === 'anime' ? 'rewatching' : 'rereading'
  return `${noted.status} ${noted.progress}/${work.units ?? '?'}${volumes}, ${score}${noted.isRepeating ? `, ${again}` : ''}`
}

/** The first line of whatever counts on a list that was not read to its end. */
export function warningOf({ entries, truncated }: WholeList): string | undefined {
  if (!truncated) return undefined
  return `WARNING: the list goes on; only its first ${entries.length} entries were read, and everything below is about these.`
}

/** The first words, up to about `length` characters; letters beyond the 16 bits stay whole. */
export function beginning(text: string, length: number): string {
  const letters = Array.from(text)
  if (letters.length <= length) return text
  const cut = letters.slice(0, length).join('')
  const space = cut.lastIndexOf(' ')
  return `${space > length / 2 ? cut.slice(0, space) : cut}…`
}

/** The first line of a page: what there is, and where it goes on. */
export function pageLine(what: string, offset: number, nextOffset: number | undefined): string {
  return `${what} from ${offset}; ${nextOffset === undefined ? 'no more' : `more from offset ${nextOffset}`}`
}

/** In the form of `foundShape`. */
function showFound({ work, synopsis, noted, rank }: Found) {
  return {
    ...showWork(work),
    airing_status: work.state,
    rank: rank ?? work.rank,
    synopsis: synopsis === undefined ? undefined : beginning(synopsis, SYNOPSIS),
    my_status: noted?.status,
    my_score: noted?.score,
  }
}

/** One line of text: the work, whether it is on the own list, and the beginning of what it is about. */
function foundLine({ work, synopsis, noted, rank }: Found): string {
  const place = rank === undefined ? '' : `${rank}. `
  const own = noted ? ` [on the list: ${progressOf(noted, work)}]` : ''
  return `${place}${lineOf(work)}${own}${synopsis === undefined ? '' : `: ${oneLine(beginning(synopsis, SYNOPSIS))}`}`
}

/** A page of what was found, in both forms. */
export function showFoundPage({ items, nextOffset }: Page<Found>, { offset, what }: { offset: number; what: string }) {
  return {
    data: {
      count: items.length,
      offset,
      has_more: nextOffset !== undefined,
      next_offset: nextOffset,
      results: items.map(showFound),
    },
    lines: [pageLine(`${items.length} ${what}`, offset, nextOffset), ...items.map(foundLine)],
  }
}
