import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { LONGEST_TIMER_MS, systemClock } from './base/clock.ts'
import { systemRandom } from './base/ids.ts'
import { startDirectoryOf } from './base/data-directory.ts'
import type { Log } from './base/log.ts'
import { asProblem, problem } from './base/problem.ts'
import { isProgram, requireNode } from './base/program.ts'
import { requireOwnSocket, socketPathOf } from './base/socket-path.ts'
import { readSecret } from './base/terminal.ts'
import type { Config } from './config/config.ts'
import type { Gateway } from './gateway.ts'
import { listen, type Listener } from './http/serve.ts'
import type { Playground } from './playground.ts'
import { guardMemory } from './memory-guard.ts'
import { prepare, prepareAgain, type Prepared } from './prepare.ts'
import { openLog } from './telemetry/log.ts'
import type { LoadBuiltin } from './upstreams/transports/builtin.ts'
import { findPlainText } from './vault/plain-text.ts'
import { createSystemKeyring } from './vault/system-keyring.ts'
import { aboutRootKey, welcome } from './welcome.ts'
import { joinPrimary, type Membership } from './worker.ts'
import { runWorkers } from './workers.ts'

/**
 * Runs a gate until it is told to stop: reads the configuration, opens the gate, listens, and on SIGTERM or
 * SIGINT lets what is under way end. A fault that nothing caught ends it in the same order. With several workers, each
 * of them is a gate, and this process looks after them.
 *
 * @returns the exit code: 1 where the first of several workers did not start, and has said why
 * @throws {Problem} what kept it from starting; `gate.fault` after a fault, which is in the log
 */
export async function runGate({ workers }: Flags = {}): Promise<number> {
  requireNode(process.versions.node)
  const exposing = guardMemory(process)
  const member = await joinPrimary()
  if (member) {
    await runWorker(member, exposing).finally(member.leave)
    return 0
  }
  const prepared = await prepare(workers === undefined ? {} : { SEKISHO_WORKERS: String(workers) })
  try {
    if (prepared.config.workers > 1) return (await runSeveral(prepared)) ? 0 : 1
    await run({ ...prepared, exposing })
    return 0
  } finally {
    // However it ended: what listens would keep the process from ending.
    await prepared.playground?.close()
  }
}

/** What is said on the command line, and stands before everything else. */
export interface Flags {
  readonly workers?: number | string | undefined
}

/** Once for all workers: the warnings, and the way to where the operator's socket will be. */
async function runSeveral({ config, warnings, source, playground }: Prepared): Promise<boolean> {
  const log = await openLog(config.log)
  for (const warning of warnings) log.warn({ ...warning }, 'config.warning')
  warnOfPlainText(config, log)
  makeWay(socketPathOf(config.dataDirectory))
  const { workers: count, listen } = config
  const orders = { source, port: listen.port, playground: playground && { mal: playground.mal } }
  return runWorkers({ count, orders, log, stopped: toldToStop(log) })
}

async function runWorker(member: Membership, exposing: readonly string[]): Promise<void> {
  const { playground, source, port } = member.orders
  await run({ config: prepareAgain(source, port), playground, warnings: [], exposing }, member)
}

interface Run extends Pick<Prepared, 'config' | 'warnings'> {
  readonly playground: Pick<Playground, 'mal'> | undefined
  /** Flags of Node's that write the memory of the process. */
  readonly exposing: readonly string[]
}

async function run({ config, playground, warnings, exposing }: Run, member?: Membership): Promise<void> {
  const log = await openLog(config.log)
  for (const flag of exposing) log.warn({ flag }, 'gate.memory_exposed')
  for (const warning of warnings) log.warn({ ...warning }, 'config.warning')
  if (!member) warnOfPlainText(config, log)
  // Loaded here only: the process that looks after workers does without.
  const { createGateway } = await import('./gateway.ts')
  const gateway = await createGateway(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    environment: process.env,
    systemKeyring: createSystemKeyring({ environment: process.env }),
    askPassphrase: member ? undefined : askAtTerminal(),
    builtins: { everything: loadEverything, mal: loadMal },
    siblings: member?.siblings,
  })
  process.stdout.write(aboutRootKey(gateway.rootKey))
  const doors = await openDoors(gateway, config, { log, member }).catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  const stopped = Promise.race([toldToStop(log), ...(member ? [member.alone] : [])])
  try {
    if (member?.orders.first !== false) {
      // Only now: a link that is made before it can be shown is lost.
      const administrator = await gateway.welcome()
      process.stdout.write(welcome({ administrator, config, playground }))
    }
    log.info({ port: doors.network.port, servers: config.servers.length, worker: member?.id }, 'gate.started')
    member?.ready()
    await stopped
  } finally {
    await shutDown({ gateway, doors, config, log })
  }
}

/** What lies around; of the root key the vault tells by itself. */
function warnOfPlainText({ dataDirectory: dataDir }: Config, log: Log): void {
  const found = findPlainText({ dataDir, directory: startDirectoryOf(process.env), environment: process.env })
  for (const { about, ...rest } of found) if (about !== 'root key') log.warn(rest, 'secrets.plain_text')
}

