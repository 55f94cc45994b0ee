import { blank, type Broadcast, type Kind, type ListEntry, type Noted, type Work } from '../list/entry.ts'
import type { Detail, Found } from '../session.ts'
import { asList, asNumber, asObject, asPositive, asText, namesOf } from '#kit/read'
import { createSharing } from './sharing.ts'
import { words } from './words.ts'

/** The entries of one page of a list. What has no id is left out, everything else may be missing. */
export function readEntries(kind: Kind, page: Record<string, unknown>, sharing = createSharing()): ListEntry[] {
  return asList(page['data']).flatMap((item) => {
    const member = asObject(item)
    const work = readWork(kind, member?.['node'], sharing)
    return work ? [{ work, noted: readNoted(kind, member?.['list_status'], sharing) ?? nothingNoted }] : []
  })
}

/** What a search, a ranking or a season found. */
export function readFound(kind: Kind, page: Record<string, unknown>): Found[] {
  return asList(page['data']).flatMap((item) => {
    const member = asObject(item)
    const node = asObject(member?.['node'])
    const work = readWork(kind, node)
    if (node === undefined || work === undefined) return []
    const ranking = asObject(member?.['ranking'])
    return {
      work,
      synopsis: asText(node['synopsis']),
      noted: readNoted(kind, node['my_list_status']),
      rank: asPositive(ranking?.['rank']),
      previousRank: asPositive(ranking?.['previous_rank']),
    }
  })
}

/** `undefined` where it is not the description of a work. */
export function readDetail(kind: Kind, node: Record<string, unknown>): Detail | undefined {
  const work = readWork(kind, node)
  if (work === undefined) return undefined
  return {
    work,
    synopsis: asText(node['synopsis']),
    background: asText(node['background'])?.trim(),
    related: [...readRelated('anime', node['related_anime']), ...readRelated('manga', node['related_manga'])],
    recommendations: asList(node['recommendations']).flatMap((item) => {
      const recommended = readWork(kind, asObject(item)?.['node'])
      return recommended ? [{ work: recommended, votes: asNumber(asObject(item)?.['num_recommendations']) ?? 0 }] : []
    }),
    usersByStatus: readCounts(asObject(node['statistics'])?.['status']),
    pictures: asList(node['pictures']).flatMap((one) => pictureOf(one) ?? []),
    openings: textsOf(node['opening_themes']),
    endings: textsOf(node['ending_themes']),
    serialization: asList(node['serialization']).flatMap((item) => namesOf([asObject(item)?.['node']])),
    noted: readNoted(kind, node['my_list_status']),
    raw: node,
  }
}

export function readWork(kind: Kind, value: unknown, { text, texts, share } = createSharing()): Work | undefined {
  const node = asObject(value)
  const id = asNumber(node?.['id'])
  if (node === undefined || id === undefined) return undefined
  const titles = asObject(node['alternative_titles'])
  const season = asObject(node['start_season'])
  return {
    kind,
    id,
    title: asText(node['title']) ?? `${kind === 'anime' ? 'Anime' : 'Manga'} ${id}`,
    englishTitle: asText(titles?.['en']),
    japaneseTitle: asText(titles?.['ja']),
    synonyms: texts(asList(titles?.['synonyms']).flatMap((synonym) => asText(synonym) ?? [])),
    mediaType: text(asText(node['media_type'])),
    state: text(asText(node['status'])),
    units: asPositive(node[words[kind].units]),
    volumes: asPositive(node['num_volumes']),
    episodeSeconds: asPositive(node['average_episode_duration']),
    // Dates are YYYY-MM-DD, YYYY-MM or YYYY.
    year: asPositive(season?.['year']) ?? asPositive(asText(node['start_date'])?.slice(0, 4)),
    season: seasons.find((name) => name === season?.['season']),
    startDate: text(asText(node['start_date'])),
    endDate: text(asText(node['end_date'])),
    broadcast: share(readBroadcast(node['broadcast'])),
    mean: asPositive(node['mean']),
    rank: asPositive(node['rank']),
    popularity: asPositive(node['popularity']),
    listUsers: asNumber(node['num_list_users']),
    scoringUsers: asNumber(node['num_scoring_users']),
    genres: texts(namesOf(node['genres'])),
    studios: texts(namesOf(node['studios'])),
    authors: texts(asList(node['authors']).flatMap((item) => fullNameOf(asObject(item)?.['node']) ?? [])),
    source: text(asText(node['source'])),
    rating: text(asText(node['rating'])),
    nsfw: text(asText(node['nsfw'])),
    picture: pictureOf(node['main_picture']),
  }
}

/** `undefined` where the work is not on the list, or was not asked for. */
export function readNoted(kind: Kind, value: unknown, { text, texts } = createSharing()): Noted | undefined {
  const status = asObject(value)
  if (status === undefined) return undefined
  const { progress, volumes, isRepeating, timesRepeated, repeatValue } = words[kind]
  return {
    status: text(asText(status['status'])) ?? 'unknown',
    score: asPositive(status['score']),
    progress: asPositive(status[progress.read]) ?? 0,
    volumes: (volumes === undefined ? undefined : asPositive(status[volumes])) ?? 0,
    isRepeating: status[isRepeating] === true,
    timesRepeated: asPositive(status[timesRepeated]) ?? 0,
    repeatValue: asPositive(status[repeatValue]) ?? 0,
    priority: asPositive(status['priority']) ?? 0,
    startDate: text(asText(status['start_date'])),
    finishDate: text(asText(status['finish_date'])),
    tags: texts(asList(status['tags']).flatMap((tag) => asText(tag) ?? [])),
    comments: typeof status['comments'] === 'string' ? status['comments'] : undefined,
    updatedAt: asText(status['updated_at']),
  }
}

/** The address of the next page, checked by whoever follows it. */
export function readNext(page: Record<string, unknown>): string | undefined {
  return asText(asObject(page['paging'])?.['next'])
}

const seasons = ['winter', 'spring', 'summer', 'fall'] as const

const nothingNoted: Noted = { ...blank, status: 'unknown' }

function readBroadcast(value: unknown): Broadcast | undefined {
  const broadcast = asObject(value)
  const day = asText(broadcast?.['day_of_the_week'])
  return day === undefined ? undefined : { day, time: asText(broadcast?.['start_time']) }
}

function readRelated(kind: Kind, value: unknown): Detail['related'] {
  return asList(value).flatMap((item) => {
    const member = asObject(item)
    const work = readWork(kind, member?.['node'])
    const relation = asText(member?.['relation_type_formatted']) ?? asText(member?.['relation_type']) ?? 'related'
    return work ? [{ work, relation }] : []
  })
}

/** The counts come as strings. */
function readCounts(value: unknown): Record<string, number> {
  const counts = Object.entries(asObject(value) ?? {}).flatMap(([name, count]) => {
    const number = asNumber(count)
    return number === undefined ? [] : [[name, number] as const]
  })
  return Object.fromEntries(counts)
}

function textsOf(value: unknown): string[] {
  return asList(value).flatMap((item) => asText(asObject(item)?.['text']) ?? [])
}

function pictureOf(value: unknown): string | undefined {
  const picture = asObject(value)
  return asText(picture?.['large']) ?? asText(picture?.['medium'])
}

function fullNameOf(value: unknown): string | undefined {
  const person = asObject(value)
  const names = [asText(person?.['first_name']), asText(person?.['last_name'])].filter((name) => name !== undefined)
  return names.length === 0 ? undefined : names.join(' ')
}
