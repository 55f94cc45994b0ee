import cluster from 'node:cluster'
import { once } from 'node:events'
import { mergeMetrics } from './merge-metrics.ts'
import type { Playground } from './playground.ts'
import type { Source } from './prepare.ts'
import type { Siblings } from './world.ts'

/** What a worker is told to be. */
export interface Orders {
  /** The one that tells the person who started the gate what there is to tell. */
  readonly first: boolean
  readonly port: number
  /** Where the first run's outside world is, of which the first worker tells. */
  readonly playground: Pick<Playground, 'mal'> | undefined
  /** Of its configuration, so that all read the same. */
  readonly source: Source
}

export type ToWorker =
  | { readonly is: 'orders'; readonly orders: Orders }
  /** Asks for its metrics. */
  | { readonly is: 'measure'; readonly n: number }
  /** The metrics of all workers, as this one has asked. */
  | { readonly is: 'gathered'; readonly n: number; readonly texts: readonly string[] }

export type FromWorker =
  /** Hears now: what was sent before this may be lost. */
  | { readonly is: 'here' }
  | { readonly is: 'ready' }
  | { readonly is: 'gather'; readonly n: number }
  | { readonly is: 'measured'; readonly n: number; readonly text: string }

/** What a worker has of the process that started it. */
export interface Membership {
  readonly id: number
  readonly orders: Orders
  /** Ends when that process is gone. */
  readonly alone: Promise<void>
  readonly siblings: Siblings
  /** Says that this one serves. */
  ready(): void
  /** Lets go, without which the process would not end. */
  leave(): void
}

/** Hears what this process is to be, where it was started as a worker. */
export async function joinPrimary(): Promise<Membership | undefined> {
  const { worker } = cluster
  if (worker === undefined) return undefined
  // Node would end it at once when the first process is gone; what is under way shall end before.
  worker.exitedAfterDisconnect = true
  const alone = Promise.withResolvers<void>()
  worker.once('disconnect', () => alone.resolve())
  const say = (message: FromWorker) => void (worker.isConnected() && process.send?.(message))
  const heard = once(process, 'message')
  say({ is: 'here' })
  const [{ orders }] = (await heard) as [ToWorker & { is: 'orders' }]
  return {
    id: worker.id,
    orders,
    alone: alone.promise,
    siblings: createSiblings(say),
    ready: () => say({ is: 'ready' }),
    leave: () => void (worker.isConnected() && worker.disconnect()),
  }
}

function createSiblings(say: (message: FromWorker) => void): Siblings {
  const waiting = new Map<number, (text: string) => void>()
  let measure: () => Promise<string> = () => Promise.resolve('')
  let asked = 0

  process.on('message', (message: ToWorker) => {
    if (message.is === 'measure') void answer(message.n)
    if (message.is === 'gathered') {
      waiting.get(message.n)?.(mergeMetrics(message.texts))
      waiting.delete(message.n)
    }
  })

  async function answer(n: number): Promise<void> {
    say({ is: 'measured', n, text: await measure().catch(() => '') })
  }

  return {
    measureBy(own) {
      measure = own
    },
    metrics() {
      const n = ++asked
      say({ is: 'gather', n })
      return new Promise((resolve) => waiting.set(n, resolve))
    },
  }
}
