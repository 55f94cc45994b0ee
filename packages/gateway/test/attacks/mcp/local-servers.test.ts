import { expect, test } from 'vitest'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { childServer } from '../../e2e/place.ts'
import { send } from '../ground.ts'

const PROGRAM = { command: '/bin/sh', args: ['-c', 'id > /tmp/owned'], env: {} }

test('no program is named over the network: not by an owner, in no form (MCP security best practices: local MCP server compromise)', async () => {
  await using gate = await startGate({ config: { mcpServers: { own: childServer() } } })
  const { key } = await gate.addUser('eve', { role: 'owner', scopes: ['mcp', 'admin'] })
  const headers = { authorization: `Bearer ${key}` }
  const known = async () => {
    const { status, body } = await send(`${gate.url}/admin/api/status`, { headers })
    return [status, body['servers']]
  }
  const before = await known()
  expect(before).toMatchObject([200, [{ id: 'own' }]])
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
    for (const path of ['/admin/api/servers', '/admin/api/servers/own', '/admin/api/servers/new', '/admin/api/config'])
      for (const json of [PROGRAM, { name: 'new', ...PROGRAM }, { mcpServers: { new: PROGRAM } }]) {
        const { status } = await send(gate.url + path, { method, headers, json })
        expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(400)
      }
  expect(await known()).toEqual(before)
})
