import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient, type AdminAnswer } from './admin.ts'
import { freePort } from './free-port.ts'
import { startProgram, type Ending, type Program } from './processes.ts'

export interface GateOptions {
  /** The content of `sekisho.jsonc`; without it the gate has no servers. */
  readonly config?: object
  /** Starts it without a configuration file, as a stranger does. */
  readonly firstRun?: boolean
  /** Added to the environment, of which the gate's own variables are left out. */
  readonly env?: Readonly<Record<string, string>>
  /** Any that is free, where it is left out. */
  readonly port?: number
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
  /** Adds a user without a key, and answers with the link that lets them choose a password. */
  inviteUser(name: string, role?: string): Promise<string>
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

  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const program = startProgram({
    name: 'The gate',
    command: process.execPath,
    args: [MAIN],
    cwd: home,
    env: {
      ...withoutOwn(process.env),
      ...KEY_IN_FILE,
      SEKISHO_DATA: dataDir,
      SEKISHO_PORT: String(port),
      ...options.env,
    },
  })
  async function stop(): Promise<Ending> {
    const ending = await program.stop()
    await rm(home, { recursive: true, force: true })
    return ending
  }

  try {
    await waitUntilReady(url, program)
    return {
      url,
      pid: program.pid,
      dataDir,
      ...createAdminClient(dataDir),
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

/** A gate that is started for a while writes nothing into the keyring of whoever starts it. */
export const KEY_IN_FILE = { SEKISHO_ROOT_KEY_STORE: 'file' } as const

/** A gate must not be steered by the variables of whoever starts the script. */
function withoutOwn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('SEKISHO_') && !STEERING.has(name)),
  )
}

/** `INIT_CWD` is npm's: where a configuration file is looked for. */
const STEERING = new Set(['DATABASE_URL', 'REDIS_URL', 'INIT_CWD'])

async function waitUntilReady(url: string, program: Program): Promise<void> {
  let ended = false
  void program.ended.then(() => {
    ended = true
  })
  const deadline = Date.now() + START_MS
  while (!(await isReady(url))) {
    const late = Date.now() > deadline
    if (ended || late) throw new Error(`The gate ${late ? 'is not ready' : 'ended'}. It wrote:\n${program.output()}`)
    await sleep(25)
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok
  } catch {
    return false
  }
}
