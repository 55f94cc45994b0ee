import type { Anime, ListStatus } from '../api/shapes.ts'

/** An anime in the form of `animeShape`; what is not known is left out. */
export function showAnime(anime: Anime) {
  return compact({
    id: anime.id,
    title: anime.title,
    title_en: anime.englishTitle === anime.title ? undefined : anime.englishTitle,
    media_type: anime.mediaType,
    year: anime.year,
    num_episodes: anime.episodes,
    mean: anime.mean,
    genres: anime.genres,
  })
}

/** A list entry in the form of `listShape`; what says nothing is left out. */
export function showListStatus(list: ListStatus) {
  return compact({
    status: list.status,
    score: list.score,
    num_episodes_watched: list.watched,
    is_rewatching: list.isRewatching || undefined,
    num_times_rewatched: list.timesRewatched || undefined,
    start_date: list.startDate,
    finish_date: list.finishDate,
    updated_at: list.updatedAt,
    tags: list.tags.length > 0 ? list.tags : undefined,
  })
}

/** One line of text: `Title (id 1, tv, 2015, 12 ep, mean 7.9)`. */
export function lineOf(anime: Anime): string {
  const facts = [
    `id ${anime.id}`,
    anime.mediaType,
    anime.year,
    anime.episodes === undefined ? undefined : `${anime.episodes} ep`,
    anime.mean === undefined ? undefined : `mean ${anime.mean}`,
  ]
  return `${oneLine(anime.title)} (${facts.filter((fact) => fact !== undefined).join(', ')})`
}

/** `watching 3/12, score 8`. */
export function progressOf(list: ListStatus, episodes: number | undefined): string {
  const score = list.score === undefined ? 'not scored' : `score ${list.score}`
  return `${list.status} ${list.watched}/${episodes ?? '?'}, ${score}${list.isRewatching ? ', rewatching' : ''}`
}

/** Keeps a line a line: titles may hold anything. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\t]+/g, ' ')
}

/** Leaves out what is `undefined`. */
export function compact<Shape extends object>(shape: Shape): { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> } {
  const kept: { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> } = {}
  for (const [key, value] of Object.entries(shape)) if (value !== undefined) Object.assign(kept, { [key]: value })
  return kept
}
