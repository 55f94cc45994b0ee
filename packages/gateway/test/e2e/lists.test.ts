import { expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { addPerson, childServer, doorOf, until } from './place.ts'
import { call, namesOf, statusOf } from './wire.ts'

async function running(gate: Gate): Promise<number> {
  const { body } = await gate.admin('GET', '/admin/api/status')
  return (body as { children: unknown[] }).children.length
}

test('a list does not start a server whose tools are known; a call does', async () => {
  const config = { mcpServers: { child: childServer() }, stdio: { idleMs: 1_500 } }
  await using gate = await startGate({ config })
  const door = doorOf(gate, await addPerson(gate, 'ada'), 'modern')
  const names = await namesOf(door)
  expect(names.some((name) => name.startsWith('child__'))).toBe(true)
  await until(async () => (await running(gate)) === 0)

  expect(await namesOf(door)).toEqual(names)
  expect((await statusOf(door)).get('child')).toMatchObject({ state: 'idle', tools: names.length - 1 })
  expect(await running(gate)).toBe(0)

  await call(door, names.find((name) => name.startsWith('child__')) ?? '')
  expect((await statusOf(door)).get('child')).toMatchObject({ state: 'ready' })
})

test('a server is waited for as long as may be said', async () => {
  const longest = 2_147_483_647
  const timeouts = { callMs: longest, startMs: longest, listMs: longest }
  await using gate = await startGate({ config: { mcpServers: { own: childServer() }, timeouts } })
  const ada = await addPerson(gate, 'ada')
  expect(await namesOf(doorOf(gate, ada))).toContain('own__whoami')
  expect(gate.log()).not.toContain('TimeoutOverflowWarning')
})
