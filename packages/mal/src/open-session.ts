import { readPages } from '#kit/paging'
import type { ApiClient, Query } from '#kit/api'
import type { Loaded } from '#kit/cache'
import { asObject } from '#kit/read'
import { fields, USER_FIELDS } from './api/fields.ts'
import { MalProblem } from './api/problem.ts'
import { readBoards, readTopic, readTopics, readUser } from './api/read-people.ts'
import { readDetail, readEntries, readFound, readNext, readNoted, readWork } from './api/read-work.ts'
import { createSharing } from './api/sharing.ts'
import { words } from './api/words.ts'
import { formOf, missedOf } from './api/write.ts'
import { sayAge } from './age.ts'
import type { Kind, ListEntry, Noted } from './list/entry.ts'
import { keepList, type KeptList } from './list/kept-list.ts'
import type { MalSession, Page, PageRequest } from './session.ts'
import type { KeepSettings, Mal } from './settings.ts'

export interface SessionNeeds {
  readonly mal: Pick<Mal, 'cache' | 'keep' | 'maxEntries' | 'now'>
  readonly client: ApiClient
  readonly signal: AbortSignal
  /** Told after each page of a whole list but the last how many entries there are so far. */
  onEntries(entries: number): Promise<void>
  /** Told what whoever reads the answer has to know of it: that it is old. */
  onNotice(line: string): void
}

/** The largest page of a list that MyAnimeList gives. */
const PAGE = 1000

type Answer = Record<string, unknown>

