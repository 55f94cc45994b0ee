import type { Kind } from '../list/entry.ts'
import { words } from './words.ts'

/**
 * The `fields` of each request. MyAnimeList sends only id, title and picture unless asked, so that everything a tool
 * may show is named here, and a whole list needs no request for a single work.
 */
interface FieldsOf {
  readonly list: string
  readonly search: string
  readonly detail: string
  /** The own entry alone, with what says how far it can go. */
  readonly entry: string
}

/** What lists, search, rankings and seasons tell of a work alike. */
const shared =
  'alternative_titles,start_date,end_date,mean,rank,popularity,num_list_users,num_scoring_users,nsfw,media_type,' +
  'status,genres'

const own: Readonly<Record<Kind, string>> = {
  anime: 'num_episodes,average_episode_duration,start_season,broadcast,source,rating,studios',
  manga: 'num_volumes,num_chapters,authors{first_name,last_name}',
}

const related = 'mean,media_type,status,start_date'
const detailed: Readonly<Record<Kind, string>> = {
  anime: `statistics,opening_themes,ending_themes,related_anime{${related}},recommendations{${related}}`,
  manga: `serialization{name},related_manga{${related}},recommendations{${related}}`,
}

function fieldsOf(kind: Kind): FieldsOf {
  const { progress, volumes, isRepeating, timesRepeated, repeatValue } = words[kind]
  const noted = [
    'status,score',
    progress.read,
    ...(volumes === undefined ? [] : [volumes]),
    isRepeating,
    'start_date,finish_date',
    timesRepeated,
    repeatValue,
    'priority,tags,updated_at',
  ].join(',')
  const work = `${shared},${own[kind]}`
  return {
    list: `list_status{${noted}},${work}`,
    search: `synopsis,my_list_status{${noted}},${work}`,
    detail: `synopsis,background,pictures,num_favorites,my_list_status{${noted},comments},${work},${detailed[kind]}`,
    entry: `my_list_status{${noted},comments},${kind === 'anime' ? 'num_episodes' : 'num_volumes,num_chapters'}`,
  }
}

export const fields: Readonly<Record<Kind, FieldsOf>> = { anime: fieldsOf('anime'), manga: fieldsOf('manga') }

export const USER_FIELDS = 'id,name,picture,gender,birthday,location,joined_at,time_zone,is_supporter,anime_statistics'
