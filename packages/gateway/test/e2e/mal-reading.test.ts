import { expect, test } from 'vitest'
import { connectMal } from '../../../../scripts/lib/people.ts'
import { enter, malAccount } from '../attacks/ground.ts'
import { eras } from './eras.ts'
import { openOutside, type Outside } from './journey/outside.ts'
import { call, namesOf, said, textFrom } from './wire.ts'

/** Someone who is signed in and has connected an emulated account. */
async function enterConnected(outside: Outside, name: string, servers: readonly string[]): Promise<string> {
  const browser = await enter(outside, name)
  for (const server of servers) {
    await connectMal(browser, `${outside.publicUrl}/connect/${server}`, malAccount('mika'))
  }
  const { body } = await outside.gate.admin('POST', '/admin/api/keys', { user: name, scopes: ['mcp'] })
  return (body as { key: string }).key
}

test.for(eras)('every tool that reads MyAnimeList answers through the gate (%s)', { timeout: 120_000 }, async (era) => {
  await using outside = await openOutside({ config: { mcpServers: { mal: { builtin: 'mal', toolsets: ['all'] } } } })
  const key = await enterConnected(outside, 'ada', ['mal'])
  const door = { url: `${outside.publicUrl}/mcp`, key, era }
  const text = (tool: string, args: object = {}) => textFrom(door, `mal__${tool}`, args)
  const id = Number(/\(id (\d+)/.exec(await text('get_my_anime_list', { limit: 1 }))?.[1])
  expect(await text('get_my_manga_list')).toContain('5 entries from 0; no more')
  expect(await text('get_anime_detail', { id })).toContain(`id ${id}`)
  expect(await text('search_anime', { query: 'tollgate', limit: 2 })).toContain('2 found')
  expect(await text('search_manga', { query: 'tollgate', limit: 2 })).toContain('2 found')
  expect(await text('get_anime_ranking', { limit: 1 })).toContain('\n1. ')
  expect(await text('get_manga_ranking', { limit: 1 })).toContain('\n1. ')
  expect(await text('get_seasonal_anime', { year: 2024, season: 'fall', limit: 1 })).toContain('fall 2024')
  expect(await text('get_anime_suggestions', { limit: 1 })).toContain('1 suggestions')
  expect(await text('get_user_anime_list', { user: 'haru', limit: 1 })).toContain('1 entry of haru')
  expect(await text('get_user_manga_list', { user: 'haru', limit: 1 })).toContain('1 entry of haru')
  expect(await text('list_forum_boards')).toContain('The Gate')
  expect(await text('search_forum_topics', { board_id: 3, limit: 1 })).toContain('1 topics')
  expect(await text('get_my_profile')).toContain('mika')
  expect(await text('mal_get_auth_status')).toContain('Connected to MyAnimeList as mika')
  expect(await text('mal_get_token_info')).toContain('The token ends in')
  expect(await text('mal_test_connection')).toContain('The account is accepted')
  expect(await text('mal_check_permissions')).toContain('Writing: yes')

  const unclear = await call(door, 'mal__get_anime_detail', { id: 'tollgate' })
  expect({ isError: unclear.isError, text: said(unclear) }).toMatchObject({
    isError: true,
    text: expect.stringContaining('Call again with one of these ids'),
  })
})

test.for(eras)(
  'a forced renewal is done by the gate, and the tool is answered with another token (%s)',
  async (era) => {
    await using outside = await openOutside({
      config: { mcpServers: { mal: { builtin: 'mal', toolsets: ['account'] } } },
    })
    const key = await enterConnected(outside, 'ada', ['mal'])
    const renewals = () =>
      outside.mal.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/oauth2/token').length
    const before = renewals()
    const door = { url: `${outside.publicUrl}/mcp`, key, era }
    expect(await textFrom(door, 'mal__mal_rotate_tokens')).toContain('The token was renewed.')
    expect(renewals()).toBe(before + 1)
    expect(await textFrom(door, 'mal__mal_get_auth_status')).toContain('Connected to MyAnimeList as mika')
  },
)

test('R0-53: what the server did is among the metrics of the gate, by tool and endpoint, and of no user', async () => {
  await using outside = await openOutside({ config: { mcpServers: { mal: { builtin: 'mal' } } } })
  const key = await enterConnected(outside, 'ada', ['mal'])
  const door = { url: `${outside.publicUrl}/mcp`, key, era: 'modern' as const }
  for (const limit of [1, 1, 2]) await textFrom(door, 'mal__get_my_anime_list', { limit })
  outside.mal.settings.outage = 'unavailable'
  await call(door, 'mal__get_anime_detail', { id: 1 })
  const { body } = await outside.gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['metrics'] })
  const headers = { authorization: `Bearer ${(body as { key: string }).key}` }
  const text = await (await fetch(`${outside.publicUrl}/metrics`, { headers })).text()
  const of = (what: string, outcome: string) => `{server="mal",what="${what}",outcome="${outcome}"}`
  for (const row of [
    `${of('tool get_my_anime_list', 'ok')} 3`,
    `${of('GET /users/@me/animelist', 'ok')} 2`,
    `${of('kept page', 'cached')} 1`,
    `${of('GET /anime/{id}', 'unavailable')} 4`,
    `${of('tool get_anime_detail', 'unavailable')} 1`,
  ])
    expect(text).toContain(`sekisho_builtin_operations_total${row}`)
  expect(text).toContain(`sekisho_builtin_seconds_total${of('GET /anime/{id}', 'unavailable')}`)
  expect(text).toMatch(/oauth_operations_total\{operation="connect",outcome="ok"\}/)
})

test('the configuration says which tools are offered, and whether any of them writes', async () => {
  await using outside = await openOutside({
    config: {
      mcpServers: {
        core: { builtin: 'mal' },
        careful: { builtin: 'mal', toolsets: ['core', 'community'], readOnly: true },
      },
    },
  })
  const key = await enterConnected(outside, 'ada', ['core', 'careful'])
  const names = await namesOf({ url: `${outside.publicUrl}/mcp`, key, era: 'modern' })
  expect(names).toEqual(
    expect.arrayContaining(['core__update_anime', 'core__search_anime', 'careful__list_forum_boards']),
  )
  expect(names.filter((name) => /^careful__(update|delete|mal_undo)|^core__list_forum/.test(name))).toEqual([])
})
