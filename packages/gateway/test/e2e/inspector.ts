import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProgram, type Program } from '../../../../scripts/lib/processes.ts'

const PACKAGE = '@modelcontextprotocol/inspector@2.12.0'
const INSTALL_TRIES = 3
const INSTALL_PAUSE_MS = 3_000

export interface Outcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** MCP Inspector's command line, unchanged, as its users run it: with a home of its own and npm's usual cache. */
export interface Inspector extends Disposable {
  /** Whether it can be run here, where it may have to be installed first. */
  readonly isThere: boolean
  run(...args: readonly string[]): Promise<Outcome>
  /** Starts it as one that may send its user to a browser; it says where, and none is opened. */
  start(...args: readonly string[]): Program & AsyncDisposable
}

export async function openInspector(): Promise<Inspector> {
  const home = mkdtempSync(join(tmpdir(), 'sekisho-inspector-'))
  const env = {
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    npm_config_cache: process.env['npm_config_cache'] ?? join(homedir(), '.npm'),
    MCP_INSPECTOR_SECRET_STORE: 'memory',
  }
  // Without a terminal it signs nobody in, but where it is told that a browser will open; this one does nothing.
  const withBrowser = { ...env, MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: 'true' }
  const words = (args: readonly string[]) => {
    return ['--yes', '--prefer-offline', `--package=${PACKAGE}`, 'mcp-inspector', '--cli', ...args]
  }
  const run = (...args: readonly string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile('npx', words(args), { env, cwd: home }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      )
    })
  const isThere = await runsWithin(INSTALL_TRIES)
  if (!isThere) console.warn(`${PACKAGE} cannot be installed here: its tests are left out.`)
  /** Of two that install it at once, npm lets one fail. */
  async function runsWithin(tries: number): Promise<boolean> {
    const { code } = await run('--version')
    if (code === 0 || tries === 1) return code === 0
    await sleep(INSTALL_PAUSE_MS)
    return runsWithin(tries - 1)
  }

  return {
    isThere,
    run,
    start(...args) {
      const command = { command: 'npx', args: words(args), env: withBrowser, cwd: home }
      const program = startProgram({ name: 'MCP Inspector', ...command })
      return { ...program, [Symbol.asyncDispose]: async () => void (await program.stop()) }
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
}
