import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { asProblem, problem } from './base/problem.ts'
import { dataDirectoryOf, startDirectoryOf } from './base/data-directory.ts'
import { requireOwnSocket, socketPathOf } from './base/socket-path.ts'
import { BUILTINS } from './config/builtins.ts'
import type { Config } from './config/config.ts'
import { findConfigFile, requireConfig } from './config/load.ts'
import { firstRunConfig } from './first-run.ts'
import { createGateway, type Gateway } from './gateway.ts'
import { findFreePort, listen, type Listener } from './http/serve.ts'
import { openPlayground } from './playground.ts'
import { shippedDefinitions } from './providers/definitions.ts'
import { openLog } from './telemetry/log.ts'
import { aboutRootKey, welcome } from './welcome.ts'

/**
 * Runs a gate until it is told to stop: reads the configuration, opens the gate, listens, and on SIGTERM or
 * SIGINT lets what is under way end. A fault that nothing caught ends it in the same order.
 *
 * @throws {Problem} what kept it from starting; `gate.fault` after a fault, which is in the log
 */
export async function runGate(): Promise<void> {
  const prepared = await prepare()
  try {
    await run(prepared)
  } finally {
    // However it ended: what listens would keep the process from ending.
    await prepared.playground?.close()
  }
}

async function run({ config, playground, warnings }: Awaited<ReturnType<typeof prepare>>): Promise<void> {
  const log = await openLog(config.log)
  for (const warning of warnings) log.warn({ ...warning }, 'config.warning')
  const gateway = await createGateway(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    environment: process.env,
    builtins: { everything: loadEverything, mal: loadMal },
  })
  process.stdout.write(aboutRootKey(gateway.rootKey))
  const doors = await openDoors(gateway, config, log).catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  const stopped = toldToStop(log)
  try {
    // Only now: a link that is made before it can be shown is lost.
    const administrator = await gateway.welcome()
    process.stdout.write(welcome({ administrator, config, playground }))
    log.info({ port: doors.network.port, servers: config.servers.length }, 'gate.started')
    await stopped
  } finally {
    await shutDown({ gateway, doors, config, log })
  }
}

/** The configuration the gate runs with and, where there is no file yet, what its first run is shown with. */
async function prepare() {
  const environment = process.env
  const file = findConfigFile({ environment, directory: startDirectoryOf(environment) })
  const dataDirectory = dataDirectoryOf(environment)
  const firstRun = !existsSync(file) && environment['SEKISHO_CONFIG'] === undefined
  const read = (text: string | undefined, variables = environment) => {
    const known = { builtins: BUILTINS, definitions: shippedDefinitions }
    return requireConfig({ file, text, environment: variables, dataDirectory, ...known })
  }
  if (!firstRun) return { ...(await withPort(read(undefined))), playground: undefined }

  const { config } = await withPort(read('{}'))
  const { port } = config.listen
  const playground = await openPlayground({
    redirectUri: `${config.publicUrl}/callback`,
    directory: join(dataDirectory, 'playground'),
    port: port + 1,
  })
  const { warnings, ...own } = read(firstRunConfig(dataDirectory, playground), {
    ...environment,
    ...playground.environment,
  })
  return { config: at(port, own.config), warnings, playground }
}

/** Where the system shall choose the port it does so now: the gate must know its own address before it opens. */
async function withPort<L extends { readonly config: Config }>(loaded: L): Promise<L> {
  const { port } = loaded.config.listen
  return port === 0 ? { ...loaded, config: at(await findFreePort(loaded.config.listen.host), loaded.config) } : loaded
}

function at(port: number, config: Config): Config {
  const publicUrl = config.publicUrl.replace(/:0$/, `:${port}`)
  return { ...config, publicUrl, listen: { ...config.listen, port } }
}

/** The playground is no part of the gate, and is loaded only where somebody calls it. */
async function loadEverything() {
  const { createEverythingHandler } = await import('@sekisho/playground/everything')
  return createEverythingHandler()
}

/** A server of ours like any other, loaded where somebody calls it. */
async function loadMal({ apiBaseUrl }: { readonly apiBaseUrl: string | undefined }) {
  const { createMalHandler } = await import('@sekisho/mal')
  return createMalHandler(apiBaseUrl === undefined ? {} : { apiBaseUrl })
}

interface Doors {
  readonly network: Listener
  readonly operator: Listener
}

/** Both or none: a door that was left open would keep the process from ending. */
async function openDoors(gateway: Gateway, config: Config, log: Log): Promise<Doors> {
  const onError = (error: Error) => log.error({ error }, 'door.failed')
  const settings = { requestMs: config.timeouts.bodyMs, refuse: gateway.refuse, onError }
  const socket = socketPathOf(config.dataDirectory)
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
  requireOwnSocket(socket)
  // A socket that a killed gate left behind; the lock on the database says that no other gate is running.
  rmSync(socket, { force: true })
  const opened: Listener[] = []
  try {
    const network = await listen(gateway.handle, config.listen, settings)
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
  const graceMs = config.timeouts.drainMs + LAST_WORDS_MS
  const closing = Promise.all([doors.network.close(graceMs), doors.operator.close(graceMs)])
  await gateway.close()
  await closing
  log.info({}, 'gate.stopped')
}

if (import.meta.main) {
  try {
    await runGate()
  } catch (error) {
    const failure = asProblem(error)
    process.stderr.write(`${failure.message}\n${failure.fix}\n`)
    if (failure.code === 'gate.fault' && failure.cause instanceof Error)
      process.stderr.write(`${failure.cause.stack}\n`)
    process.exitCode = 1
  }
}
