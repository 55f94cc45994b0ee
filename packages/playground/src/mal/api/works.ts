import type { Work } from '../catalogue/work.ts'
import type { ApiNeeds, Call, Endpoint } from './call.ts'
import { readWindow, page } from './envelope.ts'
import { badRequest, notFound } from './errors.ts'
import type { KindRow } from './kinds.ts'
import { showDetail, showNode, type Scene } from './nodes.ts'
import { readBoolean, readKey } from './params.ts'
import { json } from '../server/exchange.ts'

/** Search, ranking and detail, which are the same for anime and manga but for the names. */
export function workEndpoints(needs: ApiNeeds, row: KindRow): Endpoint[] {
  const shelf = needs.catalogue.shelf(row.kind)
  return [
    {
      method: 'GET',
      path: `/${row.kind}`,
      auth: 'any',
      handle(call) {
        const query = readQuery(call)
        const window = readWindow(call.exchange, 100)
        const items = search(shown(call, shelf.works()), query)
        const scene = sceneOf(needs, row, call)
        return page(call.exchange, window, { items, show: (work) => ({ node: showNode(scene, work, call.asked) }) })
      },
    },
    {
      method: 'GET',
      path: `/${row.kind}/ranking`,
      auth: 'any',
      handle(call) {
        const ranking = readKey(call.exchange.url.searchParams, 'ranking_type', row.rankings)
        if (!ranking) throw badRequest('invalid ranking_type')
        const window = readWindow(call.exchange, 500)
        const scene = sceneOf(needs, row, call)
        const items = shown(call, shelf.works())
          .filter((work) => ranking.fits(work))
          .sort((a, b) => ranking.score(b) - ranking.score(a))
        return page(call.exchange, window, {
          items,
          show: (work, position) => ({
            node: showNode(scene, work, call.asked),
            ranking: { rank: position + 1, ...(work.index % 3 === 0 && { previous_rank: position + 2 }) },
          }),
        })
      },
    },
    {
      method: 'GET',
      path: `/${row.kind}/:id`,
      auth: 'any',
      handle(call) {
        const work = requireWork(needs, row, call)
        return json(showDetail(sceneOf(needs, row, call), work, call.asked))
      },
    },
  ]
}

/** The entry that the path names. */
export function requireWork({ catalogue }: ApiNeeds, { kind }: KindRow, { exchange }: Call): Work {
  const id = exchange.params['id'] ?? ''
  const work = /^\d{1,9}$/.test(id) ? catalogue.shelf(kind).find(Number(id)) : undefined
  if (!work) throw notFound()
  return work
}

export function sceneOf({ catalogue, library }: ApiNeeds, { kind }: KindRow, { exchange, viewer }: Call): Scene {
  return { catalogue, origin: exchange.origin, list: viewer && library.listOf(viewer, kind) }
}

/** Leaves out what is not white, unless `nsfw=true` asks for it. */
export function shown({ exchange }: Call, works: readonly Work[]): Work[] {
  const all = readBoolean(exchange.url.searchParams, 'nsfw') ?? false
  return works.filter(({ nsfw }) => all || nsfw === 'white')
}

function readQuery({ exchange }: Call): string {
  const query = (exchange.url.searchParams.get('q') ?? '').trim()
  const { length } = Array.from(query)
  if (length < 3 || length > 64) throw badRequest('invalid q')
  return query.toLowerCase()
}

/** Best match first: the whole title, its beginning, any part of it, then single words of it. */
function search(works: readonly Work[], query: string): Work[] {
  const words = query.split(/\s+/)
  return works
    .map((work) => ({ work, score: Math.max(...namesOf(work).map((name) => match(name, query, words))) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.work.members - a.work.members)
    .map(({ work }) => work)
}

function namesOf({ title, en, ja, synonyms }: Work): string[] {
  return [title, en, ja, ...synonyms].map((name) => name.toLowerCase())
}

function match(name: string, query: string, words: readonly string[]): number {
  if (name === query) return 4
  if (name.startsWith(query)) return 3
  if (name.includes(query)) return 2
  return words.filter((word) => name.includes(word)).length / (words.length + 1)
}
