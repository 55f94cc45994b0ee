import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { addPerson, doorOf, personalServer } from './place.ts'
import { errorOf, resultOf, send } from './wire.ts'

const _meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } }

test('a token that is missing is asked for where questions may be, and is an error in answer to anything else', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({ config: { mcpServers: { own: personalServer(everything.url) } } })
  const door = doorOf(gate, await addPerson(gate, 'ada'), 'modern', 'own')

  const read = await send(
    door,
    'resources/read',
    { uri: 'test://static-text', _meta },
    { headers: { 'Mcp-Name': 'test://static-text' } },
  )
  expect(resultOf(read)).toMatchObject({ resultType: 'input_required' })
  const argument = { name: 'arg1', value: 'a' }
  const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' }
  const completed = await send(door, 'completion/complete', { ref, argument, _meta })
  expect(errorOf(completed)).toMatchObject({ data: { code: 'token.required' } })
})
