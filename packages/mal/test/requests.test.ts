import { describe, expect, test } from 'vitest'
import { fakeClock, startBench } from './support/call.ts'
import { entry, rejected, startStandIn, type Scripted } from './support/stand-in.ts'

const forbidden: Scripted = { status: 403, body: { message: '', error: 'forbidden' } }
const shut: Scripted = { status: 403, body: '<html>Access denied</html>' }

describe('refusals', () => {
  test('R2-08: 403 and 429 are tried again after 1, 2 and 4 seconds', async () => {
    const clock = fakeClock()
    await using bench = await startBench({ clock, retryDelaysMs: [1000, 2000, 4000] })
    bench.mal.script.push(shut, { status: 429 }, forbidden)
    expect(await bench.call('get_my_anime_list')).toMatchObject({ status: 200, isError: false })
    expect(clock.waits).toEqual([1000, 2000, 4000])
    expect(bench.mal.seen).toHaveLength(4)
  })

  test('R2-08: Retry-After is honoured, and where it is too long the caller hears of it at once', async () => {
    const clock = fakeClock()
    await using bench = await startBench({ clock, retryDelaysMs: [1000, 2000, 4000] })
    bench.mal.script.push({ status: 429, headers: { 'retry-after': '7' } })
    await bench.call('get_my_anime_list')
    expect(clock.waits).toEqual([7000])

    bench.mal.script.push({ status: 429, headers: { 'retry-after': '600' } })
    const { isError, text } = await bench.call('get_my_anime_list')
    expect(isError).toBe(true)
    expect(text).toContain('600 seconds')
  })

  test('R0-35: throttled, private and without access are told apart', async () => {
    await using bench = await startBench()
    bench.mal.script.push(shut, shut, shut, shut)
    expect((await bench.call('get_user_stats')).text).toContain('too many came in a short time')
    bench.mal.script.push(forbidden, forbidden, forbidden, forbidden)
    expect((await bench.call('get_user_stats')).text).toContain('myanimelist.net/apiconfig')
    bench.mal.script.push({ status: 403, body: { message: 'This list is private', error: 'forbidden' } })
    expect((await bench.call('get_user_stats')).text).toContain('only its owner')
    expect(bench.mal.script).toEqual([])
  })

  test('what cannot get better is not tried again', async () => {
    await using bench = await startBench()
    bench.mal.script.push({ status: 400, body: { message: 'invalid q', error: 'bad_request' } })
    expect((await bench.call('search_anime', { query: 'abc' })).text).toContain('"invalid q"')
    bench.mal.script.push({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })
    expect((await bench.call('search_anime', { query: 'abc' })).text).toContain('302')
    bench.mal.script.push({ status: 200, body: '<html>maintenance</html>' })
    expect((await bench.call('search_anime', { query: 'abc' })).text).toContain('could not be read')
    expect(bench.mal.seen).toHaveLength(3)
  })
})

describe('the access token', () => {
  test.each([{ legacy: false }, { legacy: true }])(
    'R2-35: rejected, the answer is a 401 that a gate can act on ($legacy)',
    async (options) => {
      await using bench = await startBench()
      const { status, challenge } = await bench.call('get_user_stats', {}, { token: 'old', ...options })
      expect({ status, challenge }).toEqual({ status: 401, challenge: 'Bearer error="invalid_token"' })
    },
  )

  test.each([{ legacy: false }, { legacy: true }])('R2-34: missing, likewise ($legacy)', async (options) => {
    await using bench = await startBench()
    const { status, challenge } = await bench.call('get_user_stats', {}, { token: '', ...options })
    expect({ status, challenge }).toEqual({ status: 401, challenge: 'Bearer' })
    expect(bench.mal.seen).toEqual([])
  })

  test('R2-35: rejected after progress was sent, the result says so', async () => {
    await using bench = await startBench()
    bench.mal.lists.set(
      'ada',
      Array.from({ length: 2001 }, (_, index) => entry(index + 1)),
    )
    bench.mal.script.push(
      {
        status: 200,
        body: { data: [entry(1)], paging: { next: `${bench.mal.apiBaseUrl}/users/@me/animelist?offset=1` } },
      },
      rejected,
    )
    const { status, isError, text } = await bench.call('analyze_taste', {}, { progressToken: 'p' })
    expect({ status, isError }).toEqual({ status: 200, isError: true })
    expect(text).toContain('MyAnimeList rejected the access token')
  })

  test('users who call at the same time get their own lists', async () => {
    await using bench = await startBench()
    const users = Array.from({ length: 20 }, (_, index) => `user${index}`)
    users.forEach((user, index) => bench.mal.lists.set(user, [entry(index + 1, { node: { title: user } })]))
    const answers = await Promise.all(users.map((token) => bench.call('get_my_anime_list', {}, { token })))
    expect(answers.map(({ structured }) => structured['entries'])).toMatchObject(users.map((title) => [{ title }]))
  })
})

describe('time', () => {
  test('R0-38: an answer that does not come ends in words', async () => {
    await using bench = await startBench({ requestTimeoutMs: 100 })
    bench.mal.script.push('never')
    expect((await bench.call('get_user_stats')).text).toContain('too long')
  })

  test('R0-38: a call has a deadline of its own, waiting included', async () => {
    await using bench = await startBench({ callTimeoutMs: 100, retryDelaysMs: [20_000] })
    bench.mal.script.push(shut)
    expect((await bench.call('get_user_stats')).text).toContain('too long')
  })

  test('R0-38: a caller who leaves ends the request to MyAnimeList too', async () => {
    await using bench = await startBench()
    bench.mal.script.push('never')
    const left = new AbortController()
    const call = bench.call('get_user_stats', {}, { signal: left.signal }).catch(() => undefined)
    await expect.poll(() => bench.mal.seen).toHaveLength(1)
    left.abort()
    await call
    await expect.poll(() => bench.mal.left).toEqual(['/v2/users/@me/animelist'])
  })
})

test('R0-39: who gives up while waiting leaves at once and spends nothing', async () => {
  await using bench = await startBench({ pace: { burst: 1, perSecond: 5 } })
  const left = new AbortController()
  await bench.call('get_my_anime_list')
  const given = Array.from({ length: 50 }, () =>
    bench.call('get_my_anime_list', {}, { signal: left.signal }).catch(() => undefined),
  )
  left.abort()
  await Promise.all(given)
  await bench.call('get_my_anime_list')
  expect(bench.mal.seen).toHaveLength(2)
})

test('only https, or http on this machine, is an address to send tokens to', async () => {
  await using standIn = await startStandIn()
  await expect(startBench({ apiBaseUrl: 'http://mal.example/v2' })).rejects.toThrow(/https/)
  await using bench = await startBench({ apiBaseUrl: `${standIn.apiBaseUrl}/` })
  expect((await bench.call('get_my_anime_list')).status).toBe(401)
  expect(standIn.seen[0]?.path).toBe('/v2/users/@me/animelist')
})
