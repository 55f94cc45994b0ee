import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from './base/log.ts'
import { moduleBeside } from './base/program.ts'
import { createMeasuring } from './workers-measuring.ts'
import type { FromWorker, Orders, ToWorker } from './worker.ts'

export interface WorkersNeeds {
  readonly count: number
  readonly orders: Omit<Orders, 'first'>
  readonly log: Log
  /** Ends when the gate is told to stop. */
  readonly stopped: Promise<void>
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000
/** A worker that lived so long was well: the next death has other reasons. */
const WELL_MS = 60_000

/**
 * Runs a gate as several processes that share its address: each a whole gate, and no more to the others than one on
 * another machine would be. This process serves nothing. It hands out connections, replaces a worker that dies, and
 * tells all of them to stop; it ends when the last has.
 *
 * The first worker starts alone, so that what is made once (the root key, the tables, the first user) is there for
 * the others.
 *
 * @returns whether all went well: where the first worker does not start, it has said why.
 */
export async function runWorkers({ count, orders, log, stopped }: WorkersNeeds): Promise<boolean> {
  const workers = new Set<Worker>()
  const measuring = createMeasuring(() => workers)
  let stopping = false
  cluster.setupPrimary({ exec: moduleBeside(import.meta.url, 'main'), args: [] })
  const killAll = () => workers.forEach((worker) => worker.process.kill('SIGKILL'))
  process.once('exit', killAll)
  const told = stopped.finally(() => {
    stopping = true
    for (const worker of workers) worker.process.kill('SIGTERM')
  })
  told.catch(() => {})

  const first = await start(true)
  if (first.isDead()) return stopping
  log.info({ workers: count, port: orders.port }, 'workers.started')
  await Promise.all([told, keep(first), ...Array.from({ length: count - 1 }, () => keep(undefined))])
  process.off('exit', killAll)
  return true

  /** Ends when the worker serves, or has ended. */
  async function start(isFirst: boolean): Promise<Worker> {
    const worker = cluster.fork()
    const ready = Promise.withResolvers<void>()
    workers.add(worker)
    worker.on('message', (message: FromWorker) => {
      if (message.is === 'here') worker.send({ is: 'orders', orders: { ...orders, first: isFirst } } satisfies ToWorker)
      else if (message.is === 'ready') ready.resolve()
      else measuring.take(worker, message)
    })
    worker.once('exit', () => {
      workers.delete(worker)
      ready.resolve()
    })
    await ready.promise
    return worker
  }

  /** Keeps one place filled until the gate is told to stop, and its worker has ended. */
  async function keep(placed: Worker | undefined): Promise<void> {
    let worker = placed
    for (let failures = 0; ; worker = undefined) {
      const began = performance.now()
      worker ??= await start(false)
      if (!worker.isDead()) await once(worker, 'exit')
      if (stopping) return
      failures = performance.now() - began > WELL_MS ? 1 : failures + 1
      const { exitCode, signalCode } = worker.process
      log.error({ worker: worker.id, exitCode, signal: signalCode, failures }, 'worker.died')
      await Promise.race([pause(waitAfter(failures)), told.catch(() => {})])
      if (stopping) return
    }
  }
}

/** None after the first death: whoever was served by it is served again at once. */
function waitAfter(failures: number): number {
  return failures === 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - 2), LONGEST_WAIT_MS)
}
