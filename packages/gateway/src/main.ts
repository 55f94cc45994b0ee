import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/ids.ts'
import type { Log } from './base/log.ts'
import { asProblem } from './base/problem.ts'
import { dataDirectoryOf, startDirectoryOf } from './base/data-directory.ts'
import { requireOwnSocket, socketPathOf } from './base/socket-path.ts'
import type { Config } from './config/config.ts'
import { findConfigFile, requireConfig } from './config/load.ts'
import { firstRunConfig } from './first-run.ts'
import { createGateway, type Gateway } from './gateway.ts'
import { listen, type Listener } from './http/serve.ts'
import { openLog } from './telemetry/log.ts'
import { welcome } from './welcome.ts'

/**
 * Runs a gate until it is told to stop: reads the configuration, opens the gate, listens, and on SIGTERM or
 * SIGINT lets what is under way end.
 */
export async function runGate(): Promise<void> {
  const { config, firstRun, warnings } = readConfig()
  const log = await openLog(config.log)
  for (const warning of warnings) log.warn({ ...warning }, 'config.warning')
  const gateway = await createGateway(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    environment: process.env,
    builtins: { everything: loadEverything },
  })
  const { network, operator } = await openDoors(gateway, config).catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  process.stdout.write(welcome({ gateway, config, firstRun, port: network.port }))
  log.info({ port: network.port, servers: config.servers.length }, 'gate.started')
  await toldToStop()
  await shutDown({ gateway, doors: [network, operator], config, log })
}

function readConfig() {
  const environment = process.env
  const file = findConfigFile({ environment, directory: startDirectoryOf(environment) })
  const dataDirectory = dataDirectoryOf(environment)
  const firstRun = !existsSync(file) && environment['SEKISHO_CONFIG'] === undefined
  const text = firstRun ? firstRunConfig(dataDirectory) : undefined
  return { firstRun, ...requireConfig({ file, text, environment, dataDirectory, builtins: ['everything'] }) }
}

/** The playground is no part of the gate, and is loaded only where somebody calls it. */
async function loadEverything() {
  const { createEverythingHandler } = await import('@sekisho/playground/everything')
  return createEverythingHandler()
}

async function openDoors(gateway: Gateway, config: Config): Promise<{ network: Listener; operator: Listener }> {
  const settings = { requestMs: config.timeouts.bodyMs, refuse: gateway.refuse }
  const socket = socketPathOf(config.dataDirectory)
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
  requireOwnSocket(socket)
  // A socket that a killed gate left behind; the lock on the database says that no other gate is running.
  rmSync(socket, { force: true })
  const network = await listen(gateway.handle, config.listen, settings)
  const operator = await listen(gateway.handleOperator, { socket }, settings)
  chmodSync(socket, 0o600)
  return { network, operator }
}

/** A second signal ends the process at once, as people expect of Ctrl-C. */
function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

interface ShutDown {
  readonly gateway: Gateway
  readonly doors: readonly Listener[]
  readonly config: Config
  readonly log: Log
}

/** First no new requests, then an end to those under way, then everything that was opened. */
async function shutDown({ gateway, doors, config, log }: ShutDown): Promise<void> {
  log.info({}, 'gate.stopping')
  gateway.stop()
  const closing = Promise.all(doors.map((door) => door.close(config.timeouts.drainMs)))
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
    if (failure.code === 'gate.fault')
      process.stderr.write(`${String(failure.cause instanceof Error ? failure.cause.stack : failure.cause)}\n`)
    process.exitCode = 1
  }
}
