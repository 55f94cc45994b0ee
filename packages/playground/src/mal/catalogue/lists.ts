import type { User } from '../users.ts'
import { chanceOf } from './chance.ts'
import type { Catalogue, Shelf } from './generate.ts'
import { mangaWords, volumesOf } from './manga.ts'
import type { Kind, Work } from './work.ts'

/** What one user says of one entry. The words are neutral; each kind has its own names for them on the wire. */
export interface ListEntry {
  readonly status: ListStatus
  readonly score: number
  /** Episodes watched or chapters read. */
  readonly progress: number
  readonly volumes: number
  /** Watching or reading it once more after it was completed. */
  readonly again: boolean
  readonly timesAgain: number
  readonly againValue: number
  readonly startDate: string
  readonly finishDate: string
  readonly priority: number
  readonly tags: readonly string[]
  readonly comments: string
  readonly updatedAt: number
}

/** `now` is watching or reading, `later` is plan to watch or to read. */
export type ListStatus = 'now' | 'completed' | 'on_hold' | 'dropped' | 'later'

export interface UserList {
  readonly shelf: Shelf
  /** The ids in the order they were put in. */
  ids(): readonly number[]
  find(id: number): ListEntry | undefined
  put(id: number, entry: ListEntry): void
  remove(id: number): void
  /** Works a selection out once, until the list changes. */
  select(key: string, work: () => readonly number[]): readonly number[]
}

/** Everybody's lists: generated entry by entry as they are asked for, and edited in memory. */
export function createLibrary({ catalogue }: { catalogue: Catalogue }) {
  const lists = new Map<string, UserList>()

  return {
    listOf(user: User, kind: Kind): UserList {
      const key = `${kind}/${user.name}`
      const list = lists.get(key) ?? createList(user, catalogue.shelf(kind))
      lists.set(key, list)
      return list
    },
  }
}

export type Library = ReturnType<typeof createLibrary>

function createList(user: User, shelf: Shelf): UserList {
  const size = user[shelf.kind]
  const entries = new Map<number, ListEntry>()
  let ids: number[] | undefined
  let members: Set<number> | undefined
  let selections = new Map<string, readonly number[]>()

  const list: UserList = {
    shelf,
    ids: () => (ids ??= Array.from({ length: size }, (_, position) => shelf.idAt(place(position)))),
    find(id) {
      members ??= new Set(list.ids())
      if (!members.has(id)) return undefined
      const known = entries.get(id)
      if (known) return known
      const work = shelf.find(id)
      if (!work) return undefined
      const entry = makeEntry(user, work)
      entries.set(id, entry)
      return entry
    },
    put(id, entry) {
      const isNew = list.find(id) === undefined
      entries.set(id, entry)
      if (isNew) change([...list.ids(), id])
      else selections = new Map()
    },
    remove(id) {
      if (list.find(id) === undefined) return
      entries.delete(id)
      change(list.ids().filter((one) => one !== id))
    },
    select(key, work) {
      const known = selections.get(key) ?? work()
      selections.set(key, known)
      return known
    },
  }
  return list

  /** Small lists are picked from all over the catalogue; long ones take it from the start, and leave some to suggest. */
  function place(position: number): number {
    const total = shelf.works().length
    if (size < total) return (position * 29 + user.id + beyondOddities) % total
    return position < total - unlisted ? position : position + unlisted
  }

  function change(next: number[]): void {
    ids = next
    members = new Set(next)
    selections = new Map()
  }
}

/** A short list is what a newcomer sees first: it begins after the entries that are there to trip a client. */
const beyondOddities = 40

/** So many entries of the catalogue are on nobody's long list. */
const unlisted = 30

const tags = ['rewatch', 'with friends', 'Gemütlich', '名作', 'slow start'] as const
const generatedFrom = Date.UTC(2016, 0, 1)
const day = 86_400_000

/** Makes one entry that agrees with what it is about: nobody has finished what has not begun. */
function makeEntry(user: User, work: Work): ListEntry {
  const chance = chanceOf(`${user.name}/${work.kind}/${work.id}`)
  const status = pickStatus(work, chance.int(100))
  const isDone = status === 'completed'
  const progress = isDone ? work.length : status === 'later' ? 0 : chance.int(Math.max(1, work.length))
  const updatedAt = generatedFrom + chance.int(3_900) * day + chance.int(86_400) * 1_000
  return {
    status,
    score: status === 'later' || chance.maybe(0.2) ? 0 : 1 + chance.int(10),
    progress,
    volumes: work.kind === 'anime' ? 0 : isDone ? volumesOf(work) : Math.floor(progress / 9),
    again: isDone && chance.maybe(0.05),
    timesAgain: isDone && chance.maybe(0.15) ? 1 + chance.int(4) : 0,
    againValue: isDone ? chance.int(6) : 0,
    startDate: status === 'later' || chance.maybe(0.4) ? '' : isoDay(updatedAt - 30 * day),
    finishDate: isDone && chance.maybe(0.5) ? isoDay(updatedAt) : '',
    priority: chance.int(3),
    tags: chance.maybe(0.15) ? [chance.pick(tags)] : [],
    comments: chance.maybe(0.1) ? 'Better the second time / even so.' : '',
    updatedAt,
  }
}

function pickStatus({ status, index }: Work, hundredth: number): ListStatus {
  if (status === 'not_yet_aired' || status === mangaWords.statuses.ahead) return 'later'
  const isRunning = status.startsWith('currently_')
  if (hundredth < 60) return isRunning ? 'now' : 'completed'
  if (hundredth < 68) return 'now'
  if (hundredth < 76) return 'on_hold'
  return hundredth < 84 || index % 50 === 0 ? 'dropped' : 'later'
}

function isoDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
