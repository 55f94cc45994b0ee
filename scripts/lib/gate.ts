import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient, type AdminAnswer } from './admin.ts'
import { startProgram, type Ending, type Program } from './processes.ts'

export interface GateOptions {
  /** The content of `sekisho.jsonc`; without it the gate has no servers. */
  readonly config?: object
  /** Starts it without a configuration file, as a stranger does. */
  readonly firstRun?: boolean
  /** Added to the environment, of which the gate's own variables are left out. */
  readonly env?: Readonly<Record<string, string>>
  /** Kept afterwards; without it, a temporary one is made and removed. */
  readonly dataDir?: string
}

/** A gate that runs as a process of its own, as its users run it. */
export interface Gate extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string
  readonly pid: number
  readonly dataDir: string
  /** Asks the admin API over the gate's Unix socket, as its owner; paths begin with `/admin/api`. */
  admin(method: string, path: string, body?: object): Promise<AdminAnswer>
  /** Adds a user with a key; the scope is `mcp` where none is named. */
  addUser(name: string, options?: { role?: string; scopes?: readonly string[] }): Promise<{ id: string; key: string }>
  setToken(user: string, server: string, token: string): Promise<void>
  /** Signals the gate itself, and waits until it has ended. */
  kill(signal: NodeJS.Signals): Promise<Ending>
  /** Stops it in order: SIGTERM, then whatever is needed. */
  stop(): Promise<Ending>
  /** What it wrote so far. */
  log(): string
}

const MAIN = resolve(import.meta.dirname, '../../packages/gateway/src/main.ts')
const START_MS = 60_000
const ADDRESS = /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/

/**
 * Starts a gate on a free port and waits until it is ready.
 *
 * @throws {Error} with the gate's log, where it does not become ready.
 */
export async function startGate(options: GateOptions = {}): Promise<Gate> {
  const home = await mkdtemp(join(tmpdir(), 'sekisho-'))
  const dataDir = options.dataDir ?? join(home, 'data')
  if (options.firstRun !== true) {
    await writeFile(join(home, 'sekisho.jsonc'), JSON.stringify(options.config ?? { mcpServers: {} }))
  }

  const program = startProgram({
    name: 'The gate',
    command: process.execPath,
    args: [MAIN],
    cwd: home,
    env: { ...withoutOwn(process.env), SEKISHO_DATA: dataDir, SEKISHO_PORT: '0', ...options.env },
  })
  async function stop(): Promise<Ending> {
    const ending = await program.stop()
    await rm(home, { recursive: true, force: true })
    return ending
  }

  try {
    const url = await waitUntilReady(program)
    const client = createAdminClient(dataDir)
    return {
      url,
      pid: program.pid,
      dataDir,
      ...client,
      kill(signal) {
        program.signal(signal)
        return program.ended
      },
      stop,
      log: program.output,
      async [Symbol.asyncDispose]() {
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A gate must not be steered by the variables of whoever starts the script. */
function withoutOwn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('SEKISHO_') && name !== 'DATABASE_URL'),
  )
}

/** Reads the port from what the gate says it listens on, and asks it until it is ready. */
async function waitUntilReady(program: Program): Promise<string> {
  const [, port] = await program.match(ADDRESS, START_MS)
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + START_MS
  while (!(await isReady(url))) {
    if (Date.now() > deadline) throw new Error(`The gate is not ready. It wrote:\n${program.output()}`)
    await Promise.race([sleep(25), program.ended.then(() => Promise.reject(gone(program)))])
  }
  return url
}

function gone(program: Program): Error {
  return new Error(`The gate ended before it was ready. It wrote:\n${program.output()}`)
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok
  } catch {
    return false
  }
}
