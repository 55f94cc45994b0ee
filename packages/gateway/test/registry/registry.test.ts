import { describe, expect, test } from 'vitest'
import type { UpstreamId } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { secret } from '../../src/base/secret.ts'
import { kindsChangedBy, type KindName } from '../../src/registry/kinds.ts'
import { exposeName } from '../../src/registry/names.ts'
import type { Standing } from '../../src/registry/registry.ts'
import { other } from '../stores/databases.ts'
import { codeOf } from '../stores/outcome.ts'
import { asker, bob, childServer, gone, httpServer, listsOf, openScene, personalServer } from './scene.ts'

const KINDS: readonly KindName[] = ['tools', 'prompts', 'resources', 'templates']
const SAMPLING = '{"sampling":{}}'
const maps = 'maps' as UpstreamId

const namesIn = (standings: readonly Standing[]) => standings.flatMap(({ items }) => items.map(({ name }) => name))
const textsIn = (standings: readonly Standing[]) =>
  standings.flatMap(({ items }) => items.map(({ json }) => json.toString()))

describe('what there is', () => {
  test('a tool is found at once, whoever takes long to start before its server is listed with others', async () => {
    const pause = new Promise<void>(() => {})
    const slow = Array.from({ length: 6 }, (_, index) => ({ ...childServer(`slow${index}`, listsOf('slow')), pause }))
    const scene = openScene({ servers: [...slow, childServer('maps', listsOf('maps'))], listMs: 1_000 })
    const listed = scene.registry.list(asker(), 'tools')
    expect((await scene.registry.require(asker(), 'tools', 'maps__maps')).name).toBe('maps')
    // Whoever is called out of turn is no reason to start more of the others.
    expect(scene.methods().filter((asked) => asked.startsWith('slow'))).toHaveLength(4)
    expect(namesIn(await listed)).toEqual(['maps'])
  })

  test('tools, prompts, resources and templates are each asked for as the protocol has it, and keep their bytes', async () => {
    const scene = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    const found = await Promise.all(KINDS.map(async (kind) => textsIn(await scene.registry.list(asker(), kind))))
    expect(found).toEqual([
      ['{"name":"maps","inputSchema":{"type":"object"}}'],
      ['{"name":"maps-prompt"}'],
      ['{"uri":"test://maps","name":"r"}'],
      ['{"uriTemplate":"test://maps/{id}","name":"t"}'],
    ])
  })

  test('on the merged endpoint each has its server with its name, and every other byte stays', async () => {
    const lists = {
      'tools/list':
        '{"tools":[{ "title":"T" ,"name" : "a","_meta":{"ui":{"x":1.0,"resourceUri":"ui://globe"},"ui/resourceUri":"ui://old","z":[]}}]}',
      'prompts/list': '{"prompts":[{"title":"T", "name":"a/b"}]}',
      'resources/list': '{"resources":[{"name":"n","size":1.0, "uri" :"ui:\\/\\/x"},{"uri":"test:\\/\\/é","name":""}]}',
      'resources/templates/list': '{"resourceTemplates":[{"uriTemplate":"test://{id}","name":"t"}]}',
    }
    const { registry } = openScene({ servers: [httpServer('maps', lists)] })
    const exposed = async (kind: KindName) => {
      const [standing] = await registry.list(asker(), kind)
      return standing?.items.map(({ exposedJson }) => exposedJson.toString())
    }
    expect(await exposed('tools')).toEqual([
      '{ "title":"T" ,"name" : "maps__a","_meta":{"ui":{"x":1.0,"resourceUri":"ui://maps+globe"},"ui/resourceUri":"ui://maps+old","z":[]}}',
    ])
    expect(await exposed('prompts')).toEqual([expect.stringMatching(/^\{"title":"T", "name":"maps__a_b_\w{8}"\}$/)])
    expect(await exposed('resources')).toEqual([
      '{"name":"n","size":1.0, "uri" :"ui://maps+x"}',
      '{"uri":"maps+test:\\/\\/é","name":""}',
    ])
    expect(await exposed('templates')).toEqual(['{"uriTemplate":"maps+test://{id}","name":"t"}'])
  })

  test('a server that does not say it has such a list is not asked for it; one with prompts alone works', async () => {
    const scene = openScene({ servers: [httpServer('maps', listsOf('maps'), { prompts: {} })] })
    for (const kind of KINDS) await scene.registry.list(asker(), kind)
    expect(scene.methods().filter((method) => !method.endsWith('describe'))).toEqual(['maps prompts/list'])
    expect(namesIn(await scene.registry.list(asker(), 'tools'))).toEqual([])
    expect(await scene.registry.require(asker(), 'prompts', 'maps__maps-prompt')).toMatchObject({ name: 'maps-prompt' })
  })

  test('a server that names the capability and does not know the method has nothing', async () => {
    const { registry } = openScene({ servers: [httpServer('maps', {})] })
    expect(await registry.list(asker(), 'resources')).toMatchObject([{ items: [], failure: undefined }])
  })

  test('all pages are taken; what is said of the list is the least of them, beside it what the first says', async () => {
    const page = (cursor: string | undefined) =>
      cursor === undefined
        ? '{"_meta":{"n":1.0},"prompts":[{"name":"a"}],"nextCursor":"2","ttlMs":9000,"cacheScope":"public","x":0,"resultType":"complete"}'
        : '{"prompts":[{"name":"b"}],"ttlMs":5000,"cacheScope":"public","y":0}'
    const { registry, clock } = openScene({
      servers: [httpServer('maps', { 'prompts/list': ({ cursor }) => page(cursor) })],
    })
    const [standing] = await registry.list(asker(), 'prompts')
    expect(namesIn(standing ? [standing] : [])).toEqual(['a', 'b'])
    expect(standing).toMatchObject({ ttlMs: 5000, isPublic: true, shelf: { rest: '"_meta":{"n":1.0},"x":0' } })
    clock.turn(2000)
    expect(await registry.list(asker(), 'prompts')).toMatchObject([{ ttlMs: 3000 }])
  })

  test('an answer that is no list is a failure of that server, and of no other', async () => {
    for (const answer of [
      '{"tools":{}}',
      '{}',
      '{"tools":[],"x":}',
      '{"tools":[],"x":nope}',
      '{"tools":[{"name":"a"}',
      '[]',
    ]) {
      const { registry } = openScene({
        servers: [httpServer('maps', { 'tools/list': answer }), httpServer('notes', listsOf('notes'))],
      })
      const standings = await registry.list(asker(), 'tools')
      expect([answer, standings[0]?.failure?.code, namesIn(standings)]).toEqual([
        answer,
        'upstream.bad_answer',
        ['notes'],
      ])
    }
  })

  test('what has no name, or that of another, is left out and logged; all the others are there', async () => {
    const items = [
      '{"uri":"a"}',
      '{"name":"b"}',
      '{"uri":""}',
      '{"uri":"a","name":"again"}',
      '7',
      '{"uri":nope}',
      '{"uri":"c"}',
    ]
    const scene = openScene({ servers: [httpServer('maps', { 'resources/list': `{"resources":[${items.join()}]}` })] })
    expect(textsIn(await scene.registry.list(asker(), 'resources'))).toEqual(['{"uri":"a"}', '{"uri":"c"}'])
    const first = ['no uri', 'no uri', 'a: the name of another', 'no uri', 'no uri']
    const facts = { server: 'maps', kind: 'resources', count: 5, first }
    expect(scene.logged).toEqual([{ event: 'registry.items_left_out', facts }])
  })

  test('one whose own name is what another is called on the merged endpoint is left out: nobody could tell them apart', async () => {
    const shortened = exposeName('maps', 'near by', 50).slice('maps__'.length)
    const tools = `{"tools":[{"name":"near by"},{"name":"${shortened}"},{"name":"far"}]}`
    const scene = openScene({ servers: [httpServer('maps', { 'tools/list': tools })] })
    const [standing] = await scene.registry.list(asker(), 'tools')
    const exposed = standing?.items.map(({ exposed }) => exposed) ?? []
    expect(exposed).toEqual([`maps__${shortened}`, 'maps__far'])
    expect((await scene.registry.require(asker(), 'tools', `maps__${shortened}`)).name).toBe('near by')
    expect(scene.logged.map(({ event }) => event)).toEqual(['registry.items_left_out'])
  })

  test('who lists is not shown what a server logs meanwhile', async () => {
    const scene = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    await scene.registry.list(asker(), 'tools')
    expect(scene.asked.map(({ logLevel }) => logLevel)).toEqual([undefined, undefined])
  })
})

