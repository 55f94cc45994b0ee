import { randomBytes } from 'node:crypto'
import { startEverything } from '@sekisho/playground/everything/http'
import { describe, expect, test } from 'vitest'
import { textAt } from '../../../../scripts/lib/admin.ts'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { enter } from '../attacks/ground.ts'
import { REDIS, withoutRedis } from '../storage/shared/places.ts'
import { withoutPostgres } from '../stores/databases.ts'
import { asAnswer, codeOf } from './failures.ts'
import { doorOf, until } from './place.ts'
import { openSchema } from './sign-in/postgres.ts'
import { call, errorOf, namesOf, resultOf, said, send, type Door, type Sending, type ToolResult } from './wire.ts'

/** A call that waits for its user's answer is not gone on with where its user wants nothing changed since. */

const TOOL = 'test_elicitation'
const _meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
const params = (name: string) => ({ name, arguments: { message: 'Shall it be deleted?' }, _meta })

const readOnly = { headers: { 'X-MCP-Readonly': 'true' } }

interface Asking {
  readonly requestState: string
  readonly inputRequests: Readonly<Record<string, unknown>>
}

/** Calls a tool that asks in mid-call; gives what the client has to come again with. */
async function begin(door: Door, name: string): Promise<object> {
  const { requestState, inputRequests } = resultOf<Asking>(await send(door, 'tools/call', params(name)))
  const reply = { action: 'accept', content: { name: 'Ada', email: 'ada@example.com' } }
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, reply]))
  return { ...params(name), requestState, inputResponses }
}

async function goOn(door: Door, again: object, sending?: Sending) {
  const result = resultOf<ToolResult>(await send(door, 'tools/call', again, sending))
  return { isError: result.isError === true, text: said(result) }
}

const refused = { isError: true, text: expect.stringContaining(`${TOOL} was not called: only what reads`) }
const ended = { isError: true, text: expect.stringContaining('lab ended before it answered') }
const done = { isError: false, text: expect.stringContaining('User response: action=accept') }

/** A user at a browser and with a key, in front of a server that has never heard of states. */
async function enterAda(gate: Gate) {
  const browser = await enter({ gate }, 'ada')
  const { body } = await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const account = `${gate.url.replace('127.0.0.1', 'localhost')}/account`
  return {
    key: textAt(body, 'key'),
    /** The button of the first server. */
    press: async (button: RegExp) => (await browser.open(account)).press(button),
  }
}

describe('a call that waits for its user', () => {
  test.for([undefined, 'lab'])('goes on only while changes are allowed (at the server: %s)', async (server) => {
    await using lab = await startEverything({ port: 0, era: 'legacy' })
    await using gate = await startGate({ config: { mcpServers: { lab: { url: lab.url } } } })
    const ada = await enterAda(gate)
    const door = doorOf(gate, ada, 'modern', server)
    const name = server === undefined ? `lab__${TOOL}` : TOOL
    const first = await begin(door, name)
    expect(await goOn(door, first, readOnly)).toEqual(refused)
    // Nobody had answered: the server still waits.
    expect(await goOn(door, first)).toEqual(done)

    const second = await begin(door, name)
    await ada.press(/^Allow reading only/)
    expect(await goOn(door, second)).toEqual(refused)
    await ada.press(/^Allow changes/)
    expect(await goOn(door, second)).toEqual(ended)
  })

  test('goes on at no other address either', async () => {
    await using lab = await startEverything({ port: 0, era: 'legacy' })
    const mcpServers = { lab: { url: lab.url }, twin: { url: lab.url } }
    await using gate = await startGate({ config: { mcpServers } })
    const ada = await enterAda(gate)
    const again = await begin(doorOf(gate, ada, 'modern', 'lab'), TOOL)

    await ada.press(/^Allow reading only/)
    const twin = doorOf(gate, ada, 'modern', 'twin')
    expect((await call(twin, 'test_simple_text')).isError).toBeUndefined()
    expect(codeOf(asAnswer(await send(twin, 'tools/call', again)))).toBe('call.state')
    const merged = await send(doorOf(gate, ada), 'tools/call', again)
    expect(errorOf(merged).message).toContain(`Unknown tool: ${TOOL}`)
  })
})

describe.skipIf(withoutRedis || withoutPostgres)('where several processes serve one database', () => {
  test('what is switched off at one of them is off at the others, and a call of before goes on at none', async () => {
    await using lab = await startEverything({ port: 0, era: 'legacy' })
    await using schema = await openSchema()
    const root = randomBytes(32).toString('base64')
    const env = { DATABASE_URL: schema.databaseUrl, REDIS_URL: REDIS, SEKISHO_ROOT_KEY: root }
    const config = { mcpServers: { lab: { url: lab.url } } }
    await using one = await startGate({ config, env })
    await using other = await startGate({ config, env })
    const ada = await enterAda(one)
    const doors = [doorOf(one, ada), doorOf(other, ada)] as const
    for (const door of doors) expect(await namesOf(door)).toContain(`lab__${TOOL}`)
    for (const [here, there] of [doors, [doors[1], doors[0]]] as const) {
      const again = await begin(here, `lab__${TOOL}`)
      expect(await goOn(there, again, readOnly)).toEqual(refused)
      expect(await goOn(there, again)).toEqual(done)
    }
    const waiting = await Promise.all(doors.map((door) => begin(door, `lab__${TOOL}`)))

    await ada.press(/^Allow reading only/)
    for (const door of doors) {
      await until(async () => !(await namesOf(door)).includes(`lab__${TOOL}`))
      for (const again of waiting) expect(await goOn(door, again)).toEqual(refused)
    }
    await ada.press(/^Allow changes/)
    for (const [index, door] of doors.entries()) {
      await until(async () => (await namesOf(door)).includes(`lab__${TOOL}`))
      expect(await goOn(door, waiting[1 - index] ?? {})).toEqual(ended)
    }
  })
})
