import { animeDetails, animeFields } from '../catalogue/anime.ts'
import { chanceOf } from '../catalogue/chance.ts'
import type { Catalogue } from '../catalogue/generate.ts'
import type { UserList } from '../catalogue/lists.ts'
import { mangaDetails, mangaFields } from '../catalogue/manga.ts'
import { relatedTo, recommendedWith } from '../catalogue/relations.ts'
import { genres, makeSynopsis } from '../catalogue/words.ts'
import type { Work } from '../catalogue/work.ts'
import { pick, project, type Fields, type FieldTree, type JsonObject } from './fields.ts'
import { rows } from './kinds.ts'
import { formatTime, showListStatus } from './list-status.ts'

/** Where an entry is shown: to whom, and under which address its pictures are. */
export interface Scene {
  readonly catalogue: Catalogue
  readonly origin: string
  /** The viewer's own list, when there is a viewer. */
  readonly list: UserList | undefined
}

/** What is given of every entry, asked or not. */
const usual = ['id', 'title', 'main_picture']

/** An entry in a list. */
export function showNode(scene: Scene, work: Work, asked: FieldTree): JsonObject {
  return project(nodeFields(scene, work, 'list'), asked, usual)
}

/** An entry on its own, with the fields that cannot be contained in a list. */
export function showDetail(scene: Scene, work: Work, asked: FieldTree): JsonObject {
  const fields = { ...nodeFields(scene, work, 'detail'), ...detailFields(scene, work) }
  return project(fields, asked, usual)
}

function nodeFields(scene: Scene, work: Work, place: 'list' | 'detail'): Fields {
  const { id, kind, index, oddity } = work
  const shelf = scene.catalogue.shelf(kind)
  const fields: Fields = {
    id: () => id,
    title: () => work.title,
    main_picture: () => picture(scene, work),
    alternative_titles: (asked) => pick({ synonyms: work.synonyms, en: work.en, ja: work.ja }, asked),
    start_date: () => work.startDate,
    end_date: () => work.endDate,
    synopsis: () => makeSynopsis(chanceOf(`synopsis/${kind}/${index}`)),
    mean: () => (work.mean === undefined ? undefined : Math.round(work.mean * 100) / 100),
    rank: () => shelf.rank(work),
    popularity: () => shelf.popularity(work),
    num_list_users: () => work.members,
    num_scoring_users: () => (work.mean === undefined ? 0 : Math.floor(work.members / 2)),
    num_favorites: () => work.favorites,
    nsfw: () => work.nsfw,
    created_at: () => formatTime(Date.UTC(2008, 0, 1 + (index % 6_000))),
    updated_at: () => formatTime(Date.UTC(2026, 9, 1 + (index % 28), 6, 3, 11)),
    media_type: () => work.mediaType,
    status: () => work.status,
    genres: (asked) => genresOf(work).map((genre) => pick(genre, asked, asked.size > 0 ? ['id'] : [])),
    my_list_status: (asked) => {
      const entry = scene.list?.shelf.kind === kind ? scene.list.find(id) : undefined
      return entry && showListStatus(rows[kind], entry, asked, place)
    },
    ...(kind === 'anime' ? animeFields(work) : mangaFields(work)),
  }
  return without(fields, oddity.lacks ?? [])
}

function detailFields(scene: Scene, work: Work): Fields {
  const own = `related_${work.kind}`
  const other = work.kind === 'anime' ? 'related_manga' : 'related_anime'
  const shelf = scene.catalogue.shelf(work.kind)
  const fields: Fields = {
    pictures: () => [picture(scene, work) ?? {}].filter((one) => Object.keys(one).length > 0),
    background: () => (work.index % 3 === 0 ? 'Won the Paper Umbrella of its year.\n' : ''),
    [own]: (asked) =>
      relatedTo(shelf, work).map(({ work: node, relation }) => ({
        node: showNode(scene, node, asked),
        relation_type: relation,
        relation_type_formatted: formatted(relation),
      })),
    // Documented, and empty in practice.
    [other]: () => [],
    recommendations: (asked) =>
      recommendedWith(shelf, work).map(({ work: node, count }) => ({
        node: showNode(scene, node, asked),
        num_recommendations: count,
      })),
    ...(work.kind === 'anime' ? animeDetails(work) : mangaDetails(work)),
  }
  return without(fields, work.oddity.lacks ?? [])
}

function picture({ origin }: Scene, { kind, id, oddity }: Work): JsonObject | undefined {
  if (oddity.picture === 'none') return undefined
  const medium = `${origin}/images/${kind}/${id}.svg`
  return oddity.picture === 'small' ? { medium } : { medium, large: `${origin}/images/${kind}/${id}l.svg` }
}

function genresOf({ index, oddity }: Work) {
  if (oddity.alone === true) return []
  return genres.filter((_, position) => (index + position * 5) % 7 < 2)
}

function formatted(relation: string): string {
  const words = relation.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function without(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}
