import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { asAnswer, codeOf } from './failures.ts'
import { addPerson, doorOf, personalServer, type Person } from './place.ts'
import { startScripted, type Asked, type Scripted } from './scripted.ts'
import { resultOf, send, textFrom } from './wire.ts'

/** A call with a state goes on with one that was made before: with a state that opens nothing it is none at all. */

let older: Scripted
let newer: Scripted
let gate: Gate
let ada: Person

beforeAll(async () => {
  older = await startScripted(answerAsOlder)
  newer = await startScripted(answerAsNewer)
  const mcpServers = {
    older: { url: older.url },
    mine: personalServer(older.url),
    common: { url: newer.url },
    personal: personalServer(newer.url),
  }
  gate = await startGate({ config: { mcpServers } })
  ada = await addPerson(gate, 'ada', ['mine', 'personal'])
})
afterAll(async () => {
  await gate.stop()
  await Promise.all([older.close(), newer.close()])
})

function come(server: string, requestState: string) {
  return send(doorOf(gate, ada, 'modern', server), 'tools/call', { name: 'run', arguments: {}, requestState })
}

/** What the gate gives in place of the state of a server to which all users look alike. */
async function sealedState(): Promise<string> {
  const asked = await send(doorOf(gate, ada, 'modern', 'common'), 'tools/call', { name: 'run', arguments: {} })
  return resultOf<{ requestState: string }>(asked).requestState
}

function runsOf({ asked }: Scripted): readonly Asked[] {
  return asked.filter(({ method }) => method === 'tools/call')
}

test('an older server gives no state, so a call that comes with one is refused and not run', async () => {
  for (const state of ['sk1.AAAA', 'sk2.AAAA', 'whatever', await sealedState()])
    for (const server of ['older', 'mine']) {
      const refused = await come(server, state)
      expect([state, refused.status, codeOf(asAnswer(refused))]).toEqual([state, 400, 'call.state'])
    }
  expect(runsOf(older)).toEqual([])
  expect(await textFrom(doorOf(gate, ada, 'modern', 'older'), 'run')).toBe('ran')
  expect(runsOf(older)).toHaveLength(1)
})

test('a client of the older revisions may call anything so, and its server gets it as it is', async () => {
  const params = { name: 'run', arguments: {}, requestState: 'mine' }
  await send(doorOf(gate, ada, 'legacy', 'mine'), 'tools/call', params)
  expect(runsOf(older).at(-1)?.body.toString()).toContain('"requestState":"mine"')
})

test('what the gate sealed for one server is nothing at another', async () => {
  const sealed = await sealedState()
  const before = runsOf(newer).length
  for (const [server, state] of [
    ['personal', sealed],
    ['common', `${sealed.slice(0, -8)}AAAAAAAA`],
    ['common', 'whatever'],
  ] as const) {
    const refused = await come(server, state)
    expect([server, refused.status, codeOf(asAnswer(refused))]).toEqual([server, 400, 'call.state'])
  }
  expect(runsOf(newer)).toHaveLength(before)
  expect(resultOf(await come('common', sealed))).toMatchObject({ content: [{ text: 'went on with "own"' }] })
})

test('a state of another gate, or of anybody’s, is for the server to judge that knows its users', async () => {
  for (const state of ['sk1.AAAA', 'own'])
    expect(resultOf(await come('personal', state))).toMatchObject({ content: [{ text: `went on with "${state}"` }] })
})

const TOOLS = '"tools":[{"name":"run","inputSchema":{"type":"object"}}]'

function answerAsOlder({ method, id }: Asked) {
  const info = '"serverInfo":{"name":"older","version":"1"}'
  if (method === 'initialize') return { result: `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},${info}}` }
  if (method === 'tools/list') return { result: `{${TOOLS}}` }
  if (method === 'tools/call') return { result: '{"content":[{"type":"text","text":"ran"}]}' }
  const error = '{"code":-32601,"message":"Method not found"}'
  return { body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${error}}` }
}

function answerAsNewer({ method, body }: Asked) {
  const complete = '"resultType":"complete"'
  const kept = `${complete},"ttlMs":0,"cacheScope":"private"`
  if (method === 'server/discover')
    return { result: `{${kept},"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}` }
  if (method === 'tools/list') return { result: `{${kept},${TOOLS}}` }
  const { requestState }: { requestState?: string } = JSON.parse(body.toString()).params
  if (requestState === undefined)
    return { result: '{"resultType":"input_required","inputRequests":{},"requestState":"own"}' }
  const text = JSON.stringify(`went on with ${JSON.stringify(requestState)}`)
  return { result: `{${complete},"content":[{"type":"text","text":${text}}]}` }
}