describe('whose lists they are', () => {
  test('clients that can do different things have lists of their own where a server is told what they can', async () => {
    const lists = {
      'tools/list': ({ capabilities }: { capabilities: string }) =>
        capabilities === SAMPLING ? '{"tools":[{"name":"a"},{"name":"asks"}]}' : '{"tools":[{"name":"a"}]}',
    }
    const scene = openScene({ servers: [httpServer('maps', lists)] })
    expect(namesIn(await scene.registry.list(asker(), 'tools'))).toEqual(['a'])
    expect(namesIn(await scene.registry.list(asker({ capabilities: SAMPLING }), 'tools'))).toEqual(['a', 'asks'])
    expect(await codeOf(Promise.resolve(scene.registry.require(asker(), 'tools', 'maps__asks')))).toBe('tool.unknown')
    expect(scene.registry.require(asker({ capabilities: SAMPLING }), 'tools', 'maps__asks')).toMatchObject({
      name: 'asks',
    })
  })

  test('a process that all users share is told of no client, and asked once', async () => {
    const scene = openScene({ servers: [childServer('maps', listsOf('maps'), true)] })
    await scene.registry.list(asker(), 'tools')
    await scene.registry.list(asker({ capabilities: SAMPLING, userId: bob }), 'tools')
    expect(scene.methods()).toEqual(['maps describe', 'maps tools/list'])
  })

  test('a server that is given the token of each user is asked for each, and its list is nobody else’s', async () => {
    const server = personalServer('maps', {
      'tools/list': ({ token }) => `{"tools":[{"name":"of-${token}"}],"cacheScope":"public"}`,
    })
    const token = ({ userId }: { userId: string }) => secret(userId)
    const { registry } = openScene({ servers: [server], token })
    expect(namesIn(await registry.list(asker(), 'tools'))).toEqual(['of-usr_ada'])
    expect(namesIn(await registry.list(asker({ userId: bob }), 'tools'))).toEqual(['of-usr_bob'])
    expect(await registry.list(asker(), 'tools')).toMatchObject([{ isPublic: false }])
  })

  test('tenants share nothing', async () => {
    const scene = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    await scene.registry.list(asker(), 'tools')
    await scene.registry.list(asker({ tenant: other }), 'tools')
    expect(scene.methods().filter((method) => method === 'maps tools/list')).toHaveLength(2)
  })

  test('without the token it needs, nothing of a server is shown, and the reason is told', async () => {
    let known = true
    const token = () => {
      if (known) return secret('t')
      throw problem('token.required', { server: 'maps' })
    }
    const { registry } = openScene({ servers: [personalServer('maps', listsOf('maps'))], token })
    expect(namesIn(await registry.list(asker(), 'resources'))).toEqual(['test://maps'])
    known = false
    registry.invalidate(maps)
    expect(await registry.list(asker(), 'resources')).toMatchObject([
      { items: [], failure: { code: 'token.required' } },
    ])
  })
})

