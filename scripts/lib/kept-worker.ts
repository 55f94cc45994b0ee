import { ThreadsPoolWorker, type PoolWorker, type WorkerRequest } from 'vitest/node'

type Options = ConstructorParameters<typeof ThreadsPoolWorker>[0]
type Listener = Parameters<PoolWorker['on']>

/** A run that took so long has waited in vain for something, which may come while the next one runs. */
const SPOILED_MS = 10_000
/** What little is left behind by each run adds up. */
const MOST_RUNS = 200

/** The one thread there is, and for how many runs it was used. */
let kept: { readonly worker: ThreadsPoolWorker; runs: number } | undefined

/**
 * Runs tests on a thread that outlives the run, with every module it has loaded: of a run that takes a tenth of a second,
 * a new thread would take ten times as long to begin. A run that was given up, or took too long, ends its thread.
 */
export const keptWorker = {
  name: 'kept',
  createPoolWorker(options: Options): PoolWorker {
    const isNew = kept === undefined
    const { worker } = (kept ??= { worker: new ThreadsPoolWorker(options), runs: 0 })
    let listeners: Listener[] = []
    let began = 0
    let mayStay = false

    /** What the thread would say itself, were it new, or about to end. */
    function say(type: 'started' | 'stopped'): void {
      const message = { type, __vitest_worker_response__: true }
      setImmediate(() => {
        for (const [event, listener] of listeners) if (event === 'message') listener(message)
      })
    }

    function send(message: WorkerRequest): void {
      if (message.type === 'stop') {
        mayStay = performance.now() - began < SPOILED_MS
        say('stopped')
      } else if (message.type === 'start' && !isNew) say('started')
      else if (message.type === 'run') {
        began = performance.now()
        // A thread is told only when it starts which tests are wanted: here that is another choice for each run.
        const context = { ...message.context, config: options.project.serializedConfig }
        worker.send({ ...message, context })
      } else worker.send(message)
    }

    return {
      name: 'kept',
      deserialize: (data) => data,
      on(...listener) {
        listeners.push(listener)
        worker.on(...listener)
      },
      off(event, callback) {
        listeners = listeners.filter(([known, listener]) => known !== event || listener !== callback)
        worker.off(event, callback)
      },
      start: () => (isNew ? worker.start() : Promise.resolve()),
      send,
      async stop() {
        for (const listener of listeners) worker.off(...listener)
        if (kept && mayStay && ++kept.runs < MOST_RUNS) return
        kept = undefined
        await worker.stop()
      },
    }
  },
}
