import type { Fields } from '../api/fields.ts'
import { chanceOf } from './chance.ts'
import { makeStudio } from './words.ts'
import { seasonNames, type Vocabulary, type Work } from './work.ts'

/** The values of the anime half, those that MyAnimeList uses without documenting them too. */
export const animeWords: Vocabulary = {
  kind: 'anime',
  mediaTypes: ['tv', 'movie', 'ova', 'special', 'ona', 'music', 'unknown', 'tv_special', 'cm', 'pv'],
  statuses: { over: ['finished_airing'], running: 'currently_airing', ahead: 'not_yet_aired' },
  maxLength: 52,
}

const ratings = ['g', 'pg', 'pg_13', 'r', 'r+'] as const
const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday', 'other'] as const
const sources = [
  'original',
  'manga',
  '4_koma_manga',
  'web_manga',
  'digital_manga',
  'novel',
  'light_novel',
  'visual_novel',
  'game',
  'card_game',
  'book',
  'picture_book',
  'radio',
  'music',
  'mixed_media',
  'web_novel',
  'other',
] as const

/** The seconds of one episode; 0 where nobody knows. */
export function episodeSeconds({ index, mediaType }: Work): number {
  if (index % 31 === 30) return 0
  return mediaType === 'movie' ? 5_400 + (index % 40) * 60 : 1_380 + (index % 5) * 20
}

/** The fields that only anime have. */
export function animeFields(work: Work): Fields {
  const { index, season, length, oddity } = work
  return {
    num_episodes: () => length,
    start_season: () => (season ? { ...season } : undefined),
    broadcast: () =>
      work.mediaType === 'tv' || work.status === animeWords.statuses.running ? broadcast(index) : undefined,
    source: () => sources[index % sources.length],
    average_episode_duration: () => episodeSeconds(work),
    rating: () => (oddity.nsfw === 'black' ? 'rx' : ratings[index % ratings.length]),
    studios: () => (oddity.alone === true ? [] : [makeStudio(chanceOf(`studio/${index}`))]),
  }
}

/** The fields that MyAnimeList gives for one anime and never in a list. */
export function animeDetails(work: Work): Fields {
  const { id, index } = work
  return {
    statistics: () => statistics(work),
    opening_themes: () => [
      { id: id * 10, anime_id: id, text: `"Nine Lanterns ${index}" by The Tin Kettles (eps 1-12)` },
    ],
    ending_themes: () => (index % 2 === 0 ? [] : [{ id: id * 10 + 1, anime_id: id, text: '"Last Ferry" by Oskune' }]),
  }
}

/** Half of them have a day and no time. */
function broadcast(index: number) {
  const day_of_the_week = days[index % days.length] ?? 'other'
  if (index % 4 >= 2) return { day_of_the_week }
  return { day_of_the_week, start_time: `${String(index % 24).padStart(2, '0')}:30` }
}

/** The counts come as strings, all but the sum. */
function statistics({ members }: Work) {
  const share = (percent: number) => String(Math.floor((members * percent) / 100))
  return {
    num_list_users: members,
    status: {
      watching: share(10),
      completed: share(50),
      on_hold: share(5),
      dropped: share(5),
      plan_to_watch: share(30),
    },
  }
}

/** Whether an anime belongs on the page of a season: it began then, or just before and goes on. */
export function airsIn({ season, status, length }: Work, year: number, name: string): boolean {
  if (!season) return false
  const asked = year * 4 + seasonNames.findIndex((one) => one === name)
  const began = season.year * 4 + seasonNames.indexOf(season.season)
  if (began === asked) return true
  return status === 'currently_airing' && began === asked - 1 && (length === 0 || length > 13)
}
