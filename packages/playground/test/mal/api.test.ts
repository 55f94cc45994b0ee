import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMalEmulator } from '../../src/mal/emulator.ts'
import { read, startMal, web } from './support.ts'

const Node = z.looseObject({ id: z.number(), title: z.string() })
const Page = z.object({
  data: z.array(z.looseObject({ node: Node })),
  paging: z.object({ previous: z.url().optional(), next: z.url().optional() }),
})

async function page(reply: Promise<Response>) {
  return Page.parse(await (await reply).json())
}

describe('a credential', () => {
  test('is needed: none is 403, a wrong client id 400, a wrong or expired token 401', async () => {
    await using mal = await startMal()
    expect(await read(mal.get('/v2/anime?q=tea'))).toEqual({ status: 403, body: { message: '', error: 'forbidden' } })
    expect(await read(mal.get('/v2/anime?q=tea', { 'x-mal-client-id': 'nobody' }))).toEqual({
      status: 400,
      body: { message: 'Invalid client id', error: 'bad_request' },
    })
    expect(await read(mal.get('/v2/anime?q=tea', { authorization: 'Bearer nothing' }))).toEqual({
      status: 401,
      body: { error: 'invalid_token', message: 'token is invalid' },
    })
    const mika = mal.as('mika')
    mal.pass(2_678_400)
    const expired = await mika('/users/@me')
    expect(expired.headers.get('www-authenticate')).toBe(
      'Bearer error="invalid_token",error_description="The access token expired"',
    )
    expect(await read(Promise.resolve(expired))).toEqual({ status: 401, body: { error: 'invalid_token' } })
  })

  test('of the application alone reads what is public, and nothing of a person', async () => {
    await using mal = await startMal()
    const client = { 'x-mal-client-id': web.id }
    expect((await mal.get('/v2/anime?q=tollgate', client)).status).toBe(200)
    expect((await mal.get('/v2/users/mika/animelist', client)).status).toBe(200)
    expect((await mal.get('/v2/users/@me', client)).status).toBe(403)
    expect((await mal.get('/v2/users/@me/animelist', client)).status).toBe(403)
    expect((await mal.get('/v2/anime/suggestions', client)).status).toBe(403)
  })

  test('that expires by order is renewed by nobody else', async () => {
    await using mal = await startMal()
    const [mika, haru] = [mal.as('mika'), mal.as('haru')]
    mal.expireTokens('mika')
    expect([(await mika('/users/@me')).status, (await haru('/users/@me')).status]).toEqual([401, 200])
  })
})

describe('what the settings break', () => {
  test('a flood is answered with 403 until time has passed, each account for itself', async () => {
    await using mal = await startMal()
    mal.settings.throttle = { perSecond: 1, burst: 2 }
    const [mika, haru] = [mal.as('mika'), mal.as('haru')]
    const statuses = []
    for (let call = 0; call < 3; call += 1) statuses.push((await mika('/users/@me')).status)
    expect(statuses).toEqual([200, 200, 403])
    expect((await haru('/users/@me')).status).toBe(200)
    mal.pass(1)
    expect((await mika('/users/@me')).status).toBe(200)
    expect((await mika('/users/@me')).status).toBe(403)
  })

  test('the next calls fail as told, then none', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    mal.settings.failNext = { times: 2, status: 503, body: 'busy', headers: { 'retry-after': '3' } }
    const first = await mika('/users/@me')
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([503, '3', 'busy'])
    expect((await mika('/users/@me')).status).toBe(503)
    expect((await mika('/users/@me')).status).toBe(200)
  })
})

