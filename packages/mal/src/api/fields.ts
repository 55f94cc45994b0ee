/**
 * The `fields` of each request. MyAnimeList sends only id, title and picture unless asked, so that everything a tool
 * shows is named here, and a whole list needs no request for a single anime.
 */

const entry = 'status,score,num_episodes_watched,is_rewatching,start_date,finish_date,num_times_rewatched,updated_at'

export const LIST_FIELDS = [
  `list_status{${entry},tags}`,
  'alternative_titles,media_type,status,num_episodes,average_episode_duration',
  'start_season,start_date,mean,genres,studios',
].join(',')

export const SEARCH_FIELDS = [
  'alternative_titles,synopsis,mean,rank,media_type,status,num_episodes,start_season,start_date,genres',
  'my_list_status{status,score,num_episodes_watched}',
].join(',')

export const DETAIL_FIELDS = [
  'alternative_titles,synopsis,background,mean,rank,popularity,num_list_users,num_scoring_users,nsfw,media_type,status',
  'num_episodes,average_episode_duration,start_season,start_date,end_date,broadcast,source,rating,genres,studios',
  'related_anime{media_type},recommendations,statistics',
  `my_list_status{${entry},priority,rewatch_value,tags,comments}`,
].join(',')
