import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { addPerson, referenceServer, tokenOf } from './place.ts'

const PACKAGE = '@modelcontextprotocol/inspector@2.12.0'
const home = mkdtempSync(join(tmpdir(), 'sekisho-inspector-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Outcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Runs the Inspector's command line as its users do, with a home of its own and npm's usual cache. */
function inspect(...args: readonly string[]): Promise<Outcome> {
  const env = {
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    MCP_INSPECTOR_SECRET_STORE: 'memory',
  }
  const command = ['--yes', '--prefer-offline', `--package=${PACKAGE}`, 'mcp-inspector', '--cli', ...args]
  return new Promise((resolve) => {
    execFile('npx', command, { env, cwd: home }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

const installed = (await inspect('--version')).code === 0
if (!installed) console.warn(`${PACKAGE} cannot be installed here: its tests are left out.`)

describe.skipIf(!installed && process.env['CI'] !== 'true')('the command line of MCP Inspector, unchanged,', () => {
  test.each(['modern', 'legacy'])('lists and calls through /mcp as a %s client', { timeout: 60_000 }, async (era) => {
    await using gate = await startGate({
      config: { mcpServers: { stdio: referenceServer({ TOKEN: { $userToken: '{{token}}' } }) } },
    })
    const ada = await addPerson(gate, 'ada', ['stdio'])
    const common = [`${gate.url}/mcp`, '--transport', 'http', '--protocol-era', era, '--format', 'json', '-q']
    const through = (...args: string[]) =>
      inspect(...common, '--header', `Authorization: Bearer ${ada.key}`, '--method', ...args)

    const [listed, called, refused] = await Promise.all([
      through('tools/list'),
      through('tools/call', '--tool-name', 'stdio__get-env'),
      inspect(...common, '--header', 'Authorization: Bearer nobody', '--method', 'tools/list'),
    ])
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('"stdio__get-env"') })
    expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining(tokenOf('ada', 'stdio')) })
    expect(refused.code).not.toBe(0)
  })
})
