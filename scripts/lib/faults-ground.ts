import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startEverything } from '@sekisho/playground/everything/http'
import { startRoundRobin, type RoundRobin } from './faults-proxy.ts'
import type { Door } from './faults-wire.ts'
import { freePort } from './free-port.ts'
import { startGate, type Gate } from './gate.ts'
import { treeOf } from './process-tree.ts'

/** Two processes of one gate behind a proxy that knows no sessions, and older servers behind both. */
export interface Ground extends AsyncDisposable {
  readonly proxy: RoundRobin
  /** The address of one server, or of all, by way of the proxy. */
  door(server?: string): Door
  /** The same, at one process. */
  doorAt(process: number, server?: string): Door
  /** Ends a process as `kill -9` does. */
  kill(process: number): Promise<void>
  /** Starts one that was killed, at the address it had. */
  startAgain(process: number): Promise<void>
  /** Ends the children of a process whose command line has that text, as `kill -9` does; answers how many. */
  killChildren(process: number, command: string): number
  /** What a process that runs now has written. */
  log(process: number): string
}

export interface GroundNeeds {
  /** A schema that nobody else uses. */
  readonly databaseUrl: string
  readonly redisUrl: string
}

const EVERYTHING = resolve(import.meta.dirname, '../../packages/playground/src/everything/bin.ts')
/** The child whose tools say whether they may be run again. */
const CHILD = join(import.meta.dirname, 'faults-child.mjs')

export async function openGround({ databaseUrl, redisUrl }: GroundNeeds): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const everything = stack.use(await startEverything({ port: 0, era: 'legacy' }))
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    SEKISHO_ROOT_KEY: randomBytes(32).toString('base64'),
  }
  const config = {
    mcpServers: {
      http: { url: everything.url },
      pipes: { command: process.execPath, args: [EVERYTHING, '--stdio', '--era', 'legacy'] },
      child: { command: process.execPath, args: [CHILD] },
    },
    // A thousand calls of one user are what is looked at here, not how many one user may make.
    limits: LIMITS,
  }
  const start = async (port: number) => stack.use(await startGate({ config, env, port }))
  // At the same moment, on a database without a table, as an orchestrator starts them.
  const gates: Gate[] = await Promise.all([await freePort(), await freePort()].map(start))
  const { key } = await gateAt(0).addUser('ada')
  const urls = gates.map(({ url }) => url)
  const proxy = stack.use(await startRoundRobin(urls))
  const kept = stack.move()

  function gateAt(at: number): Gate {
    const gate = gates[at]
    if (!gate) throw new Error(`there is no process ${at}`)
    return gate
  }

  function doorOf(url: string, server: string | undefined): Door {
    return { url: `${url}/mcp${server === undefined ? '' : `/${server}`}`, key }
  }

  return {
    proxy,
    door: (server) => doorOf(proxy.url, server),
    doorAt: (at, server) => doorOf(gateAt(at).url, server),
    async kill(at) {
      await gateAt(at).kill('SIGKILL')
    },
    async startAgain(at) {
      const gate = await startGate({ config, env, port: Number(new URL(gateAt(at).url).port) })
      kept.use(gate)
      gates[at] = gate
    },
    killChildren(at, command) {
      const children = treeOf(gateAt(at).pid).filter(({ pid }) => pid !== gateAt(at).pid && runs(pid, command))
      for (const { pid } of children) process.kill(pid, 'SIGKILL')
      return children.length
    },
    log: (at) => gateAt(at).log(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const LIMITS = { callsPerMinute: 1_000_000, concurrentCalls: 1_000 }

function runs(pid: number, command: string): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(command)
}
