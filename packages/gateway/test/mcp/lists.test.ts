import { describe, expect, test } from 'vitest'
import { modernClient } from '../../src/mcp/eras/2026-07-28.ts'
import { legacyClient } from '../../src/mcp/eras/legacy.ts'
import { listPage, type Lister } from '../../src/mcp/lists.ts'
import { kinds, type KindName } from '../../src/registry/kinds.ts'
import type { EraName } from '../../src/upstreams/era.ts'
import { codeOf } from '../stores/outcome.ts'
import { asker, gone, httpServer, listsOf, openScene, personalServer, type Server } from '../registry/scene.ts'

const KINDS = Object.keys(kinds) as KindName[]
const eras = { modern: modernClient, legacy: legacyClient }

function lister(wanted: Parameters<typeof asker>[0] = {}): Lister {
  return { ...asker(wanted), era: eras[wanted.era ?? 'modern'] }
}

function openLists(servers: readonly Server[], perPage = 1_000) {
  const scene = openScene({ servers })
  const needs = { registry: scene.registry, settings: { perPage } }
  const page = async (who: Lister, kind: KindName, cursor?: string) =>
    (await listPage(needs, who, kind, cursor)).toString()
  return {
    ...scene,
    page,
    async value(who: Lister, kind: KindName, cursor?: string): Promise<Record<string, unknown>> {
      return JSON.parse(await page(who, kind, cursor))
    },
    /** The items of all pages, each as its own JSON text, and how many pages there were. */
    async walk(who: Lister, kind: KindName): Promise<{ items: string[]; pages: number }> {
      const items: string[] = []
      let cursor: unknown
      let pages = 0
      do {
        const value: Record<string, unknown> = JSON.parse(await page(who, kind, cursor as string | undefined))
        items.push(...(value[kinds[kind].member] as object[]).map((item) => JSON.stringify(item)))
        cursor = value['nextCursor']
        pages++
      } while (cursor !== undefined)
      return { items, pages }
    },
  }
}

/** A list of so many prompts. */
function prompts(count: number, more = ''): string {
  const items = Array.from({ length: count }, (_, index) => `{"name":"p${index}"}`)
  return `{"prompts":[${items.join(' ,\n')}]${more}}`
}

