import { expect, test } from 'vitest'
import { describeStatus, noteOf } from '../../src/mcp/status.ts'
import type { Standing } from '../../src/registry/registry.ts'
import { asker, childServer, gone, httpServer, listsOf, openScene, type Server } from '../registry/scene.ts'

const MINUTE = 60_000

async function standingsOf(servers: readonly Server[]) {
  const { registry } = openScene({ servers })
  return { registry, standings: await registry.list(asker(), 'tools') }
}

test('says of each server what it has, as far as that is known', async () => {
  const { registry, standings } = await standingsOf([
    httpServer('maps', listsOf('maps')),
    httpServer('notes', listsOf('notes')),
  ])
  const counts = ({ definition }: Standing) => registry.count(asker(), definition.id)
  const facts = { counts, note: () => undefined }
  expect(describeStatus(standings, facts).text).toBe(
    '2 of 2 servers are ready.\n- maps: ready, 1 tool\n- notes: ready, 1 tool',
  )
  for (const kind of ['prompts', 'resources', 'templates'] as const)
    await registry.list(asker({ server: 'maps' }), kind)
  const { text, servers } = describeStatus(standings, facts)
  expect(text).toBe('2 of 2 servers are ready.\n- maps: ready, 1 tool, 1 prompt, 2 resources\n- notes: ready, 1 tool')
  expect(servers).toMatchObject([
    { server: 'maps', state: 'ready', tools: 1, prompts: 1, resources: 2 },
    { server: 'notes', state: 'ready', tools: 1 },
  ])
  expect(servers[1]).not.toHaveProperty('prompts')
})

test('says that a server was restarted, for as long as somebody may wonder', async () => {
  const server = childServer('maps', listsOf('maps'))
  server.startedAt = 5 * MINUTE
  const { standings } = await standingsOf([server])
  const restarted = standings.map((standing) => ({ ...standing, restartedAt: 5 * MINUTE }))
  const at = (now: number) =>
    describeStatus(restarted, { counts: () => ({}), note: (standing) => noteOf(standing, now) })
  const words = (when: string) => `was restarted ${when} ago: what it had in memory is gone`
  expect(at(7 * MINUTE).text).toContain(`- maps: ready, 1 tool; ${words('2 minutes')}`)
  expect(at(7 * MINUTE).servers).toMatchObject([{ note: words('2 minutes') }])
  expect(at(6 * MINUTE).servers).toMatchObject([{ note: words('1 minute') }])
  expect(at(5 * MINUTE).servers).toMatchObject([{ note: words('less than a minute') }])
  expect(at(65 * MINUTE).servers[0]).not.toHaveProperty('note')
  expect(describeStatus(standings).servers[0]).not.toHaveProperty('note')
})

test('says why a server is missing and what to do', async () => {
  const { standings } = await standingsOf([{ ...httpServer('maps', {}), failure: gone('maps') }])
  expect(describeStatus(standings).text).toMatch(
    /^0 of 1 servers are ready\.\n- maps: unavailable\. maps cannot be reached\. /,
  )
})
