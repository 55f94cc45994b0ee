import type { Worker } from 'node:cluster'
import type { FromWorker, ToWorker } from './worker.ts'

/** One that does not answer in this time is left out. */
const ANSWER_MS = 2_000

/** The metrics of all workers, gathered for whichever of them was asked for them. */
export function createMeasuring(workers: () => Iterable<Worker>) {
  const waiting = new Map<number, (text: string) => void>()
  let asked = 0

  async function gather(asker: Worker, n: number): Promise<void> {
    const texts = await Promise.all(Array.from(workers(), measure))
    send(asker, { is: 'gathered', n, texts: texts.filter((text) => text !== '') })
  }

  async function measure(worker: Worker): Promise<string> {
    const n = ++asked
    const { promise, resolve } = Promise.withResolvers<string>()
    const timer = setTimeout(resolve, ANSWER_MS, '')
    waiting.set(n, resolve)
    send(worker, { is: 'measure', n })
    const text = await promise
    clearTimeout(timer)
    waiting.delete(n)
    return text
  }

  return {
    take(worker: Worker, message: FromWorker): void {
      if (message.is === 'gather') void gather(worker, message.n)
      if (message.is === 'measured') waiting.get(message.n)?.(message.text)
    },
  }
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message)
}
