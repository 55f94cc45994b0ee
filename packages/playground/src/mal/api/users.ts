import { episodeSeconds } from '../catalogue/anime.ts'
import type { ListStatus, UserList } from '../catalogue/lists.ts'
import { json, type Reply } from '../server/exchange.ts'
import { requireViewer, type ApiNeeds, type Call, type Endpoint } from './call.ts'
import { badRequest } from './errors.ts'
import { project, type Fields, type JsonObject } from './fields.ts'

/** The viewer's own profile; that of anybody else cannot be had. */
export function userEndpoints(needs: ApiNeeds): Endpoint[] {
  return [{ method: 'GET', path: '/users/:name', auth: 'user', handle: (call) => showUser(needs, call) }]
}

function showUser({ library }: ApiNeeds, call: Call): Reply {
  const user = requireViewer(call)
  if (call.exchange.params['name'] !== '@me') throw badRequest('invalid user_name')
  const { profile } = user
  const fields: Fields = {
    id: () => user.id,
    name: () => user.name,
    picture: () => (profile ? `${call.exchange.origin}/images/users/${user.id}.svg` : undefined),
    gender: () => profile?.gender,
    birthday: () => profile?.birthday,
    location: () => profile?.location,
    joined_at: () => user.joinedAt,
    time_zone: () => profile?.time_zone,
    is_supporter: () => (user.isSupporter ? true : undefined),
    anime_statistics: () => statistics(library.listOf(user, 'anime')),
  }
  return json(project(fields, call.asked, ['id', 'name', 'picture', 'gender', 'birthday', 'location', 'joined_at']))
}

const names: Readonly<Record<ListStatus, string>> = {
  now: 'watching',
  completed: 'completed',
  on_hold: 'on_hold',
  dropped: 'dropped',
  later: 'plan_to_watch',
}

/** Adds up the whole list. Days are counted by the episodes watched, and there are none for what is planned. */
function statistics(list: UserList): JsonObject {
  const items: Record<string, number> = {}
  const days: Record<string, number> = {}
  for (const name of Object.values(names)) {
    items[`num_items_${name}`] = 0
    if (name !== 'plan_to_watch') days[`num_days_${name}`] = 0
  }
  const sums = { items: 0, days: 0, episodes: 0, again: 0, scores: 0, scored: 0 }

  for (const id of list.ids()) {
    const entry = list.find(id)
    const work = list.shelf.find(id)
    if (!entry || !work) continue
    const name = names[entry.status]
    const spent = (entry.progress * episodeSeconds(work)) / 86_400
    items[`num_items_${name}`] = (items[`num_items_${name}`] ?? 0) + 1
    if (name !== 'plan_to_watch') days[`num_days_${name}`] = (days[`num_days_${name}`] ?? 0) + spent
    sums.items += 1
    sums.days += spent
    sums.episodes += entry.progress
    sums.again += entry.timesAgain
    sums.scores += entry.score
    sums.scored += Number(entry.score > 0)
  }

  return {
    ...items,
    num_items: sums.items,
    num_days_watched: round(sums.days),
    ...Object.fromEntries(Object.entries(days).map(([name, value]) => [name, round(value)])),
    num_days: round(sums.days),
    num_episodes: sums.episodes,
    num_times_rewatched: sums.again,
    mean_score: sums.scored === 0 ? 0 : round(sums.scores / sums.scored),
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