/** What a person may ask of MyAnimeList, as requests to its API. */
export function openSession({ mal, client, signal, onEntries, onNotice }: SessionNeeds): MalSession {
  const { cache, keep } = mal
  /** Everything kept is of one account: another's answers hold another's entries. */
  const keyOf = (...parts: readonly (string | number)[]) => `${client.account}/${parts.join('/')}/`

  return {
    async me() {
      const query = { fields: USER_FIELDS }
      const user = await ask({ keeps: 'profile', key: 'profile', path: '/users/@me', query, read: readUser })
      if (user === undefined) throw new MalProblem('unreadable')
      return user
    },
    search: (kind, { q, nsfw, ...page }) =>
      find('work', kind, `/${kind}`, { q, nsfw: nsfw || undefined, ...page, fields: fields[kind].search }),
    async detail(kind, id) {
      const key = `work/${kind}/${id}`
      const query = { fields: fields[kind].detail }
      const read = (answer: Answer) => readDetail(kind, answer)
      const detail = await ask({ keeps: 'work', key, path: `/${kind}/${id}`, query, read })
      if (detail === undefined) throw new MalProblem('unreadable')
      return detail
    },
    ranking: (kind, { type, nsfw, ...page }) =>
      find('catalogue', kind, `/${kind}/ranking`, { ranking_type: type, nsfw, ...page, fields: fields[kind].search }),
    season: ({ year, season, sort, nsfw, ...page }) =>
      find('catalogue', 'anime', `/anime/season/${year}/${season}`, {
        sort,
        nsfw,
        ...page,
        fields: fields.anime.search,
      }),
    suggestions: ({ nsfw, ...page }) =>
      find('catalogue', 'anime', '/anime/suggestions', { nsfw, ...page, fields: fields.anime.search }),
    listPage(kind, user, { status, sort, ...page }) {
      const query = { status, sort, ...page, nsfw: true, fields: fields[kind].list }
      const read = (answer: Answer) => paged(page, answer, readEntries(kind, answer))
      const key = `page/${kind}/${user}/${JSON.stringify(query)}`
      return ask({ keeps: 'list', key, path: listPath(kind, user), query, read })
    },
    async wholeList(kind, user = '@me', { fresh } = { fresh: false }) {
      const key = user === '@me' ? `list/${kind}/@me` : `others/${kind}/${user}`
      if (fresh) cache.forget(keyOf(key))
      const kept = await reading('list', key, (client, tell) => readWholeList({ client, tell, kind, user }))
      return kept.list()
    },
    async entry(kind, id, urgency = 'person') {
      const query = { fields: fields[kind].entry }
      const node = requireAnswer((await client.request({ method: 'GET', path: `/${kind}/${id}`, query, urgency })).body)
      const work = readWork(kind, node)
      if (work === undefined) throw new MalProblem('unreadable')
      const noted = readNoted(kind, node['my_list_status'])
      // An entry without comments comes without the word.
      return { work, noted: noted && { ...noted, comments: noted.comments ?? '' } }
    },
    update: (kind, id, change, urgency = 'person') =>
      writing(kind, id, async () => {
        const form = formOf(kind, change)
        if (form.size === 0) throw new MalProblem('nothing_to_change')
        const path = `/${kind}/${id}/my_list_status`
        const noted = readNoted(kind, (await client.request({ method: 'PATCH', path, form, urgency })).body)
        if (noted === undefined) throw new MalProblem('unreadable')
        const missed = missedOf(change, noted)
        if (missed.length > 0) throw new MalProblem('not_applied', { says: `${missed.join('; ')}.` })
        return noted
      }),
    async remove(kind, id, urgency = 'person') {
      await writing(kind, id, async () => {
        await client.request({ method: 'DELETE', path: `/${kind}/${id}/my_list_status`, urgency })
        return undefined
      })
    },
    boards: () => ask({ keeps: 'boards', key: 'boards', path: '/forum/boards', query: {}, read: readBoards }),
    topics({ boardId, subboardId, q, topicUserName, userName, ...page }) {
      const names = {
        board_id: boardId,
        subboard_id: subboardId,
        q,
        topic_user_name: topicUserName,
        user_name: userName,
      }
      const query = { ...names, ...page, sort: 'recent' }
      const read = (answer: Answer) => paged(page, answer, readTopics(answer))
      return ask({ keeps: 'forum', key: `forum/${JSON.stringify(query)}`, path: '/forum/topics', query, read })
    },
    topic(id, page) {
      const read = (answer: Answer) => {
        const { title, poll, posts } = readTopic(answer)
        return { ...paged(page, answer, posts), title, poll }
      }
      const key = `forum/${id}/${JSON.stringify(page)}`
      return ask({ keeps: 'forum', key, path: `/forum/topic/${id}`, query: { ...page }, read })
    },
  }

  function find(keeps: 'work' | 'catalogue', kind: Kind, path: string, query: Query & PageRequest) {
    const read = (answer: Answer) => paged(query, answer, readFound(kind, answer))
    return ask({ keeps, key: `found/${kind}/${path}/${JSON.stringify(query)}`, path, query, read })
  }

  /** One request that is kept as what it was read as. */
  function ask<Value>({ keeps, key, path, query, read }: Asking<Value>): Promise<Value> {
    return reading(keeps, key, async (client) => {
      const { body, bytes } = await client.request({ method: 'GET', path, query })
      return { value: read(requireAnswer(body)), bytes }
    })
  }

  async function reading<Value>(
    keeps: keyof KeepSettings,
    key: string,
    load: (client: ApiClient, tell: (entries: number) => Promise<void>) => Promise<Loaded<Value>>,
  ): Promise<Value> {
    const { value, readAt, isStale } = await cache.read<Value>({
      key: keyOf(key),
      ttlMs: keep[keeps],
      signal,
      onProgress: onEntries,
      load: (until, tell) => load(client.until(until), tell),
    })
    if (isStale) onNotice(`MyAnimeList cannot be asked at the moment: this is from ${sayAge(mal.now() - readAt)} ago.`)
    return value
  }

  /**
   * Changes one entry, and what is kept of it with it. A change that failed may have happened all the same: then
   * nothing that is kept counts any more. Lists that were asked for by a name are forgotten: it may be the own one.
   */
  async function writing<Result extends Noted | undefined>(
    kind: Kind,
    id: number,
    write: () => Promise<Result>,
  ): Promise<Result> {
    let noted: Noted | undefined
    let isDone = false
    try {
      const result = await write()
      noted = result
      isDone = true
      return result
    } finally {
      const listKey = keyOf('list', kind, '@me')
      cache.change<KeptList>(listKey, (kept) => (isDone && kept.write(id, noted) ? kept : undefined))
      const touched = [keyOf('work', kind, id), ...['page', 'others', 'found'].map((what) => keyOf(what, kind))]
      for (const prefix of touched) cache.forget(prefix)
    }
  }

  /** One pass of large pages. An entry that moved to another page while we read counts once. */
  async function readWholeList({ client, tell, kind, user }: WholeReading): Promise<Loaded<KeptList>> {
    const readAt = mal.now()
    const entries = new Map<number, ListEntry>()
    const sharing = createSharing()
    const query = { fields: fields[kind].list, limit: PAGE, nsfw: true }
    let bytes = 0
    const truncated = await readPages({
      first: () => client.request({ method: 'GET', path: listPath(kind, user), query }),
      next(page) {
        const next = readNext(requireAnswer(page.body))
        return next === undefined ? undefined : () => client.follow(next)
      },
      take(page) {
        for (const entry of readEntries(kind, requireAnswer(page.body), sharing)) entries.set(entry.work.id, entry)
        bytes += page.bytes
        return entries.size
      },
      most: mal.maxEntries,
      onProgress: tell,
    })
    const all = [...entries.values()]
    const read = { kind, entries: truncated ? all.slice(0, mal.maxEntries) : all, truncated, readAt }
    return { value: keepList(read), bytes }
  }
}

interface Asking<Value> {
  readonly keeps: keyof KeepSettings
  readonly key: string
  readonly path: string
  readonly query: Query
  read(answer: Answer): Value
}

interface WholeReading {
  readonly client: ApiClient
  tell(entries: number): Promise<void>
  readonly kind: Kind
  readonly user: string
}

function listPath(kind: Kind, user: string): string {
  return `/users/${user === '@me' ? user : encodeURIComponent(user)}/${words[kind].list}`
}

function requireAnswer(body: unknown): Answer {
  const answer = asObject(body)
  if (answer === undefined) throw new MalProblem('unreadable')
  return answer
}

function paged<Item>({ limit, offset }: PageRequest, answer: Answer, items: readonly Item[]): Page<Item> {
  return { items, nextOffset: readNext(answer) === undefined ? undefined : offset + limit }
}
