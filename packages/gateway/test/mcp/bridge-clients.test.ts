import { join } from 'node:path'
import { startEverything } from '@sekisho/playground/everything/http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { asking, connectAsked } from './bridge-asked.ts'

/**
 * Published clients of both eras in front of real servers of both, over HTTP and over pipes: each server asks in its
 * own way, each client is asked in its own.
 */

const BIN = join(import.meta.dirname, '../../../playground/src/everything/bin.ts')
const servers = ['legacy', 'modern', 'old-io', 'new-io'] as const
const clientEras = ['legacy', 'modern'] as const

type Running = Awaited<ReturnType<typeof startEverything>>
const running: Running[] = []
let gate: Gate
let key: string

beforeAll(async () => {
  for (const era of ['legacy', 'modern'] as const) running.push(await startEverything({ port: 0, era }))
  const pipes = (era: string) => ({ command: process.execPath, args: [BIN, '--stdio', '--era', era] })
  const [legacy, modern] = running.map(({ url }) => ({ url }))
  gate = await startGate({
    config: { mcpServers: { legacy, modern, 'old-io': pipes('legacy'), 'new-io': pipes('modern') } },
  })
  ;({ key } = await gate.addUser('ada'))
})
afterAll(async () => {
  await gate[Symbol.asyncDispose]()
  for (const { close } of running) await close()
})

describe.each(clientEras)('a %s client', (era) => {
  describe.each(servers)('in front of the server %s', (server) => {
    test.each([
      ['on its own address', `/mcp/${server}`, ''],
      ['on the merged address', '/mcp', `${server}__`],
    ])('%s is asked, and its calls are completed', async (_where, path, prefix) => {
      const client = await connectAsked(era, gate.url + path, { key })
      for (const [tool, args, expected] of asking) {
        const { content } = await client.callTool({ name: prefix + tool, arguments: args })
        expect([tool, content]).toEqual([tool, [{ type: 'text', text: expected }]])
      }
      await client.close()
    })
  })
})
