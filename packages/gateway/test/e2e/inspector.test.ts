import { afterAll, describe, expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { openInspector } from './inspector.ts'
import { addPerson, referenceServer, tokenOf } from './place.ts'

const inspector = await openInspector()
afterAll(() => inspector[Symbol.dispose]())

describe.skipIf(!inspector.isThere && process.env['CI'] !== 'true')('MCP Inspector, unchanged,', () => {
  test.each(['modern', 'legacy', 'auto'])(
    'lists and calls through /mcp as a %s client',
    { timeout: 60_000 },
    async (era) => {
      await using gate = await startGate({
        config: { mcpServers: { stdio: referenceServer({ TOKEN: { $userToken: '{{token}}' } }) } },
      })
      const ada = await addPerson(gate, 'ada', ['stdio'])
      const common = [`${gate.url}/mcp`, '--transport', 'http', '--protocol-era', era, '--format', 'json', '-q']
      const through = (...args: string[]) =>
        inspector.run(...common, '--header', `Authorization: Bearer ${ada.key}`, '--method', ...args)

      const [listed, called, refused] = await Promise.all([
        through('tools/list'),
        through('tools/call', '--tool-name', 'stdio__get-env'),
        inspector.run(...common, '--header', 'Authorization: Bearer nobody', '--method', 'tools/list'),
      ])
      expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('"stdio__get-env"') })
      expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining(tokenOf('ada', 'stdio')) })
      expect(refused.code).not.toBe(0)
    },
  )
})
