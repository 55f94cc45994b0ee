import { expect, test } from 'vitest'
import type { UpstreamDefinition } from '../../src/upstreams/definition.ts'
import { kinds, type KindName } from '../../src/registry/kinds.ts'
import { createLastKnown, type Memory } from '../../src/registry/last-known.ts'
import type { Standing } from '../../src/registry/registry.ts'
import { createTestClock, eachDatabase, other, ten, type FreshDatabase } from '../stores/databases.ts'
import { ada, asker, bob, childServer, gone, httpServer, listsOf, openScene, type Server } from './scene.ts'

const KINDS = Object.keys(kinds) as KindName[]
const { definition: personal } = childServer('notes', {})
const { definition: common } = httpServer('maps', {})

function memory(definition: UpstreamDefinition, more: Partial<Memory> = {}): Memory {
  return { definition, tenant: ten, userId: ada, kind: 'tools', client: '', ...more }
}

const shelf = (text: string, rest = '') => ({ own: Buffer.from(text), rest })
const namesIn = (standings: readonly Standing[]) => standings.flatMap(({ items }) => items.map(({ name }) => name))

eachDatabase((_name, openFresh) => {
  async function open(database: FreshDatabase) {
    const clock = createTestClock()
    const lastKnown = createLastKnown({ storage: database.storage, clock })
    const items = async (wanted: Memory) => (await lastKnown.find(wanted))?.listing.items.map(String)
    return { clock, lastKnown, items }
  }

  test('a list comes back byte for byte, with what stood beside it', async () => {
    await using database = await openFresh()
    const { lastKnown } = await open(database)
    const odd = String.raw`{ "uri":"é 😀 \u0000","size":1.0,"size":2 },{"uri":"b"}`
    await lastKnown.save(memory(common, { kind: 'resources' }), shelf(odd, '"_meta":{"n":12345678901234567890}'))
    const found = await lastKnown.find(memory(common, { kind: 'resources' }))
    expect(found?.listing.items.map(String).join()).toBe(odd)
    expect(found).toMatchObject({ isExact: true, listing: { rest: '"_meta":{"n":12345678901234567890}' } })
  })

  test('kinds, users, tenants and configurations are kept apart; what all users share is one list', async () => {
    await using database = await openFresh()
    const { lastKnown, items } = await open(database)
    await lastKnown.save(memory(personal), shelf('{"name":"a"}'))
    await lastKnown.save(memory(common), shelf('{"name":"b"}'))
    expect(await items(memory(personal))).toEqual(['{"name":"a"}'])
    for (const more of [{ userId: bob }, { tenant: other }, { kind: 'prompts' }] as const)
      expect(await items(memory(personal, more))).toBeUndefined()
    expect(await items(memory({ ...personal, timeoutMs: 1 }))).toBeUndefined()
    expect(await items(memory(common, { userId: bob }))).toEqual(['{"name":"b"}'])
  })

  test('where nothing is known for such a client, another’s newest is shown, and said to be so', async () => {
    await using database = await openFresh()
    const { clock, lastKnown } = await open(database)
    await lastKnown.save(memory(common, { client: 'one' }), shelf('{"name":"a"}'))
    clock.turn(1)
    await lastKnown.save(memory(common, { client: 'two' }), shelf('{"name":"a"},{"name":"b"}'))
    const found = await lastKnown.find(memory(common, { client: 'three' }))
    expect(found).toMatchObject({ isExact: false, listing: { items: { length: 2 } } })
    expect(await lastKnown.find(memory(common, { client: 'one' }))).toMatchObject({ isExact: true })
    expect(await lastKnown.count(memory(common), 'tools')).toBe(2)
    expect(await lastKnown.count(memory(common), 'prompts')).toBeUndefined()
  })

  test('clients of ever new kinds do not fill the disk: the oldest lists go', async () => {
    await using database = await openFresh()
    const { clock, lastKnown } = await open(database)
    await lastKnown.save(memory(common, { client: 'c', kind: 'prompts' }), shelf('{"name":"p"}'))
    for (let index = 0; index < 20; index++) {
      clock.turn(1)
      await lastKnown.save(memory(common, { client: `c${index}` }), shelf('{"name":"a"}'))
    }
    const rows = await database.storage.for(ten).selectFrom('catalogs').select(['kind', 'client']).execute()
    const kept = rows.filter(({ kind }) => kind === 'tools').map(({ client }) => client)
    expect(kept.sort()).toEqual(['c12', 'c13', 'c14', 'c15', 'c16', 'c17', 'c18', 'c19'])
    expect(rows).toHaveLength(9)
  })

  test('many at once that write one list down end with one of them', async () => {
    await using database = await openFresh()
    const { lastKnown, items } = await open(database)
    const texts = Array.from({ length: 8 }, (_, index) => `{"name":"t${index}"}`)
    await Promise.all(texts.map((text) => lastKnown.save(memory(common), shelf(text))))
    expect(texts).toContain((await items(memory(common)))?.join())
  })

  test('after a restart a dead server keeps all it had, for every kind of client, and another is asked anew', async () => {
    await using database = await openFresh()
    const { lastKnown } = await open(database)
    const lists: Server['lists'] = { ...listsOf('maps'), 'prompts/list': '{"x":1.0,"prompts":[{"name":"p"}]}' }
    const before = openScene({ servers: [httpServer('maps', lists)], lastKnown })
    for (const kind of KINDS) await before.registry.list(asker(), kind)

    const server = httpServer('maps', listsOf('new'))
    server.failure = gone('maps')
    const after = openScene({ servers: [server], lastKnown })
    const failing = [
      { who: asker(), code: 'upstream.unreachable' },
      { who: asker({ capabilities: '{"sampling":{}}' }), code: 'upstream.resting' },
    ]
    for (const { who, code } of failing) {
      const listed: Awaited<ReturnType<typeof after.registry.list>>[] = []
      // One after the other: from the third failure on the server rests.
      for (const kind of KINDS) listed.push(await after.registry.list(who, kind))
      expect(listed.map(namesIn)).toEqual([['maps'], ['p'], ['test://maps'], ['test://maps/{id}']])
      expect(listed[1]).toMatchObject([{ ttlMs: 0, shelf: { rest: '"x":1.0' }, failure: { code } }])
    }
    server.failure = undefined
    after.clock.turn(5_000)
    expect(namesIn(await after.registry.list(asker(), 'tools'))).toEqual(['new'])
  })

  test('what is known is not a reason to start a process; what is known of another kind of client alone is', async () => {
    await using database = await openFresh()
    const { lastKnown } = await open(database)
    const running = { ...childServer('notes', listsOf('notes')), startedAt: 1 }
    await openScene({ servers: [running], lastKnown }).registry.list(asker(), 'tools')

    const scene = openScene({ servers: [childServer('notes', listsOf('notes'))], lastKnown })
    expect(namesIn(await scene.registry.list(asker(), 'tools'))).toEqual(['notes'])
    expect(scene.methods()).toEqual([])
    expect(namesIn(await scene.registry.list(asker({ capabilities: '{"roots":{}}' }), 'tools'))).toEqual(['notes'])
    expect(scene.methods()).toEqual(['notes describe', 'notes tools/list'])
    // From then on it is known of that kind as well.
    scene.clock.turn(24 * 3_600_000)
    await scene.registry.list(asker({ capabilities: '{"roots":{}}' }), 'tools')
    expect(scene.methods()).toHaveLength(2)
  })
})
