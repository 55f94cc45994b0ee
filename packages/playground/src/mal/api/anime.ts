import { airsIn } from '../catalogue/anime.ts'
import { seasonNames, type Work } from '../catalogue/work.ts'
import { requireViewer, type ApiNeeds, type Endpoint } from './call.ts'
import { page, readWindow } from './envelope.ts'
import { badRequest } from './errors.ts'
import { animeRow } from './kinds.ts'
import { showNode } from './nodes.ts'
import { readKey } from './params.ts'
import { sceneOf, shown, workEndpoints } from './works.ts'

/** The anime half: what manga have too, and the seasons and suggestions that only anime have. */
export function animeEndpoints(needs: ApiNeeds): Endpoint[] {
  const shelf = needs.catalogue.shelf('anime')
  return [
    {
      method: 'GET',
      path: '/anime/season/:year/:season',
      auth: 'any',
      handle(call) {
        const { params, url } = call.exchange
        const season = seasonNames.find((name) => name === params['season'])
        if (!season) throw badRequest('invalid season')
        if (!/^\d{4}$/.test(params['year'] ?? '')) throw badRequest('invalid year')
        const year = Number(params['year'])
        const order = readKey(url.searchParams, 'sort', seasonSorts) ?? seasonSorts.anime_num_list_users
        const window = readWindow(call.exchange, 500)
        const scene = sceneOf(needs, animeRow, call)
        return page(call.exchange, window, {
          items: shown(call, shelf.works())
            .filter((work) => airsIn(work, year, season))
            .sort((a, b) => order(b) - order(a)),
          show: (work) => ({ node: showNode(scene, work, call.asked) }),
          beside: { season: { year, season } },
        })
      },
    },
    {
      method: 'GET',
      path: '/anime/suggestions',
      auth: 'user',
      handle(call) {
        const list = needs.library.listOf(requireViewer(call), 'anime')
        const window = readWindow(call.exchange, 100)
        const scene = sceneOf(needs, animeRow, call)
        return page(call.exchange, window, {
          // Nothing is known of somebody whose list is empty.
          items: list.ids().length === 0 ? [] : shown(call, shelf.works()).filter(({ id }) => !list.find(id)),
          show: (work) => ({ node: showNode(scene, work, call.asked) }),
        })
      },
    },
    ...workEndpoints(needs, animeRow),
  ]
}

const seasonSorts = {
  anime_score: (work: Work) => work.mean ?? 0,
  anime_num_list_users: (work: Work) => work.members,
}