describe('a list', () => {
  test.for<EraName>(['modern', 'legacy'])('of every kind, in the %s era, of one server and of all', async (era) => {
    const lists = openLists([httpServer('maps', listsOf('maps')), httpServer('notes', listsOf('notes'))])
    const own = await Promise.all(KINDS.map((kind) => lists.walk(lister({ era, server: 'notes' }), kind)))
    expect(own.map(({ items }) => items)).toEqual([
      ['{"name":"notes","inputSchema":{"type":"object"}}'],
      ['{"name":"notes-prompt"}'],
      ['{"uri":"test://notes","name":"r"}'],
      ['{"uriTemplate":"test://notes/{id}","name":"t"}'],
    ])
    const merged = await Promise.all(KINDS.map((kind) => lists.walk(lister({ era }), kind)))
    expect(merged[0]?.items[0]).toContain('"sekisho_status"')
    expect(merged.map(({ items }) => items.slice(-2))).toEqual([
      [
        '{"name":"maps__maps","inputSchema":{"type":"object"}}',
        '{"name":"notes__notes","inputSchema":{"type":"object"}}',
      ],
      ['{"name":"maps__maps-prompt"}', '{"name":"notes__notes-prompt"}'],
      ['{"uri":"maps+test://maps","name":"r"}', '{"uri":"notes+test://notes","name":"r"}'],
      ['{"uriTemplate":"maps+test://maps/{id}","name":"t"}', '{"uriTemplate":"notes+test://notes/{id}","name":"t"}'],
    ])
    expect(merged.map(({ items }) => items.length)).toEqual([3, 2, 2, 2])
  })

  test('of a server alone has every description byte for byte, and what the server said beside it', async () => {
    const odd = String.raw`{ "name" : "a","x":1.0,"big":12345678901234567890 }`
    const result = `{"_meta":{"n":1.0},"prompts":[ ${odd} ,{"name":"b"}],"resultType":"complete","ttlMs":1,"cacheScope":"public","z":[ ]}`
    const lists = openLists([httpServer('maps', { 'prompts/list': result })])
    expect(await lists.page(lister({ server: 'maps' }), 'prompts')).toBe(
      `{"resultType":"complete","prompts":[${odd},{"name":"b"}],"ttlMs":1,"cacheScope":"public","_meta":{"n":1.0},"z":[ ]}`,
    )
    expect(await lists.page(lister({ server: 'maps', era: 'legacy' }), 'prompts')).toBe(
      `{"prompts":[${odd},{"name":"b"}],"_meta":{"n":1.0},"z":[ ]}`,
    )
    const merged = await lists.value(lister(), 'prompts')
    expect(Object.keys(merged).sort()).toEqual(['cacheScope', 'prompts', 'resultType', 'ttlMs'])
  })

  test('in pages has everything once and in order, wherever they are cut', async () => {
    const servers = [3, 0, 1, 4].map((count, index) => httpServer(`s${index}`, { 'prompts/list': prompts(count) }))
    const all = (await openLists(servers).walk(lister(), 'prompts')).items
    expect(all).toHaveLength(8)
    for (let perPage = 1; perPage <= 9; perPage++) {
      const lists = openLists(servers, perPage)
      expect(await lists.walk(lister(), 'prompts')).toEqual({ items: all, pages: Math.ceil(8 / perPage) })
      const own = await lists.walk(lister({ server: 's3' }), 'prompts')
      expect(own).toEqual({ items: [0, 1, 2, 3].map((n) => `{"name":"p${n}"}`), pages: Math.ceil(4 / perPage) })
    }
  })

  test.for([1, 2, 3, 1_000])('with some of it left out has the rest once and in order, %s a page', async (perPage) => {
    const tool = (name: string, says = '') => `{"name":"${name}","inputSchema":{"type":"object"}${says}}`
    const reads = ',"annotations":{"readOnlyHint":true}'
    const all = [tool('a', reads), tool('b'), tool('c', `${reads},"_meta":{"toolset":"core"}`), tool('d', reads)]
    const list = `{"tools":[${all.join(',')}],"ttlMs":9000,"cacheScope":"public"}`
    const lists = openLists(
      ['maps', 'notes'].map((name) => httpServer(name, { 'tools/list': list })),
      perPage,
    )
    const narrowings = [
      { narrowing: { readOnly: true, toolsets: undefined }, left: [0, 2, 3] },
      { narrowing: { readOnly: false, toolsets: [] }, left: [0, 1, 3] },
      { narrowing: { readOnly: true, toolsets: ['core'] }, left: [0, 2, 3] },
      { narrowing: { readOnly: false, toolsets: ['core'] }, left: [0, 1, 2, 3] },
      { narrowing: { readOnly: false, toolsets: undefined }, left: [0, 1, 2, 3] },
    ]
    for (const { narrowing, left } of narrowings) {
      const alone = { ...lister({ server: 'maps' }), narrowing }
      expect((await lists.walk(alone, 'tools')).items).toEqual(left.map((index) => all[index]))
      const isWhole = left.length === all.length
      expect(await lists.value(alone, 'tools')).toMatchObject({ cacheScope: isWhole ? 'public' : 'private' })
      const merged = await lists.walk({ ...lister(), narrowing }, 'tools')
      const names = merged.items.slice(1).map((item): unknown => JSON.parse(item).name)
      const letters = left.map((index) => 'abcd'[index])
      expect(names).toEqual([...letters.map((name) => `maps__${name}`), ...letters.map((name) => `notes__${name}`)])
    }
  })

  test('goes on after what was seen last, also when there is more or less before it now', async () => {
    const server = httpServer('maps', { 'resources/list': '{"resources":[{"uri":"a b"},{"uri":"c d"},{"uri":"e"}]}' })
    const lists = openLists([server], 2)
    const { nextCursor } = await lists.value(lister(), 'resources')
    server.lists['resources/list'] = '{"resources":[{"uri":"new"},{"uri":"c d"},{"uri":"e"}]}'
    lists.registry.invalidate(server.definition.id)
    expect(await lists.value(lister(), 'resources', String(nextCursor))).toMatchObject({
      resources: [{ uri: 'maps+e' }],
    })
    server.lists['resources/list'] = '{"resources":[]}'
    lists.registry.invalidate(server.definition.id)
    const late = lists.page(lister(), 'resources', String(nextCursor))
    expect(await codeOf(late)).toBe('request.params')
  })

  test('takes no cursor that is not its own', async () => {
    const lists = openLists([httpServer('maps', { 'prompts/list': prompts(3) })], 1)
    for (const cursor of ['', 'x', '!!', Buffer.from('maps none').toString('base64url')])
      expect(await codeOf(lists.page(lister(), 'prompts', cursor))).toBe('request.params')
  })

  test('of no servers is empty, but for the tool that says so', async () => {
    const lists = openLists([httpServer('maps', listsOf('maps'))])
    const stranger = lister({ scopes: [] })
    expect(await lists.value(stranger, 'tools')).toMatchObject({ tools: [{ name: 'sekisho_status' }], ttlMs: 30_000 })
    expect(await lists.value(stranger, 'resources')).toMatchObject({ resources: [] })
  })
})

