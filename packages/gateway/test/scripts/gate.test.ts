import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { connectModern } from '../../../../scripts/lib/mcp-clients.ts'
import { stillRunning, treeOf } from '../../../../scripts/lib/process-tree.ts'

const CONFIG = { mcpServers: { everything: { builtin: 'everything' } } }

it('is a gate that a client can use, and nothing of it is left afterwards', async () => {
  const gate = await startGate({ config: CONFIG })
  const { key } = await gate.addUser('ada')
  const client = await connectModern(`${gate.url}/mcp`, key)
  expect(await client.call('everything__test_simple_text')).toMatchObject({ isError: false })
  await client[Symbol.asyncDispose]()

  const tree = treeOf(gate.pid)
  expect(await gate.stop()).toEqual({ code: 0, signal: null })
  expect(stillRunning(tree)).toEqual([])
  expect(existsSync(dirname(gate.dataDir))).toBe(false)
})

it('goes on from a data directory that was given, after a kill', async () => {
  const home = await mkdtemp(join(tmpdir(), 'gate-test-'))
  try {
    const dataDir = join(home, 'data')
    await using first = await startGate({ config: CONFIG, dataDir })
    const { key } = await first.addUser('ada')
    expect(await first.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })

    await using second = await startGate({ config: CONFIG, dataDir })
    await using client = await connectModern(`${second.url}/mcp/everything`, key)
    expect(await client.call('test_simple_text')).toMatchObject({ isError: false })
  } finally {
    await rm(home, { recursive: true })
  }
})

it('says why it did not start, with what it wrote', async () => {
  const config = { mcpServers: { up: { url: 'ftp://nowhere' } } }
  await expect(startGate({ config })).rejects.toThrow(/ended[^]*sekisho\.jsonc:1:\d+ mcpServers\.up\.url/)
})

it('is not steered by the variables of whoever starts it', async () => {
  process.env['SEKISHO_PUBLIC_URL'] = 'not an address'
  try {
    await using gate = await startGate()
    expect((await gate.admin('GET', '/admin/api/status')).body).toMatchObject({ servers: [] })
  } finally {
    delete process.env['SEKISHO_PUBLIC_URL']
  }
})
