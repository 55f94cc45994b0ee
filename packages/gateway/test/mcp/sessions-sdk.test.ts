import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { eventually, notes, openGate, post, type Replica } from './sessions-scene.ts'

/** A client as others have made it, with all that it was told. */
async function connect({ url }: Replica) {
  const told: unknown[] = []
  const client = new Client({ name: 'real', version: '1' }, { capabilities: { elicitation: {}, roots: {} } })
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void told.push('tools'))
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri))
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void told.push(params.data))
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: 'accept',
    content: { said: params.message },
  }))
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    reconnectionOptions: {
      initialReconnectionDelay: 20,
      maxReconnectionDelay: 100,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 50,
    },
  })
  await client.connect(transport)
  return { client, transport, told }
}

test('the client of the SDK is told, asked, cut off and told the rest, and says goodbye', async () => {
  const { one } = await openGate()
  const { client, transport, told } = await connect(one)
  await eventually(() => one.streams.size === 1, 'streaming')
  await client.setLoggingLevel('info')
  await client.subscribeResource({ uri: 'notes+file:///mine' })
  one.servers.tell(notes, 'notifications/tools/list_changed')
  one.servers.tell(notes, 'notifications/resources/updated', { uri: 'file:///mine' })
  await eventually(() => told.length === 2, 'told')
  expect(told).toEqual(['tools', 'notes+file:///mine'])

  const params = '{"message":"Who?","requestedSchema":{"type":"object","properties":{"said":{"type":"string"}}}}'
  const [watch] = one.servers.at(notes)
  const reply = await watch?.watcher.ask({ method: 'elicitation/create', params })
  expect(JSON.parse(`{${reply}}`)).toEqual({ result: { action: 'accept', content: { said: 'Who?' } } })

  one.dropConnections()
  for (const data of [1, 2, 3]) one.servers.tell(notes, 'notifications/message', { level: 'info', data })
  await eventually(() => told.length === 5, 'told the rest')
  expect(told.slice(2)).toEqual([1, 2, 3])

  const session = transport.sessionId ?? ''
  await transport.terminateSession()
  expect((await post(one, { id: 1, method: 'ping' }, { session })).status).toBe(404)
  await client.close()
})
