import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { KEY_IN_FILE } from '../../../../scripts/lib/gate.ts'
import { findOldestNode, OLDEST_NODE } from '../../../../scripts/lib/oldest-node.ts'
import { packGateway } from '../../../../scripts/lib/package.ts'
import { acceptInvitation } from '../../../../scripts/lib/people.ts'
import { startProgram } from '../../../../scripts/lib/processes.ts'
import { textFrom } from './wire.ts'

const run = promisify(execFile)

/** A directory that holds nothing but what npm made of the tarball. */
const place = mkdtempSync(join(tmpdir(), 'sekisho packed-'))
const program = join(place, 'node_modules/sekisho/dist/cli/main.js')
afterAll(() => rmSync(place, { recursive: true, force: true }))

beforeAll(async () => {
  const tarball = await packGateway(place)
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  await run('npm', ['install', '--prefix', place, ...flags, tarball], { cwd: place })
}, 300_000)

const nodes = { [process.versions.node]: process.execPath, [OLDEST_NODE]: findOldestNode() }

describe.each(Object.entries(nodes))('the packed gate on Node %s', (version, node) => {
  // Without a network there is only one Node here; a machine that checks everything must have both.
  test.skipIf(node === undefined && process.env['CI'] !== 'true')(
    'is installed, shows help, starts, lets its first user in, answers calls, and stops by Ctrl-C',
    { timeout: 120_000 },
    async () => {
      if (node === undefined) throw new Error(`Node ${version} was not to be had for this system`)
      const home = join(place, `data of ${version}`)
      mkdirSync(home)
      const port = String(await freePort())
      const env = { PATH: process.env['PATH'], HOME: home, ...KEY_IN_FILE, SEKISHO_PORT: port }
      const sekisho = async (...words: string[]) => (await run(node, [program, ...words], { cwd: home, env })).stdout
      expect(await sekisho('--help')).toContain('Usage: sekisho')

      const gate = startProgram({ name: 'The gate', command: node, args: [program, 'start'], cwd: home, env })
      try {
        const [link] = await gate.match(/http:\S+\/welcome\/\S+/, 30_000)
        await gate.match(/gate\.started/, 30_000)
        const browser = await acceptInvitation(link)
        const { origin } = new URL(link)
        expect((await browser.open(`${origin}/account`)).text).toContain('Your accounts')
        expect(await sekisho('status')).toMatch(/^myanimelist +builtin/m)

        const { key } = JSON.parse(await sekisho('key', 'add', 'admin', '--json'))
        const door = { url: `${origin}/mcp`, key, era: 'modern' } as const
        expect(await textFrom(door, 'everything__greet', { name: 'Hiroshige' })).toContain('Hiroshige')

        gate.signal('SIGINT')
        expect(await gate.ended).toEqual({ code: 0, signal: null })
      } finally {
        await gate.stop()
      }
    },
  )
})

test('npx finds the command', { timeout: 60_000 }, async () => {
  const { stdout } = await run('npx', ['--no-install', 'sekisho', '--version'], { cwd: place })
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
})