describe('a wrong request is named', () => {
  test.for([
    ['/anime', 400, 'invalid q'],
    ['/anime?q=ab', 400, 'invalid q'],
    [`/anime?q=${'x'.repeat(65)}`, 400, 'invalid q'],
    ['/anime?q=tollgate&limit=101', 400, 'invalid limit'],
    ['/anime?q=tollgate&limit=0', 400, 'invalid limit'],
    ['/anime?q=tollgate&offset=-1', 400, 'invalid offset'],
    ['/anime?q=tollgate&nsfw=yes', 400, 'invalid nsfw'],
    ['/anime/ranking', 400, 'invalid ranking_type'],
    ['/anime/ranking?ranking_type=__proto__', 400, 'invalid ranking_type'],
    ['/anime/ranking?ranking_type=all&limit=501', 400, 'invalid limit'],
    ['/anime/season/2026/monsoon', 400, 'invalid season'],
    ['/users/@me/animelist?sort=anime_id', 400, 'invalid sort'],
    ['/users/@me/mangalist?sort=manga_id', 400, 'invalid sort'],
    ['/users/@me/animelist?limit=1001', 400, 'invalid limit'],
    ['/users/@me/animelist?status=reading', 400, 'invalid status'],
    ['/forum/topics', 400, 'invalid q'],
    ['/anime/999999999', 404, ''],
    ['/anime/abc', 404, ''],
    ['/users/nobody/animelist', 404, ''],
    ['/users/hermit/animelist', 403, ''],
    ['/forum/topic/1', 404, ''],
    ['/nowhere', 404, ''],
    ['/anime/%zz', 404, ''],
  ] as const)('%s', async ([path, status, message]) => {
    await using mal = await startMal()
    const reply = await read(mal.as('mika')(path))
    expect(reply).toMatchObject({ status, body: { message } })
  })
})

