import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { textAt } from '../../../../scripts/lib/admin.ts'
import { connectMal } from '../../../../scripts/lib/people.ts'
import { enter, letIn, malAccount } from '../attacks/ground.ts'
import { eras } from './eras.ts'
import { openOutside, type Outside } from './journey/outside.ts'
import { sendRaw } from './raw.ts'
import { call, errorOf, namesOf, said, send, statusOf, textFrom, type Door } from './wire.ts'

const config = { mcpServers: { mal: { builtin: 'mal', toolsets: ['core', 'account'] } } }
const readOnly = { 'X-MCP-Readonly': 'true' }

/** Somebody at a browser and with a key. */
async function enterAlone(outside: Outside, name: string) {
  const browser = await enter(outside, name)
  const { body } = await outside.gate.admin('POST', '/admin/api/keys', { user: name, scopes: ['mcp'] })
  return { browser, key: textAt(body, 'key') }
}

/** The same with a list. */
async function enterConnected(outside: Outside, name: string, account = 'mika') {
  const person = await enterAlone(outside, name)
  await connectMal(person.browser, `${outside.publicUrl}/connect/mal`, malAccount(account))
  return person
}

/** What of the list the API was asked to change. */
const writes = ({ mal }: Outside) => mal.requests.filter(({ method }) => method === 'PATCH' || method === 'DELETE')

async function refusal(door: Door, headers: Record<string, string> = {}) {
  const change = { id: 1, score: 7 }
  const result = await call(door, 'mal__update_anime', change, { headers })
  return { isError: result.isError, text: said(result) }
}

const refused = { isError: true, text: expect.stringContaining('only what reads may be called at mal') }

describe('what a client says of it', () => {
  let outside: Outside
  let key: string
  beforeAll(async () => {
    outside = await openOutside({ config })
    ;({ key } = await enterConnected(outside, 'ada'))
  })
  afterAll(() => outside[Symbol.asyncDispose]())

  test.for([
    [true, ['true']],
    [true, ['1']],
    [true, ['YES']],
    [true, ['on']],
    [true, ['whatever']],
    [true, ['true', 'true']],
    [true, ['false', 'true']],
    [true, ['false, true']],
    [false, ['false']],
    [false, ['False', '0']],
    [false, [' , ']],
    [false, ['']],
  ] as const)('asks for less in any word that is not a no: %s for %j', async ([asks, words]) => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
    const { status, body } = await sendRaw(outside.gate.url, {
      target: '/mcp',
      body: JSON.stringify(message),
      headers: [
        `Authorization: Bearer ${key}`,
        'Content-Type: application/json',
        'Accept: application/json, text/event-stream',
        'MCP-Protocol-Version: 2025-11-25',
        ...words.map((word) => `X-MCP-Readonly: ${word}`),
      ],
    })
    expect([status, body.includes('"mal__search_anime"'), body.includes('"mal__update_anime"')]).toEqual([
      200,
      true,
      !asks,
    ])
  })
})