describe('how long and for whom a list is good', () => {
  test('is what the server says where there is one; all together for the shortest time, and for this user alone', async () => {
    const lists = openLists([
      httpServer('maps', { 'prompts/list': prompts(1, ',"ttlMs":90000,"cacheScope":"public"') }),
      httpServer('notes', { 'prompts/list': prompts(1, ',"ttlMs":60000,"cacheScope":"public"') }),
    ])
    expect(await lists.value(lister({ server: 'maps' }), 'prompts')).toMatchObject({
      ttlMs: 90_000,
      cacheScope: 'public',
    })
    expect(await lists.value(lister(), 'prompts')).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' })
  })

  test('is this user alone where the server may tell users apart, whatever it says', async () => {
    const lists = openLists([personalServer('maps', { 'prompts/list': prompts(1, ',"cacheScope":"public"') })])
    expect(await lists.value(lister({ server: 'maps' }), 'prompts')).toMatchObject({ cacheScope: 'private' })
  })

  test('is this user alone where one page of the server’s says so, or none says anything', async () => {
    const page = (cursor: string | undefined) =>
      cursor === undefined
        ? prompts(1, ',"nextCursor":"2","cacheScope":"public"')
        : prompts(0, ',"cacheScope":"private"')
    const servers = [
      httpServer('maps', { 'prompts/list': ({ cursor }) => page(cursor) }),
      httpServer('notes', { 'prompts/list': prompts(1) }),
    ]
    for (const server of ['maps', 'notes'])
      expect(await openLists(servers).value(lister({ server }), 'prompts')).toMatchObject({ cacheScope: 'private' })
  })

  test('is this user alone where they may not see the server', async () => {
    const lists = openLists([httpServer('maps', { 'prompts/list': prompts(1, ',"cacheScope":"public"') })])
    const stranger = lister({ server: 'maps', scopes: ['mcp:notes'] })
    expect(await lists.value(stranger, 'prompts')).toMatchObject({ prompts: [], cacheScope: 'private' })
  })

  test('is not a moment where something is missing', async () => {
    const dead = { ...httpServer('dead', {}), failure: gone('dead') }
    const lists = openLists([httpServer('maps', listsOf('maps')), dead])
    expect(await lists.value(lister(), 'resources')).toMatchObject({
      resources: [{ uri: 'maps+test://maps' }],
      ttlMs: 0,
    })
  })
})

test('a server that was never listed fails its own list with the reason, and is left out of all together', async () => {
  const dead = { ...httpServer('dead', {}), failure: gone('dead') }
  const lists = openLists([dead])
  const codes: unknown[] = []
  for (const kind of KINDS) {
    codes.push(await codeOf(lists.page(lister({ server: 'dead' }), kind)))
    expect(await codeOf(lists.page(lister(), kind))).toBe('none')
  }
  // After three times in a row nobody is sent there for a while.
  const tried = Array<string>(3).fill('upstream.unreachable')
  expect(codes).toEqual([...tried, 'upstream.resting'])
})