describe('a name', () => {
  test('that is known is answered at once, without a turn of the queue', async () => {
    const { registry } = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    expect(await registry.require(asker(), 'tools', 'maps__maps')).toMatchObject({ name: 'maps' })
    expect(registry.require(asker(), 'tools', 'maps__maps')).not.toBeInstanceOf(Promise)
    const there = asker({ server: 'maps' })
    expect(registry.require(there, 'tools', 'maps')).toMatchObject({ exposed: 'maps__maps' })
  })

  test('that is not there, or not for who asks, is unknown, whichever of the two', async () => {
    const { registry } = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    const stranger = asker({ scopes: ['mcp:notes'] })
    await registry.list(asker(), 'tools')
    const code = async (run: () => unknown) => codeOf((async () => run())())
    expect(await code(() => registry.require(asker(), 'tools', 'maps__none'))).toBe('tool.unknown')
    expect(await code(() => registry.require(asker(), 'tools', 'none__none'))).toBe('tool.unknown')
    expect(await code(() => registry.require(stranger, 'tools', 'maps__maps'))).toBe('tool.unknown')
    expect(await code(() => registry.require(asker(), 'prompts', 'maps__maps'))).toBe('prompt.unknown')
    expect(await code(() => registry.require(stranger, 'prompts', 'maps__maps-prompt'))).toBe('prompt.unknown')
    expect(await registry.list(stranger, 'tools')).toEqual([])
  })

  test('of a server that cannot be asked fails with the reason', async () => {
    const server = httpServer('maps', listsOf('maps'))
    server.failure = gone('maps')
    const { registry } = openScene({ servers: [server] })
    expect(await codeOf(Promise.resolve(registry.require(asker(), 'prompts', 'maps__a')))).toBe('upstream.unreachable')
  })

  test('says of a tool whether it may be called twice', async () => {
    const tool = (name: string, annotations: object) => JSON.stringify({ name, annotations })
    const lists = {
      'tools/list': `{"tools":[${[
        tool('reads', { readOnlyHint: true }),
        tool('sets', { idempotentHint: true }),
        tool('adds', { readOnlyHint: false, destructiveHint: false }),
        tool('lies', { readOnlyHint: 'true' }),
      ].join()}]}`,
    }
    const { registry } = openScene({ servers: [httpServer('maps', lists)] })
    const [standing] = await registry.list(asker(), 'tools')
    expect(standing?.items.map(({ name, retriable }) => [name, retriable])).toEqual([
      ['reads', true],
      ['sets', true],
      ['adds', false],
      ['lies', false],
    ])
  })
})

