import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { read, startMal } from './support.ts'

const ListPage = z.object({
  data: z.array(
    z.object({
      node: z.looseObject({ id: z.number(), title: z.string() }),
      list_status: z.looseObject({ status: z.string(), score: z.number(), updated_at: z.string() }).optional(),
    }),
  ),
  paging: z.object({ previous: z.url().optional(), next: z.url().optional() }),
})

async function page(reply: Promise<Response>) {
  return ListPage.parse(await (await reply).json())
}

const form = (values: Record<string, string>) => ({ method: 'PATCH', body: new URLSearchParams(values) })

describe('a list', () => {
  test('of 25,000 is paged by absolute URLs in reasonable time, each entry once', async () => {
    await using mal = await startMal()
    const collector = mal.as('collector')
    const ids = new Set<number>()
    const started = performance.now()
    let next: string | undefined = `${mal.url}/v2/users/@me/animelist?limit=1000&nsfw=true&fields=list_status,mean`
    let pages = 0
    while (next !== undefined) {
      const { data, paging } = await page(collector(next.slice(`${mal.url}/v2`.length)))
      for (const { node } of data) ids.add(node.id)
      expect(paging.previous === undefined).toBe(pages === 0)
      next = paging.next
      pages += 1
    }
    expect([pages, ids.size]).toEqual([25, 25_000])
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('makes no more than the page that is asked for', async () => {
    await using mal = await startMal()
    await mal.as('collector')('/users/@me/animelist?limit=10&offset=20000&nsfw=true')
    expect(mal.generated()).toBe(410)
  })

  test('has as many entries as its owner', async () => {
    await using mal = await startMal()
    const count = async (name: string, list: string) =>
      (await page(mal.as(name)(`/users/@me/${list}?limit=1000&nsfw=true`))).data.length
    expect(await count('newcomer', 'animelist')).toBe(0)
    expect(await count('mika', 'animelist')).toBe(12)
    expect(await count('mika', 'mangalist')).toBe(5)
    expect(await count('haru', 'mangalist')).toBe(300)
    expect(await count('hermit', 'animelist')).toBe(40)
    const rest = await page(mal.as('haru')('/users/haru/animelist?limit=1000&offset=1000&nsfw=true'))
    expect(rest.data.length).toBe(500)
    expect(rest.paging).not.toHaveProperty('next')
  })

  test('is filtered by status and sorted; its entries have details of their own', async () => {
    await using mal = await startMal()
    const haru = mal.as('haru')
    const dropped = await page(haru('/users/@me/animelist?status=dropped&fields=list_status&limit=1000'))
    expect(new Set(dropped.data.map(({ list_status }) => list_status?.status))).toEqual(new Set(['dropped']))
    const scores = (await page(haru('/users/@me/animelist?sort=list_score&fields=list_status&limit=1000'))).data.map(
      ({ list_status }) => list_status?.score ?? 0,
    )
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    const titles = (await page(haru('/users/@me/mangalist?sort=manga_title'))).data.map(({ node }) => node.title)
    expect(titles).toEqual(titles.toSorted())
    const { id } = dropped.data.at(-1)?.node ?? { id: 0 }
    expect(id).toBeGreaterThan(1_000_000)
    expect(await (await haru(`/anime/${id}?fields=my_list_status`)).json()).toMatchObject({
      id,
      my_list_status: { status: 'dropped', num_episodes_watched: expect.any(Number) },
    })
  })

  test('says of its entries only what was asked, and comments nowhere', async () => {
    await using mal = await startMal()
    const haru = mal.as('haru')
    expect((await page(haru('/users/@me/animelist?limit=1'))).data[0]).not.toHaveProperty('list_status')
    const { data } = await page(haru('/users/@me/animelist?limit=1000&fields=list_status{comments,priority}'))
    expect(data.every(({ list_status }) => list_status && 'priority' in list_status)).toBe(true)
    expect(data.some(({ list_status }) => list_status && 'comments' in list_status)).toBe(false)
    expect(data.some(({ list_status }) => list_status && 'tags' in list_status)).toBe(false)
  })

  test('adds up in the statistics of its owner', async () => {
    await using mal = await startMal()
    expect(await (await mal.as('mika')('/users/@me?fields=anime_statistics,time_zone')).json()).toMatchObject({
      name: 'mika',
      time_zone: 'Europe/Berlin',
      anime_statistics: { num_items: 12, num_episodes: expect.any(Number), mean_score: expect.any(Number) },
    })
    expect(await (await mal.as('newcomer')('/users/@me?fields=anime_statistics')).json()).toMatchObject({
      anime_statistics: { num_items: 0, mean_score: 0 },
    })
    expect((await mal.as('mika')('/users/haru')).status).toBe(400)
  })
})

describe('an edit', () => {
  test('creates, changes only what was sent, and answers the whole entry', async () => {
    await using mal = await startMal()
    const newcomer = mal.as('newcomer')
    const { id } = (await page(newcomer('/anime?q=tollgate&limit=1'))).data[0]?.node ?? { id: 0 }
    const path = `/anime/${id}/my_list_status`
    expect(
      await read(newcomer(path, form({ status: 'watching', score: '8', tags: 'tea, 名作', comments: 'a/b' }))),
    ).toEqual({
      status: 200,
      body: {
        status: 'watching',
        score: 8,
        num_episodes_watched: 0,
        is_rewatching: false,
        updated_at: '2026-11-21T00:00:00+00:00',
        priority: 0,
        num_times_rewatched: 0,
        rewatch_value: 0,
        tags: ['tea', '名作'],
        comments: 'a/b',
      },
    })
    mal.pass(60)
    // What is read under one name is written under another; the first is overlooked.
    const changes = { num_watched_episodes: '3', start_date: '2026-11', finish_date: '' }
    expect((await read(newcomer(path, form({ num_episodes_watched: '9' })))).body).toMatchObject({
      num_episodes_watched: 0,
    })
    expect((await read(newcomer(path, { ...form(changes), method: 'PUT' }))).body).toMatchObject({
      status: 'watching',
      score: 8,
      num_episodes_watched: 3,
      start_date: '2026-11',
      updated_at: '2026-11-21T00:01:00+00:00',
    })
    const list = await page(newcomer('/users/@me/animelist?fields=list_status'))
    expect(list.data.map(({ node }) => node.id)).toEqual([id])
    expect((await page(mal.as('mika')('/users/newcomer/animelist'))).data.length).toBe(1)

    expect(await read(newcomer(path, { method: 'DELETE' }))).toEqual({ status: 200, body: [] })
    expect(await read(newcomer(path, { method: 'DELETE' }))).toEqual({ status: 200, body: [] })
    expect((await page(newcomer('/users/@me/animelist'))).data).toEqual([])
  })

  test('of manga has its own names', async () => {
    await using mal = await startMal()
    const newcomer = mal.as('newcomer')
    const { id } = (await page(newcomer('/manga?q=tollgate&limit=1'))).data[0]?.node ?? { id: 0 }
    const sent = { status: 'reading', num_volumes_read: '1', num_chapters_read: '9', is_rereading: 'true' }
    expect((await read(newcomer(`/manga/${id}/my_list_status`, form(sent)))).body).toMatchObject({
      status: 'reading',
      num_volumes_read: 1,
      num_chapters_read: 9,
      is_rereading: true,
      num_times_reread: 0,
    })
  })

  test('of one user moves nobody else, and takes an entry out of a filtered page at once', async () => {
    await using mal = await startMal()
    const [mika, haru] = [mal.as('mika'), mal.as('haru')]
    const before = await page(haru('/users/@me/animelist?status=completed&limit=1'))
    const { id } = before.data[0]?.node ?? { id: 0 }
    await haru(`/anime/${id}/my_list_status`, form({ status: 'dropped' }))
    expect((await page(haru('/users/@me/animelist?status=completed&limit=1'))).data[0]?.node.id).not.toBe(id)
    expect((await page(mika('/users/mika/animelist?limit=100&nsfw=true'))).data.length).toBe(12)
  })

  test.for([
    [{ status: 'reading' }, 'invalid status'],
    [{ score: '11' }, 'invalid score'],
    [{ score: '1.5' }, 'invalid score'],
    [{ priority: '3' }, 'invalid priority'],
    [{ rewatch_value: '6' }, 'invalid rewatch_value'],
    [{ is_rewatching: '1' }, 'invalid is_rewatching'],
    [{ num_watched_episodes: '-1' }, 'invalid num_watched_episodes'],
    [{ start_date: '2026-13-01' }, 'invalid start_date'],
  ] as const)('with $0 is refused and changes nothing', async ([sent, message]) => {
    await using mal = await startMal()
    const newcomer = mal.as('newcomer')
    const { id } = (await page(newcomer('/anime?q=tollgate&limit=1'))).data[0]?.node ?? { id: 0 }
    const values = Object.fromEntries(Object.entries(sent))
    expect(await read(newcomer(`/anime/${id}/my_list_status`, form(values)))).toMatchObject({
      status: 400,
      body: { message },
    })
    expect((await page(newcomer('/users/@me/animelist'))).data).toEqual([])
  })

  test('of what is not there is 404', async () => {
    await using mal = await startMal()
    expect((await mal.as('mika')('/anime/9/my_list_status', form({ score: '1' }))).status).toBe(404)
  })
})
