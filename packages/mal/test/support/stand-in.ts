import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'

/** One answer of the script; `never` leaves the request open. */
export type Scripted = { status: number; headers?: Record<string, string>; body?: unknown } | 'never'

export interface Seen {
  readonly path: string
  readonly query: URLSearchParams
  readonly token: string | undefined
  readonly form: URLSearchParams
}

export interface StandIn {
  readonly apiBaseUrl: string
  readonly tokenUrl: string
  /** Every request, in the order of arrival. */
  readonly seen: Seen[]
  /** Requests whose client left before they were answered. */
  readonly left: string[]
  /** Lists by access token; another token is answered 401. */
  readonly lists: Map<string, unknown[]>
  /** Answers to give before the usual ones. */
  readonly script: Scripted[]
  /** What `paging.next` says instead of the truth. */
  next: string | undefined
  [Symbol.asyncDispose](): Promise<void>
}

/** MyAnimeList as far as these tests need it: a real HTTP server with the shapes of the real one. */
export async function startStandIn(): Promise<StandIn> {
  const server = createServer((req, res) => void serve(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

  const standIn: StandIn = {
    apiBaseUrl: `${origin}/v2`,
    tokenUrl: `${origin}/v1/oauth2/token`,
    seen: [],
    left: [],
    lists: new Map(),
    script: [],
    next: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return standIn

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', origin)
    let body = ''
    for await (const chunk of req) body += String(chunk)
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1]
    standIn.seen.push({ path: url.pathname, query: url.searchParams, token, form: new URLSearchParams(body) })
    res.once('close', () => {
      if (!res.writableFinished) standIn.left.push(url.pathname)
    })

    const scripted = standIn.script.shift()
    if (scripted === 'never') return
    if (scripted) return reply(res, scripted)
    if (token === undefined) return reply(res, { status: 403, body: { message: '', error: 'forbidden' } })
    const list = standIn.lists.get(token)
    if (!list) return reply(res, rejected)
    if (url.pathname === '/v2/users/@me/animelist') return reply(res, { status: 200, body: page(url, list) })
    if (url.pathname === '/v2/anime')
      return reply(res, { status: 200, body: { data: [{ node: frieren }], paging: {} } })
    if (url.pathname === '/v2/anime/52991') return reply(res, { status: 200, body: frieren })
    reply(res, { status: 404, body: { message: '', error: 'not_found' } })
  }

  function page(url: URL, all: readonly unknown[]): unknown {
    const offset = Number(url.searchParams.get('offset') ?? 0)
    const limit = Number(url.searchParams.get('limit') ?? 100)
    const wanted = url.searchParams.get('status')
    const list = all.filter((entry) => wanted === null || JSON.stringify(entry).includes(`"status":"${wanted}"`))
    const next = new URL(url)
    next.searchParams.set('offset', String(offset + limit))
    const more = offset + limit < list.length
    return {
      data: list.slice(offset, offset + limit),
      paging: more ? { next: standIn.next ?? next.href } : {},
    }
  }
}

function reply(res: ServerResponse, answer: Exclude<Scripted, 'never'>): void {
  const isText = typeof answer.body === 'string'
  res.writeHead(answer.status, {
    'content-type': isText ? 'text/html' : 'application/json; charset=UTF-8',
    ...answer.headers,
  })
  res.end(isText ? answer.body : JSON.stringify(answer.body ?? {}))
}

/** How MyAnimeList answers a token it does not know. */
export const rejected = {
  status: 401,
  headers: { 'www-authenticate': 'Bearer error="invalid_token",error_description="The access token expired"' },
  body: { error: 'invalid_token' },
}

/** A list entry as the API gives it; `node` and `list` add to it. */
export function entry(id: number, { node = {}, list = {} }: { node?: object; list?: object } = {}): unknown {
  return {
    node: {
      id,
      title: `Anime ${id}`,
      main_picture: { medium: 'https://example.test/m.jpg' },
      media_type: 'tv',
      num_episodes: 12,
      average_episode_duration: 1440,
      start_season: { year: 2015, season: 'fall' },
      mean: 7.5,
      genres: [{ id: 1, name: 'Action' }],
      studios: [{ id: 11, name: 'Madhouse' }],
      ...node,
    },
    list_status: {
      status: 'completed',
      score: 8,
      num_episodes_watched: 12,
      is_rewatching: false,
      updated_at: '2026-01-02T03:04:05+00:00',
      ...list,
    },
  }
}

/** One anime with everything, numbers as strings where the API sends strings, and a field nobody knows yet. */
export const frieren = {
  id: 52991,
  title: 'Sousou no Frieren',
  alternative_titles: {
    synonyms: ['Frieren at the Funeral'],
    en: "Frieren: Beyond Journey's End",
    ja: '葬送のフリーレン',
  },
  main_picture: { medium: 'https://example.test/m.jpg', large: 'https://example.test/l.jpg' },
  synopsis: `${'During their decade-long quest, '.repeat(20)}the end.`,
  mean: 9.3,
  rank: 1,
  media_type: 'hologram',
  status: 'finished_airing',
  num_episodes: 28,
  start_season: { year: 2023, season: 'fall' },
  broadcast: { day_of_the_week: 'friday', start_time: '23:00' },
  genres: [{ id: 2, name: 'Adventure' }],
  studios: [{ id: 11, name: 'Madhouse' }],
  related_anime: [
    { node: { id: 59978, title: 'Frieren 2' }, relation_type: 'sequel', relation_type_formatted: 'Sequel' },
  ],
  recommendations: [{ node: { id: 33352, title: 'Violet Evergarden' }, num_recommendations: 20 }],
  statistics: { num_list_users: '1000', status: { watching: '100', completed: '800', on_hold: '50' } },
  my_list_status: { status: 'watching', score: 0, num_episodes_watched: 3, comments: 'slow & good' },
  field_of_next_year: { anything: true },
}