describe('what has changed', () => {
  test('is asked for again: the lists that the notification is about, for the user it is about, and no others', async () => {
    const servers = [childServer('maps', listsOf('maps')), childServer('notes', listsOf('notes'))]
    const scene = openScene({ servers })
    const askAll = async () => {
      const before = scene.asked.length
      for (const kind of KINDS) await scene.registry.list(asker(), kind)
      for (const kind of KINDS) await scene.registry.list(asker({ userId: bob }), kind)
      return scene.asked
        .slice(before)
        .filter(({ method }) => method !== 'describe')
        .map(({ server, method, userId }) => `${server} ${method} ${userId}`)
    }
    expect(await askAll()).toHaveLength(16)
    expect(await askAll()).toEqual([])
    for (const kind of kindsChangedBy('notifications/resources/list_changed'))
      scene.registry.invalidate(maps, { kind, tenant: asker().principal.tenant, userId: bob })
    expect(await askAll()).toEqual(['maps resources/list usr_bob', 'maps resources/templates/list usr_bob'])
    scene.registry.invalidate(maps, { tenant: other })
    expect(await askAll()).toEqual([])
    for (const kind of kindsChangedBy('notifications/prompts/list_changed')) scene.registry.invalidate(maps, { kind })
    expect(await askAll()).toEqual(['maps prompts/list usr_ada', 'maps prompts/list usr_bob'])
    scene.registry.invalidate(maps)
    expect(await askAll()).toHaveLength(8)
  })

  test('no other notification, whatever it is called, is about a list', () => {
    expect(['notifications/message', 'constructor', '__proto__'].flatMap(kindsChangedBy)).toEqual([])
  })

  test('that a server was restarted is told until the next time, and not of one that has only been started', async () => {
    const server = childServer('maps', listsOf('maps'))
    const { registry } = openScene({ servers: [server] })
    const restartedAt = async () => (await registry.list(asker(), 'tools'))[0]?.restartedAt
    server.startedAt = undefined
    expect(await restartedAt()).toBeUndefined()
    server.startedAt = 1_000
    expect(await restartedAt()).toBeUndefined()
    server.startedAt = 2_000
    expect(await restartedAt()).toBe(2_000)
    server.startedAt = undefined
    await restartedAt()
    server.startedAt = 3_000
    expect(await restartedAt()).toBe(3_000)
  })

  test('how many there are is told from what is known, without asking', async () => {
    const scene = openScene({ servers: [httpServer('maps', listsOf('maps'))] })
    expect(scene.registry.count(asker(), maps)).toEqual({})
    await scene.registry.list(asker(), 'prompts')
    await scene.registry.list(asker(), 'templates')
    const before = scene.asked.length
    expect(scene.registry.count(asker(), maps)).toEqual({ prompts: 1, templates: 1 })
    expect(scene.registry.count(asker({ scopes: [] }), maps)).toEqual({})
    expect(scene.asked).toHaveLength(before)
  })
})

