import { describe, expect, test } from 'vitest'
import { fakeClock } from './support/call.ts'
import { startEmulated, type Emulated } from './support/emulated.ts'

/** Who calls with one token all the time. */
function signedIn(at: Emulated, user: string) {
  const token = at.mal.issueTokens(user).accessToken
  return {
    token,
    call: (tool: string, args: object = {}) => at.call(user, tool, args, { token }),
    /** Requests so far, by path. */
    asked: () =>
      at.mal.requests.filter((request) => request.user === user).map(({ method, path }) => `${method} ${path}`),
  }
}

const listPath = 'GET /v2/users/@me/animelist'

describe('R0-13: what is kept', () => {
  test('a whole list is asked for once in five minutes, however many ask for it at once', async () => {
    const clock = fakeClock()
    await using at = await startEmulated({ clock })
    const mika = signedIn(at, 'mika')
    await Promise.all([mika.call('get_user_stats'), mika.call('analyze_taste'), mika.call('get_user_stats')])
    await mika.call('get_user_stats')
    expect(mika.asked()).toEqual([listPath])
    await clock.wait(300_000, new AbortController().signal)
    await mika.call('get_user_stats')
    expect(mika.asked()).toEqual([listPath, listPath])
  })

  test('own writes show at once, without reading the list again', async () => {
    await using at = await startEmulated()
    const mika = signedIn(at, 'mika')
    const { structured } = await mika.call('get_my_anime_list', { limit: 1 })
    const [{ id }] = structured['entries'] as [{ id: number }]
    await mika.call('analyze_taste')
    await mika.call('update_anime', { id, score: 1 })
    const before = mika.asked().length
    expect((await mika.call('get_my_anime_list', { limit: 1 })).structured).toMatchObject({
      entries: [{ list: { score: 1 } }],
    })
    const taste = await mika.call('search_my_list', { query: 'score:1' })
    expect(taste.text).toContain(`id ${id}`)
    // The page is asked for anew; the whole list was changed where it is kept.
    expect(mika.asked().slice(before)).toEqual([listPath])
  })

  test('own writes show in the own list by its name as well', async () => {
    await using at = await startEmulated()
    const mika = signedIn(at, 'mika')
    const byName = { user: 'mika', limit: 1 }
    const { structured } = await mika.call('get_user_anime_list', byName)
    const [{ id }] = structured['entries'] as [{ id: number }]
    const whole = () => mika.call('compare_with_user', { user: 'mika' })
    expect((await whole()).structured).toMatchObject({ affinity: 100 })
    await mika.call('update_anime', { id, score: 1 })
    const { structured: now } = await mika.call('get_user_anime_list', byName)
    expect(now).toMatchObject({ entries: [{ id, list: { score: 1 } }] })
    expect((await whole()).structured).toMatchObject({ affinity: 100 })
  })

  test("nothing of one account is another's", async () => {
    await using at = await startEmulated()
    const [mika, haru] = [signedIn(at, 'mika'), signedIn(at, 'haru')]
    const [one, other] = await Promise.all([mika.call('get_user_stats'), haru.call('get_user_stats')])
    expect(one.structured['total']).not.toEqual(other.structured['total'])
    expect(haru.asked()).toContain(listPath)
  })
})

describe('while MyAnimeList is down', () => {
  test.each(['unavailable', 'html', 'hang'] as const)('what is known is told with its age (%s)', async (outage) => {
    const clock = fakeClock()
    await using at = await startEmulated({ clock, requestTimeoutMs: 3000 })
    const mika = signedIn(at, 'mika')
    const before = await mika.call('get_user_stats')
    at.mal.settings.outage = outage
    await clock.wait(7_200_000, new AbortController().signal)
    const during = await mika.call('get_user_stats')
    expect(during.text.split('\n')[0]).toBe('MyAnimeList cannot be asked at the moment: this is from 2 hours ago.')
    expect(during.structured).toEqual(before.structured)
    // What is not known is said to be not known.
    expect((await mika.call('get_anime_ranking')).isError).toBe(true)
    at.mal.settings.outage = undefined
    await clock.wait(30_000, new AbortController().signal)
    expect((await mika.call('get_user_stats')).text).not.toContain('cannot be asked')
  })
})

describe('R0-11: budgets', () => {
  test('what is spent is said, with when it goes on; what is known is still told', async () => {
    const clock = fakeClock()
    await using at = await startEmulated({ clock, pace: { burst: 1000, perSecond: 1000, budgets: { perHour: 3 } } })
    const mika = signedIn(at, 'mika')
    for (const query of ['one', 'two', 'the']) await mika.call('search_anime', { query })
    const spent = await mika.call('search_anime', { query: 'four' })
    expect(spent).toMatchObject({
      isError: true,
      text: expect.stringMatching(/It is 3 for one hour; it goes on at 2026-01-01T01:/),
    })
    expect((await mika.call('search_anime', { query: 'one' })).isError).toBe(false)
    // Each account has its own.
    expect((await signedIn(at, 'haru').call('search_anime', { query: 'four' })).isError).toBe(false)
    await clock.wait(3_600_000, new AbortController().signal)
    expect((await mika.call('search_anime', { query: 'four' })).isError).toBe(false)
  })
})

describe('a crowd', () => {
  test.each(['forbidden', 'html', 'too_many'] as const)(
    'R2-08: turned away (%s), a call waits and goes on',
    async (throttlePage) => {
      const clock = fakeClock()
      await using at = await startEmulated({ clock, retryDelaysMs: [1000, 2000, 4000] })
      const mika = signedIn(at, 'mika')
      at.mal.settings.failNext = { times: 2, ...pages[throttlePage] }
      expect((await mika.call('get_user_stats')).isError).toBe(false)
      expect(clock.waits).toEqual([1000, 2000])
    },
  )

  test('a flood is told as one, and not as a private list', async () => {
    await using at = await startEmulated()
    const mika = signedIn(at, 'mika')
    Object.assign(at.mal.settings, { throttle: { perSecond: 0.001, burst: 1 }, throttlePage: 'html' })
    await mika.call('search_anime', { query: 'one' })
    expect((await mika.call('get_user_anime_list', { user: 'haru' })).text).toContain('too many came in a short time')
  })
})

const pages = {
  forbidden: { status: 403, body: '{"message":"","error":"forbidden"}' },
  html: { status: 403, body: '<html>Access denied</html>', headers: { 'content-type': 'text/html' } },
  too_many: { status: 429, body: '{"error":"too_many_requests"}' },
}

describe('writing', () => {
  test('a field that is overlooked is not passed over in silence', async () => {
    await using at = await startEmulated()
    const mika = signedIn(at, 'mika')
    const { structured } = await mika.call('get_my_anime_list', { limit: 1 })
    const [{ id }] = structured['entries'] as [{ id: number }]
    await mika.call('update_anime', { id, score: 3 })
    at.mal.settings.overlooks = ['score']
    const { isError, text } = await mika.call('update_anime', { id, score: 9 })
    expect({ isError, text }).toMatchObject({ isError: true, text: expect.stringContaining('score is 3, asked was 9') })
  })

  test('numbers that come as strings are numbers', async () => {
    await using at = await startEmulated()
    at.mal.settings.numbers = 'strings'
    const { structured } = await at.call('mika', 'get_my_anime_list', { sort: 'list_score', limit: 1 })
    expect(structured).toMatchObject({ entries: [{ list: { score: expect.any(Number) } }] })
  })
})
