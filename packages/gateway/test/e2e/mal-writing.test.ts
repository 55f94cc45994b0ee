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