/** Nobody is asked where nobody sits: several workers cannot share a terminal either. */
function askAtTerminal() {
  const { stdin: input, stderr: errors } = process
  return input.isTTY ? (prompt: string) => readSecret(prompt, { input, errors }) : undefined
}

/** The playground is no part of the gate, and is loaded only where somebody calls it. */
async function loadEverything() {
  const { createEverythingHandler } = await import('#everything')
  return createEverythingHandler()
}

/** A server of ours like any other, loaded where somebody calls it. */
async function loadMal({ apiBaseUrl, toolsets, timeoutMs, count, ...settings }: Parameters<LoadBuiltin>[0]) {
  const { createMalHandler } = await import('#mal')
  return createMalHandler({
    ...settings,
    onCounted: count,
    // It ends before the gate does: what a long call has no time for is left to another, and not cut off.
    callTimeoutMs: timeoutMs - Math.min(5_000, timeoutMs / 10),
    ...(toolsets && { toolsets }),
    ...(apiBaseUrl !== undefined && { apiBaseUrl }),
  })
}

interface Doors {
  readonly network: Listener
  readonly operator: Listener
}

/** Removes the socket that a killed gate left behind. */
function makeWay(socket: string): void {
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
  requireOwnSocket(socket)
  rmSync(socket, { force: true })
}

interface Openers {
  readonly log: Log
  /** Workers share one socket, for which the way was made before any of them began. */
  readonly member: Membership | undefined
}

/** Both or none: a door that was left open would keep the process from ending. */
async function openDoors(gateway: Gateway, config: Config, { log, member }: Openers): Promise<Doors> {
  const onError = (error: Error) => log.error({ error }, 'door.failed')
  const { bodyMs: requestMs, headersMs } = config.timeouts
  const { headerBytes } = config.limits
  const settings = { requestMs, headersMs, headerBytes, refuse: gateway.refuse, onError }
  const socket = socketPathOf(config.dataDirectory)
  if (!member) makeWay(socket)
  const opened: Listener[] = []
  try {
    const network = await listen(gateway.handle, config.listen, {
      ...settings,
      limitConnections: gateway.limitConnections,
    })
    opened.push(network)
    const operator = await listen(gateway.handleOperator, { socket }, settings)
    opened.push(operator)
    chmodSync(socket, 0o600)
    return { network, operator }
  } catch (error) {
    await Promise.all(opened.map((door) => door.close(0)))
    throw error
  }
}

/**
 * Ends when the gate is told to stop, and fails at a fault that nothing caught, after which nobody knows what still
 * holds. Another signal later ends the process at once, as people expect of Ctrl-C.
 */
function toldToStop(log: Log): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let toldAt: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      toldAt ??= performance.now()
      if (performance.now() - toldAt > SAME_SIGNAL_MS) process.exit(1)
      resolve()
    })
  }
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(fault, (error: unknown) => {
      log.error({ error, fault }, 'gate.fault')
      reject(problem('gate.fault'))
    })
  }
  return promise
}

/**
 * A supervisor that signals the whole process group, and the launcher that passes its signal on, say one thing
 * twice. Whoever says it again later means it, and waits no longer.
 */
const SAME_SIGNAL_MS = 1_000

interface ShutDown {
  readonly gateway: Gateway
  readonly doors: Doors
  readonly config: Config
  readonly log: Log
}

/** What a call is answered with that was waited for in vain still has to go out. */
const LAST_WORDS_MS = 2_000

/** First no new requests, then an end to those under way, then everything that was opened. */
async function shutDown({ gateway, doors, config, log }: ShutDown): Promise<void> {
  log.info({}, 'gate.stopping')
  gateway.stop()
  const graceMs = Math.min(config.timeouts.drainMs + LAST_WORDS_MS, LONGEST_TIMER_MS)
  const closing = Promise.all([doors.network.close(graceMs), doors.operator.close(graceMs)])
  await gateway.close()
  await closing
  log.info({}, 'gate.stopped')
}

const HELP = `Runs the gate until it is told to stop, with the sekisho.jsonc of this directory.

  --workers N   how many processes serve; more than one needs DATABASE_URL and REDIS_URL
  --help        this text

Everything else is in the configuration: docs/configuration.md.
`

/** @throws {Problem} `cli.misused` */
function readFlags(): Flags & { readonly help?: boolean | undefined } {
  try {
    return parseArgs({ options: { workers: { type: 'string' }, help: { type: 'boolean' } } }).values
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw problem('cli.misused', { reason, cause })
  }
}

if (isProgram(import.meta.url)) {
  try {
    const { help, ...flags } = readFlags()
    if (help === true) process.stdout.write(HELP)
    else process.exitCode = await runGate(flags)
  } catch (error) {
    const failure = asProblem(error)
    process.stderr.write(`${failure.message}\n${failure.fix}\n`)
    if (failure.code === 'gate.fault' && failure.cause instanceof Error)
      process.stderr.write(`${failure.cause.stack}\n`)
    process.exitCode = 1
  }
}