describe('the catalogue', () => {
  test('is made by nobody who does not ask, and then the same for the same seed', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    await mal.get('/login')
    expect(mal.generated()).toBe(0)
    const all = '/anime/ranking?ranking_type=bypopularity&limit=500&nsfw=true&fields=mean,synopsis,studios,start_date'
    // Pictures carry the address of the server, which differs.
    const stable = async (reply: Promise<Response>, url: string) =>
      JSON.stringify(await (await reply).json()).replaceAll(url, '')
    const first = await stable(mika(all), mal.url)
    expect(mal.generated()).toBe(400)

    await using same = await startMal()
    expect(await stable(same.as('mika')(all), same.url)).toBe(first)
    await using other = await startMal({ seed: 2 })
    expect(await stable(other.as('mika')(all), other.url)).not.toBe(first)
  })

  test('has every value, and every field that may be absent, empty or 0', async () => {
    await using mal = await startMal()
    const fields = 'media_type,status,nsfw,rating,mean,rank,num_episodes,start_date,alternative_titles,source,synopsis'
    const { data } = await page(
      mal.as('mika')(`/anime/ranking?ranking_type=bypopularity&limit=500&nsfw=true&fields=${fields}`),
    )
    const nodes = data.map(({ node }) => node)
    const values = (name: string) => new Set(nodes.map((node) => node[name]))
    expect(values('media_type').size).toBe(10)
    expect(values('media_type')).toContain('tv_special')
    expect(values('status').size).toBe(3)
    expect(values('nsfw')).toEqual(new Set(['white', 'gray', 'black']))
    expect(values('rating')).toEqual(new Set(['g', 'pg', 'pg_13', 'r', 'r+', 'rx', undefined]))
    const mayLack = ['mean', 'rank', 'start_date', 'main_picture', 'synopsis', 'source']
    expect(mayLack.filter((name) => !values(name).has(undefined))).toEqual([])
    expect(values('num_episodes')).toContain(0)
    expect(values('start_date')).toContain('1978')
    expect(values('start_date')).toContain('1983-04')
    expect(nodes.map(({ alternative_titles }) => alternative_titles)).toContainEqual(
      expect.objectContaining({ en: '' }),
    )
    expect(Math.max(...nodes.map(({ title }) => title.length))).toBeGreaterThan(300)
    const white = await page(mal.as('mika')('/anime/ranking?ranking_type=bypopularity&limit=500&fields=nsfw'))
    expect(new Set(white.data.map(({ node }) => node['nsfw']))).toEqual(new Set(['white']))
  })

  test('is written with escaped slashes and without a character beyond ASCII', async () => {
    await using mal = await startMal()
    const reply = await mal.as('mika')('/anime?q=%E9%96%A2%E6%89%80%E3%81%AE&nsfw=true&fields=alternative_titles')
    expect(reply.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    const text = await reply.text()
    expect(text).toContain(String.raw`http:\/\/`)
    expect(text).toMatch(/^[\u0020-\u007e]*$/)
    expect(text).not.toMatch(/[^\\]\//)
    expect(text).toContain(String.raw`\u95a2`)
  })

  test('shows details with what belongs together, and counts as strings; none of it in a list', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    const fields = 'fields=related_anime{media_type},related_manga,recommendations,statistics,pictures,background'
    const { data } = await page(mika(`/anime?q=weathervane&nsfw=true&${fields}`))
    const details = await Promise.all(
      data.map(async ({ node }) => z.looseObject({}).parse(await (await mika(`/anime/${node.id}?${fields}`)).json())),
    )
    expect(details.length).toBeGreaterThan(5)
    expect(data[0]?.node).not.toHaveProperty('statistics')
    expect(data[0]?.node).not.toHaveProperty('related_anime')
    expect(details[0]).toMatchObject({
      related_manga: [],
      statistics: { num_list_users: expect.any(Number), status: { watching: expect.stringMatching(/^\d+$/) } },
    })
    expect(details.flatMap((one) => one['related_anime'])).toContainEqual({
      node: {
        id: expect.any(Number),
        title: expect.any(String),
        main_picture: expect.anything(),
        media_type: expect.any(String),
      },
      relation_type: 'sequel',
      relation_type_formatted: 'Sequel',
    })
  })

  test('has seasons with what goes on, suggestions for who has a list, and manga', async () => {
    await using mal = await startMal()
    const season = await (await mal.as('mika')('/anime/season/2026/fall?fields=start_season&limit=500')).json()
    expect(season).toMatchObject({ season: { year: 2026, season: 'fall' } })
    expect(Page.parse(season).data.map(({ node }) => node['start_season'])).toContainEqual({
      year: 2026,
      season: 'summer',
    })
    expect((await page(mal.as('newcomer')('/anime/suggestions'))).data).toEqual([])
    expect((await page(mal.as('haru')('/anime/suggestions'))).data.length).toBeGreaterThan(10)
    const manga = await page(mal.as('mika')('/manga/ranking?ranking_type=novels&fields=authors,media_type&limit=500'))
    expect(new Set(manga.data.map(({ node }) => node['media_type']))).toEqual(new Set(['novel', 'light_novel']))
    expect(manga.data[0]).toMatchObject({
      node: { authors: [{ node: { id: expect.any(Number) } }] },
      ranking: { rank: 1 },
    })
  })

  test('has a forum to read', async () => {
    await using mal = await startMal()
    const mika = mal.as('mika')
    expect(await (await mika('/forum/boards')).json()).toHaveProperty('categories.0.boards.0.subboards', [])
    const topics = z.object({ data: z.array(z.object({ id: z.number(), number_of_posts: z.number() })) })
    const { data } = topics.parse(await (await mika('/forum/topics?board_id=3')).json())
    const poll = await (await mika(`/forum/topic/${data[0]?.id}?limit=1`)).json()
    expect(poll).toMatchObject({
      data: {
        title: expect.any(String),
        posts: [{ created_by: { forum_avator: '' } }],
        poll: { options: expect.any(Array) },
      },
    })
  })
})

test('a port that is taken is an error that can be caught, and another one is taken after it', async () => {
  await using mal = await startMal()
  await using second = createMalEmulator()
  await expect(second.listen(Number(new URL(mal.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect((await second.listen()).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
})

test('the list of requests knows who and what, and never a query or a token', async () => {
  await using mal = await startMal()
  await mal.as('mika')('/anime?q=tollgate')
  await mal.get('/v1/oauth2/authorize?code_challenge=secret')
  expect(mal.requests).toEqual([
    { method: 'GET', path: '/v2/anime', user: 'mika', status: 200 },
    { method: 'GET', path: '/v1/oauth2/authorize', user: undefined, status: 400 },
  ])
})

test('a body that is too large is refused', async () => {
  await using mal = await startMal()
  expect((await mal.post('/login', { user_name: 'x'.repeat(70_000) })).status).toBe(413)
})
