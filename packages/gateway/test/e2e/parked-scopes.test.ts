import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { asAnswer, codeOf } from './failures.ts'
import { doorOf } from './place.ts'
import { resultOf, said, send, type ToolResult } from './wire.ts'

const name = 'test_elicitation'
const _meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
const params = { name, arguments: { message: 'Who?' }, _meta }

test('a call that waits for its user goes on with no key of theirs that its server is not open to', async () => {
  await using lab = await startEverything({ port: 0, era: 'legacy' })
  await using gate = await startGate({ config: { mcpServers: { lab: { url: lab.url }, other: { url: lab.url } } } })
  const { key } = await gate.addUser('ada', { scopes: ['mcp:lab'] })
  const { body } = await gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp:other'] })
  const otherKey = String(Reflect.get(Object(body), 'key'))

  const asked = await send(doorOf(gate, { key }, 'modern', 'lab'), 'tools/call', params)
  const { requestState, inputRequests } = resultOf<{ requestState: string; inputRequests: object }>(asked)
  const reply = { action: 'accept', content: { name: 'Ada', email: 'ada@example.com' } }
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((one) => [one, reply]))
  const again = { ...params, requestState, inputResponses }

  for (const server of ['other', undefined]) {
    const answer = await send(doorOf(gate, { key: otherKey }, 'modern', server), 'tools/call', again)
    expect([server, codeOf(asAnswer(answer))]).toEqual([server, 'call.state'])
  }
  const done = resultOf<ToolResult>(await send(doorOf(gate, { key }, 'modern', 'lab'), 'tools/call', again))
  expect(said(done)).toContain('action=accept')
})
