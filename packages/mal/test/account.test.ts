import { describe, expect, test } from 'vitest'
import { createMalHandler } from '../src/handler.ts'
import { createNetwork } from '#kit/network'
import { createRefreshManager } from '../src/auth/refresh.ts'
import { secret } from '#kit/secret'
import { systemClock } from '#kit/clock'
import { readMessages, requestOf } from './support/call.ts'
import { startEmulated, type Emulated } from './support/emulated.ts'

const eras = [{ legacy: false }, { legacy: true }]

describe.each(eras)('the account (older revisions: $legacy)', (era) => {
  test('R0-10, R0-53: the status says who, until when, what was asked and what failed last', async () => {
    await using at = await startEmulated({ pace: { burst: 1000, perSecond: 1000, budgets: { perHour: 100 } } })
    const token = at.mal.issueTokens('mika').accessToken
    await at.call('mika', 'search_anime', { query: 'the' }, { token, ...era })
    at.mal.settings.outage = 'unavailable'
    await at.call('mika', 'get_anime_ranking', {}, { token, ...era })
    at.mal.settings.outage = undefined
    const { structured, text } = await at.call('mika', 'mal_get_auth_status', {}, { token, ...era })
    expect(structured).toMatchObject({
      connected: true,
      account: { name: 'mika' },
      source: 'request',
      expires_at: expect.stringMatching(/^20/),
      last_failure: { code: 'unavailable' },
      budgets: [{ period: 'hour', of: 100 }],
    })
    expect(structured['requests']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ what: 'GET /anime', outcome: 'ok', count: 1 }),
        expect.objectContaining({ what: 'GET /anime/ranking', outcome: 'unavailable', count: 4 }),
        expect.objectContaining({ what: 'tool get_anime_ranking', outcome: 'unavailable', count: 1 }),
      ]),
    )
    expect(text).toContain('Connected to MyAnimeList as mika')
    expect(text).toContain('The token ends in 30 days')
    expect(text).toContain('Last failure')
    expect(`${text}${JSON.stringify(structured)}`).not.toContain(token.slice(0, 40))
  })

  test('R0-16: what a token says of itself is told, the token never', async () => {
    await using at = await startEmulated()
    const token = at.mal.issueTokens('mika').accessToken
    const { structured, text } = await at.call('mika', 'mal_get_token_info', {}, { token, ...era })
    expect(structured).toMatchObject({
      readable: true,
      scopes: [],
      client_id: at.mal.clients[0]?.id,
      renewed_here: false,
    })
    for (const part of token.split('.')) expect(`${text}${JSON.stringify(structured)}`).not.toContain(part)
  })

  test('R0-17: the connection is tested, up and down', async () => {
    await using at = await startEmulated()
    const test = () => at.call('mika', 'mal_test_connection', {}, era)
    expect((await test()).structured).toMatchObject({
      reachable: true,
      account: 'accepted',
      host: expect.stringMatching(/:/),
    })
    at.mal.settings.outage = 'html'
    expect((await test()).structured).toMatchObject({ reachable: true, account: 'refused' })
    await at.mal.close()
    expect((await test()).structured).toMatchObject({ reachable: false, account: 'not tested' })
  })

  test('R0-18: permissions are tried without changing anything', async () => {
    await using at = await startEmulated()
    const before = await at.call('mika', 'get_user_stats', {}, era)
    const check = () => at.call('mika', 'mal_check_permissions', {}, era)
    expect((await check()).structured).toMatchObject({ profile: true, anime_list: true, manga_list: true, write: true })
    at.mal.settings.writing = 'refused'
    expect((await check()).structured).toMatchObject({
      anime_list: true,
      write: false,
      says: { write: expect.any(String) },
    })
    expect((await at.call('mika', 'get_user_stats', {}, era)).structured).toEqual(before.structured)
  })

  test('the profile, with a line on where another account is chosen', async () => {
    await using at = await startEmulated()
    const { structured, text } = await at.call('mika', 'get_my_profile', {}, era)
    expect(structured).toMatchObject({ name: 'mika', time_zone: 'Europe/Berlin', anime_statistics: { num_items: 12 } })
    expect(text).toContain('another one is connected there')
  })
})

