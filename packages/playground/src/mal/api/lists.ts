import type { ListEntry, UserList } from '../catalogue/lists.ts'
import type { Clock, MalSettings } from '../options.ts'
import { json, type Reply } from '../server/exchange.ts'
import { findUser, type User } from '../users.ts'
import { requireViewer, type ApiNeeds, type Call, type Endpoint } from './call.ts'
import { page, readWindow } from './envelope.ts'
import { forbidden, notFound } from './errors.ts'
import { project, type JsonObject } from './fields.ts'
import { animeRow, mangaRow, type KindRow, type Ordered } from './kinds.ts'
import { showListStatus, showWholeListStatus } from './list-status.ts'
import { showNode } from './nodes.ts'
import { readBoolean, readDate, readKey, readNumber } from './params.ts'
import { requireWork, sceneOf } from './works.ts'

/** The lists of users, and the edits of one's own. */
export function listEndpoints(needs: ApiNeeds & { clock: Clock }): Endpoint[] {
  return [animeRow, mangaRow].flatMap((row): Endpoint[] => {
    const path = `/${row.kind}/:id/my_list_status`
    const edit = (call: Call) => editEntry(needs, row, call)
    return [
      {
        method: 'GET',
        path: `/users/:name/${row.kind}list`,
        auth: 'any',
        handle: (call) => showList(needs, row, call),
      },
      { method: 'PATCH', path, auth: 'user', handle: edit },
      { method: 'PUT', path, auth: 'user', handle: edit },
      { method: 'DELETE', path, auth: 'user', handle: (call) => removeEntry(needs, row, call) },
    ]
  })
}

function showList(needs: ApiNeeds, row: KindRow, call: Call): Reply {
  const list = needs.library.listOf(requireOwner(needs, call), row.kind)
  const window = readWindow(call.exchange, 1_000)
  const scene = sceneOf(needs, row, call)
  return page(call.exchange, window, {
    items: select(list, row, call.exchange.url.searchParams),
    show(id) {
      const work = list.shelf.find(id)
      const entry = list.find(id)
      if (!work || !entry) return {}
      const { numbers } = needs.settings
      const status = {
        list_status: (asked: Call['asked']) => withNumbers(numbers, showListStatus(row, entry, asked, 'list')),
      }
      return { node: showNode(scene, work, call.asked), ...project(status, call.asked, []) }
    },
  })
}

/** Whose list it is: `@me` for the viewer. A private list is for its owner alone. */
function requireOwner({ settings }: ApiNeeds, call: Call): User {
  const name = call.exchange.params['name'] ?? ''
  if (name === '@me') return requireViewer(call)
  const owner = findUser(name)
  if (!owner) throw notFound()
  if (owner.isPrivate && owner !== call.viewer) throw settings.privateList === 'not_found' ? notFound() : forbidden()
  return owner
}

/** The ids that pass the filters, sorted. Where nothing is filtered, nothing is made but the page itself. */
function select(list: UserList, row: KindRow, params: URLSearchParams): readonly number[] {
  const status = readKey(params, 'status', row.statuses)
  const sort = readKey(params, 'sort', row.sorts)
  const nsfw = readBoolean(params, 'nsfw') ?? false
  if (!status && !sort && nsfw) return list.ids()

  return list.select(`${status}/${params.get('sort')}/${nsfw}`, () => {
    const kept = list
      .ids()
      .flatMap((id): Ordered[] => {
        const work = list.shelf.find(id)
        const entry = list.find(id)
        return work && entry ? [{ work, entry }] : []
      })
      .filter(({ work, entry }) => (nsfw || work.nsfw === 'white') && (!status || entry.status === status))
    return (sort ? kept.sort(sort) : kept).map(({ work }) => work.id)
  })
}

function editEntry(needs: ApiNeeds & { clock: Clock }, row: KindRow, call: Call): Reply {
  const work = requireWork(needs, row, call)
  const list = needs.library.listOf(requireViewer(call), row.kind)
  const entry = {
    ...(list.find(work.id) ?? blank),
    ...readChange(row, without(call.exchange.form, needs.settings.overlooks)),
    updatedAt: needs.clock.now(),
  }
  list.put(work.id, entry)
  return json(withNumbers(needs.settings.numbers, showWholeListStatus(row, entry)))
}

/** Answers the same whether there was an entry or not, unless the settings say as the documentation does. */
function removeEntry(needs: ApiNeeds, row: KindRow, call: Call): Reply {
  const work = requireWork(needs, row, call)
  const list = needs.library.listOf(requireViewer(call), row.kind)
  if (needs.settings.removeAbsent === 'not_found' && !list.find(work.id)) throw notFound()
  list.remove(work.id)
  return json([])
}

function without(form: URLSearchParams, names: readonly string[]): URLSearchParams {
  return new URLSearchParams([...form].filter(([name]) => !names.includes(name)))
}

function withNumbers(as: MalSettings['numbers'], shown: JsonObject): JsonObject {
  if (as === 'numbers') return shown
  const written = Object.entries(shown).map(([name, value]) => [
    name,
    typeof value === 'number' ? String(value) : value,
  ])
  return Object.fromEntries(written)
}

/** Only what was sent changes, and names that are not known change nothing. */
function readChange({ statuses, shows, takes }: KindRow, form: URLSearchParams): Partial<ListEntry> {
  const number = (name: string | undefined, most: number) =>
    name === undefined ? undefined : readNumber(form, name, { least: 0, most })
  const change = {
    status: readKey(form, 'status', statuses),
    score: number('score', 10),
    progress: number(takes.progress, 100_000),
    volumes: number(takes.volumes, 100_000),
    again: readBoolean(form, shows.again),
    timesAgain: number(shows.timesAgain, 100_000),
    againValue: number(shows.againValue, 5),
    startDate: readDate(form, 'start_date'),
    finishDate: readDate(form, 'finish_date'),
    priority: number('priority', 2),
    tags: form
      .get('tags')
      ?.split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
    comments: form.get('comments') ?? undefined,
  }
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}

/** What an entry is before the first edit of it. */
const blank: ListEntry = {
  status: 'later',
  score: 0,
  progress: 0,
  volumes: 0,
  again: false,
  timesAgain: 0,
  againValue: 0,
  startDate: '',
  finishDate: '',
  priority: 0,
  tags: [],
  comments: '',
  updatedAt: 0,
}