describe('a client that asks to change nothing', () => {
  test.for(eras)('is offered what reads, and nothing else is called for it (%s)', async (era) => {
    await using outside = await openOutside({ config })
    const { key } = await enterConnected(outside, 'ada')
    const door: Door = { url: `${outside.publicUrl}/mcp`, key, era }
    const all = await namesOf(door)
    const reply = await send(door, 'tools/list', {}, { headers: readOnly })
    const { result }: { result: { tools: { name: string; annotations?: { readOnlyHint?: boolean } }[] } } = JSON.parse(
      reply.messages.at(-1) ?? '',
    )
    expect(result.tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true)
    const left = all.filter((name) => !result.tools.some((tool) => tool.name === name))
    expect(left.toSorted()).toEqual(
      ['delete_entry', 'mal_rotate_tokens', 'mal_undo', 'update_anime', 'update_manga'].map((name) => `mal__${name}`),
    )
    expect(await refusal(door, readOnly)).toEqual(refused)
    expect(writes(outside)).toEqual([])
    const id = Number(/\(id (\d+)/.exec(await textFrom(door, 'mal__get_my_anime_list', { limit: 1 }))?.[1])
    expect(await textFrom(door, 'mal__update_anime', { id, comments: 'seen' })).toContain('comments')
    expect(writes(outside).length).toBe(1)
  })

  test('asks for toolsets by name, and hears of one that nobody has', async () => {
    await using outside = await openOutside({ config })
    const { key } = await enterConnected(outside, 'ada')
    const door: Door = { url: `${outside.publicUrl}/mcp/mal`, key, era: 'modern' }
    const some = await send(door, 'tools/list', {}, { headers: { 'X-MCP-Toolsets': 'account' } })
    expect(some.bytes.toString()).toContain('"mal_get_auth_status"')
    expect(some.bytes.toString()).not.toContain('"search_anime"')
    const none = await send(door, 'tools/list', {}, { headers: { 'X-MCP-Toolsets': 'acount' } })
    expect(errorOf(none).message).toContain('acount is none of the toolsets here, which are core, account')
  })
})

describe('a user who switches changes off at a server', () => {
  test('is offered what reads, whatever they call with, until they allow changes again', async () => {
    await using outside = await openOutside({ config })
    const { browser, key } = await enterConnected(outside, 'ada')
    const bob = await enterConnected(outside, 'bob', 'haru')
    const { accessToken } = await letIn(outside, browser)
    const doors = [key, accessToken].map((held): Door => ({
      url: `${outside.publicUrl}/mcp`,
      key: held,
      era: 'legacy',
    }))
    for (const door of doors) expect(await namesOf(door)).toContain('mal__update_anime')

    const after = await (await browser.open(`${outside.publicUrl}/account`)).press(/^Allow reading only/)
    expect(after.text).toContain('none: you have switched them off')
    for (const door of doors) {
      expect(await namesOf(door)).not.toContain('mal__update_anime')
      expect(await refusal(door)).toEqual(refused)
      expect(await textFrom(door, 'mal__mal_get_auth_status')).toContain('Read-only: tools that change something')
      expect((await statusOf(door)).get('mal')).toMatchObject({ note: expect.stringContaining('change nothing') })
    }
    expect(await namesOf({ url: `${outside.publicUrl}/mcp`, key: bob.key, era: 'legacy' })).toContain(
      'mal__update_anime',
    )
    expect(writes(outside)).toEqual([])

    await (await browser.open(`${outside.publicUrl}/account`)).press(/^Allow changes/)
    for (const door of doors) expect(await namesOf(door)).toContain('mal__update_anime')
  })
})

test('the configuration does so for everybody, at any server, and leaves users no switch', async () => {
  const servers = { mal: { builtin: 'mal', readOnly: true }, lab: { builtin: 'everything', readOnly: true } }
  await using outside = await openOutside({ config: { mcpServers: servers } })
  const { browser, key } = await enterConnected(outside, 'ada')
  const door: Door = { url: `${outside.publicUrl}/mcp`, key, era: 'modern' }
  const names = await namesOf(door)
  expect(names).toContain('mal__search_anime')
  // Of a server that does not say what reads, nothing is known to change nothing.
  expect(names.filter((name) => /update_|delete_|^lab__/.test(name))).toEqual([])
  const { isError, content } = await call(door, 'lab__test_simple_text')
  expect({ isError, text: said({ content }) }).toMatchObject({ isError: true })
  const own = await send({ ...door, url: `${outside.publicUrl}/mcp/lab` }, 'lab/wipe')
  expect(errorOf(own).message).toContain('only what reads may be called at lab')
  const page = await browser.open(`${outside.publicUrl}/account`)
  expect(page.has(/^Allow reading only/)).toBe(false)
  expect(page.text).toContain('whoever runs this gate has switched them off')
})

describe('what a server does beside its tools', () => {
  const servers = { lab: { builtin: 'everything' } }
  const tasks = {
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  }
  const task = { taskId: 'none', _meta: tasks }
  /** What nobody knows it of, and what goes on with a task, which may be one that changes something. */
  const unsure = ['lab/wipe', 'tasks/wipe', 'tasks/update'] as const

  async function answers(door: Door, headers: Record<string, string> = {}) {
    const sent = unsure.map((method) => send(door, method, task, { headers: { 'Mcp-Name': 'none', ...headers } }))
    return (await Promise.all(sent)).map((reply) =>
      errorOf(reply).message.includes('only what reads may be called at lab'),
    )
  }

  test('is not asked of it where nothing may be changed, whoever says so, but what only looks is', async () => {
    await using outside = await openOutside({ config: { mcpServers: servers } })
    const { browser, key } = await enterAlone(outside, 'ada')
    const door: Door = { url: `${outside.publicUrl}/mcp/lab`, key, era: 'modern' }
    expect(await answers(door)).toEqual([false, false, false])
    expect(await answers(door, readOnly)).toEqual([true, true, true])
    const looked = await send(door, 'tasks/get', task, { headers: { 'Mcp-Name': 'none', ...readOnly } })
    expect(errorOf(looked).message).not.toContain('only what reads')
    await (await browser.open(`${outside.publicUrl}/account`)).press(/^Allow reading only/)
    expect(await answers(door)).toEqual([true, true, true])
  })

  test('is not asked of it where the configuration says so', async () => {
    const config = { mcpServers: { lab: { ...servers.lab, readOnly: true } } }
    await using outside = await openOutside({ config })
    const { key } = await enterAlone(outside, 'ada')
    expect(await answers({ url: `${outside.publicUrl}/mcp/lab`, key, era: 'modern' })).toEqual([true, true, true])
  })
})