describe('how long a client may keep a list', () => {
  const ttlOf = async (result: string) => {
    const { registry, clock } = openScene({ servers: [httpServer('maps', { 'prompts/list': result })] })
    await registry.list(asker(), 'prompts')
    clock.turn(10_000)
    return (await registry.list(asker(), 'prompts'))[0]?.ttlMs
  }

  test('no longer than its server says, less the time since, and no longer than the gate itself does', async () => {
    expect(await ttlOf('{"prompts":[]}')).toBe(20_000)
    expect(await ttlOf('{"prompts":[],"ttlMs":0}')).toBe(0)
    expect(await ttlOf('{"prompts":[],"ttlMs":25000.5}')).toBe(15_000)
    expect(await ttlOf('{"prompts":[],"ttlMs":600000}')).toBe(590_000)
    expect(await ttlOf('{"prompts":[],"ttlMs":1e300}')).toBe(3_590_000)
    for (const odd of ['-1', '"60000"', 'null', '{}']) expect(await ttlOf(`{"prompts":[],"ttlMs":${odd}}`)).toBe(20_000)
  })
})

describe('what one server says of itself', () => {
  test('is passed on for the endpoint of that server alone, to who may see it', async () => {
    const { registry } = openScene({ servers: [httpServer('maps', {}), httpServer('notes', {})] })
    expect(await registry.about(asker({ server: 'maps' }))).toMatchObject({ instructions: 'I am maps' })
    expect(await registry.about(asker())).toBeUndefined()
    expect(await registry.about(asker({ server: 'maps', scopes: ['mcp:notes'] }))).toBeUndefined()
    expect(await registry.about(asker({ server: 'none' }))).toBeUndefined()
  })

  test('is not waited for when it cannot be had soon, and then no longer asked for', async () => {
    const slow = { ...httpServer('slow', {}), pause: new Promise<void>(() => {}) }
    const dead = { ...httpServer('dead', {}), failure: gone('dead') }
    const scene = openScene({ servers: [slow, dead], listMs: 50 })
    expect(await scene.registry.about(asker({ server: 'dead' }))).toBeUndefined()
    expect(await scene.registry.about(asker({ server: 'slow' }))).toBeUndefined()
    expect(scene.asked.at(-1)).toMatchObject({ server: 'slow', signal: { aborted: true } })
  })
})

test('a server that takes too long keeps nobody from the others, and says so where it is asked for itself', async () => {
  let answer = () => {}
  const pause = new Promise<void>((resolve) => (answer = resolve))
  const slow = { ...httpServer('slow', listsOf('slow')), pause }
  const { registry } = openScene({ servers: [slow, httpServer('maps', listsOf('maps'))], listMs: 50 })
  const standings = await registry.list(asker(), 'tools')
  expect(standings).toMatchObject([{ failure: { code: 'upstream.start_timeout' } }, { failure: undefined }])
  expect(await codeOf(Promise.resolve(registry.require(asker(), 'tools', 'slow__slow')))).toBe('upstream.start_timeout')
  answer()
  expect(await registry.require(asker(), 'tools', 'slow__slow')).toMatchObject({ name: 'slow' })
})
