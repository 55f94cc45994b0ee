import { expect, test } from 'vitest'
import { connectMal } from '../../../../scripts/lib/people.ts'
import { enter, malAccount } from '../attacks/ground.ts'
import type { Era } from './eras.ts'
import { openOutside } from './journey/outside.ts'
import { textFrom } from './wire.ts'

test('what the MyAnimeList server writes down is kept in the gate’s database, for each user apart, and undone after a crash', async () => {
  await using outside = await openOutside()
  const { publicUrl } = outside
  const keyOf = async (name: string) => {
    const browser = await enter(outside, name)
    await connectMal(browser, `${publicUrl}/connect/mal`, malAccount('mika'))
    const { body } = await outside.gate.admin('POST', '/admin/api/keys', { user: name, scopes: ['mcp'] })
    return (body as { key: string }).key
  }
  const [ada, bob] = [await keyOf('ada'), await keyOf('bob')]
  const call = (key: string, era: Era, tool: string, args: object) =>
    textFrom({ url: `${publicUrl}/mcp`, key, era }, `mal__${tool}`, args)

  const list = await call(ada, 'modern', 'get_my_anime_list', { limit: 1 })
  const id = Number(/\(id (\d+)/.exec(list)?.[1])
  const priority = async () => /priority (\d) → 2/.exec(await call(ada, 'modern', 'update_anime', { id, priority: 2 }))
  await call(ada, 'modern', 'update_anime', { id, priority: 1 })
  expect((await priority())?.[1]).toBe('1')

  // The same account at MyAnimeList, but another user here.
  await expect(call(bob, 'modern', 'mal_undo', {})).rejects.toThrow('nothing to undo')
  await outside.restart('SIGKILL')
  expect(await call(ada, 'legacy', 'mal_undo', {})).toContain('1 of 1 done')
  expect((await priority())?.[1]).toBe('1')
}, 120_000)

test('R0-11, R0-34: the configuration says how fast an account is asked; what one call has no time for is left to the next', async () => {
  const mal = {
    builtin: 'mal',
    toolsets: ['all'],
    timeoutMs: 9_000,
    limits: { requestsPerSecond: 1.5, requestsPerHour: 80 },
  }
  await using outside = await openOutside({ config: { mcpServers: { mal } } })
  const { publicUrl, gate } = outside
  const browser = await enter(outside, 'ada')
  await connectMal(browser, `${publicUrl}/connect/mal`, malAccount('mika'))
  const { body } = await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const door = { url: `${publicUrl}/mcp`, key: (body as { key: string }).key, era: 'modern' as const }
  const planned = await textFrom(door, 'mal__plan_bulk_update', { query: 'id>0', change: { comments: 'seen' } })
  expect(planned).toMatch(/^Plan /)
  const id = /Plan (\S+):/.exec(planned)?.[1]
  const first = await textFrom(door, 'mal__apply_plan', { plan_id: id })
  expect(first).toContain('this call had no more time')
  let last = first
  for (let call = 0; call < 10 && !last.includes('12 of 12 done'); call += 1)
    last = await textFrom(door, 'mal__resume_operation', { operation_id: id })
  expect(last).toContain('12 of 12 done')
  expect(await textFrom(door, 'mal__mal_get_auth_status')).toMatch(/Requests this hour: \d+ of 80\./)
}, 120_000)