describe('without an account', () => {
  test('status and connection still have something to say', async () => {
    await using at = await startEmulated()
    expect(await callAs(at, 'mal_get_auth_status', { token: '' })).toMatchObject({
      status: 200,
      structured: { connected: false, source: 'none' },
    })
    expect(await callAs(at, 'mal_test_connection', { token: '' })).toMatchObject({
      status: 200,
      structured: { reachable: true, account: 'none' },
    })
    expect(await callAs(at, 'get_my_profile', { token: '' })).toMatchObject({ status: 401 })
  })

  test('how to connect fits whoever keeps the tokens', async () => {
    await using at = await startEmulated()
    const alone = await callAs(at, 'mal_get_auth_status', { token: '', owner: '' })
    expect(alone).toMatchObject({ text: expect.stringContaining('MAL_ACCESS_TOKEN') })
    const gate = await callAs(at, 'mal_get_auth_status', { token: '', owner: 'user-1' })
    expect(gate).toMatchObject({ text: expect.stringMatching(/Connect it where you are signed in\.(?!.*MAL_)/s) })
  })

  test('what failed before the account was connected, or with an earlier token, is over', async () => {
    await using at = await startEmulated()
    const [before, after] = [at.mal.issueTokens('mika').accessToken, at.mal.issueTokens('mika').accessToken]
    await callAs(at, 'get_my_profile', { token: '', owner: 'user-1' })
    at.mal.settings.outage = 'unavailable'
    await callAs(at, 'get_anime_ranking', { token: before, owner: 'user-1' })
    at.mal.settings.outage = undefined
    const old = await callAs(at, 'mal_get_auth_status', { token: before, owner: 'user-1' })
    expect(old.structured).toMatchObject({ connected: true, last_failure: { code: 'unavailable' } })
    const fresh = await callAs(at, 'mal_get_auth_status', { token: after, owner: 'user-1' })
    expect(fresh.structured).toMatchObject({ connected: true })
    expect(fresh.structured).not.toHaveProperty('last_failure')
  })

  test('a status asked with a token that was rejected is handed to whoever renews it', async () => {
    await using at = await startEmulated()
    const token = at.mal.issueTokens('mika').accessToken
    at.mal.expireTokens('mika')
    expect(await callAs(at, 'mal_get_auth_status', { token })).toMatchObject({ status: 401 })
  })
})

describe('R0-19: forced renewal', () => {
  test('behind a gate the token is refused once, and what comes back is another', async () => {
    await using at = await startEmulated()
    const [before, after] = [at.mal.issueTokens('mika').accessToken, at.mal.issueTokens('mika').accessToken]
    expect(await callAs(at, 'mal_rotate_tokens', { token: before, owner: 'user-1' })).toMatchObject({ status: 401 })
    expect(await callAs(at, 'mal_rotate_tokens', { token: after, owner: 'user-1' })).toMatchObject({
      status: 200,
      structured: { renewed: true },
    })
  })

  test('where whoever is in front does not renew it, that is said, and not asked for again', async () => {
    await using at = await startEmulated()
    const token = at.mal.issueTokens('mika').accessToken
    expect(await callAs(at, 'mal_rotate_tokens', { token, owner: 'user-1' })).toMatchObject({ status: 401 })
    expect(await callAs(at, 'mal_rotate_tokens', { token, owner: 'user-1' })).toMatchObject({
      status: 200,
      text: expect.stringContaining('Nobody here can renew'),
    })
    expect(await callAs(at, 'mal_rotate_tokens', { token, owner: '' })).toMatchObject({
      status: 200,
      text: expect.stringContaining('Nobody here can renew'),
    })
  })

  test('the account of a refresh token renews itself, and the status counts it', async () => {
    await using at = await startEmulated()
    const network = createNetwork()
    const { refreshToken } = at.mal.issueTokens('mika')
    const [client] = at.mal.clients
    const credentials = createRefreshManager({
      tokenUrl: `${at.url}/v1/oauth2/token`,
      clientId: client?.id ?? '',
      clientSecret: secret(client?.secret ?? ''),
      refreshToken: secret(refreshToken),
      clock: systemClock,
      fetch: network.fetch,
    })
    const handler = createMalHandler({
      apiBaseUrl: `${at.url}/v2`,
      credentials,
      toolsets: new Set(['account']),
      pace: { burst: 1000, perSecond: 1000 },
    })
    const call = async (name: string) => {
      const response = await handler.fetch(requestOf('tools/call', { name, arguments: {} }))
      return readMessages(await response.text()).at(-1)?.result?.structuredContent
    }
    const first = (await credentials.token())?.reveal()
    expect(await call('mal_rotate_tokens')).toMatchObject({
      renewed: true,
      source: 'refresh_token',
      renewed_here: true,
    })
    expect((await credentials.token())?.reveal()).not.toBe(first)
    expect(await call('mal_get_auth_status')).toMatchObject({ connected: true, renewals: { succeeded: 2, failed: 0 } })
    await handler.close()
    await network.close()
  })
})

async function callAs(at: Emulated, name: string, { token, owner = '' }: { token: string; owner?: string }) {
  const request = requestOf('tools/call', { name, arguments: {} })
  request.headers.set('x-mcp-toolsets', 'all')
  const response = await at.handler.fetch(request, { authInfo: { token, clientId: owner, scopes: [] } })
  const result = response.status === 200 ? readMessages(await response.text()).at(-1)?.result : undefined
  return {
    status: response.status,
    text: result?.content?.[0]?.text ?? '',
    structured: result?.structuredContent ?? {},
  }
}
