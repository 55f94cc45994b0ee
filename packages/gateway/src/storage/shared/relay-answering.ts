import type { Log } from '../../base/log.ts'
import { asProblem, problem } from '../../base/problem.ts'
import type { Lanes } from './relay-lanes.ts'
import { cut, failureHead, type Head } from './relay-wire.ts'

type Answer = (request: Asked) => Promise<Buffer>

interface Asked {
  readonly payload: Buffer
  readonly signal: AbortSignal
  frame(bytes: Buffer): void
}

export interface AnsweringNeeds {
  readonly instance: string
  readonly lanes: Lanes
  readonly log: Log
  find(kind: string): Answer | undefined
}

interface Serving {
  readonly from: string
  readonly n: number
  readonly pieces: Buffer[]
  readonly controller: AbortController
  /** How many messages of the answer have been sent. */
  sent: number
}

/** The answering half of a relay: what other processes have asked here. */
export function createAnswering({ instance, lanes, log, find }: AnsweringNeeds) {
  const serving = new Map<string, Serving>()

  function begin(from: string, n: number): Serving {
    const begun = { from, n, pieces: [], controller: new AbortController(), sent: 0 }
    serving.set(keyOf(from, n), begun)
    return begun
  }

  function takeQuestion({ from, n, kind, more }: Head & { is: 'ask' }, piece: Buffer): void {
    const asked = serving.get(keyOf(from, n)) ?? begin(from, n)
    asked.pieces.push(piece)
    if (!more) void answer(asked, kind)
  }

  async function answer(asked: Serving, kind: string): Promise<void> {
    const { from, n, pieces, controller } = asked
    const { signal } = controller
    const payload = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    const frame = (bytes: Buffer) => {
      if (!signal.aborted && serving.has(keyOf(from, n))) send('frame', asked, bytes)
    }
    try {
      const serve = find(kind)
      if (!serve) throw problem('shared.gone', { kind })
      send('end', asked, await serve({ payload, signal, frame }))
    } catch (error) {
      const failure = asProblem(error)
      if (failure.code === 'gate.fault' && !signal.aborted) log.error({ error, kind }, 'relay.fault')
      if (!signal.aborted) say(from, failureHead(instance, n, failure))
    }
    serving.delete(keyOf(from, n))
  }

  function send(is: 'frame' | 'end', asked: Serving, bytes: Buffer): void {
    const { from, n, controller } = asked
    if (controller.signal.aborted) return
    for (const { piece, more } of cut(bytes)) say(from, { is, from: instance, n, at: asked.sent++, more }, piece)
  }

  /** Lost after all, the hole or the silence tells the asker. */
  function say(to: string, head: Head, body?: Buffer): void {
    lanes.send(to, head, body, { patient: true }).catch((error: unknown) => log.warn({ error }, 'relay.answer_lost'))
  }

  function stop({ from, n, controller }: Serving, reason: unknown): void {
    serving.delete(keyOf(from, n))
    controller.abort(reason)
  }

  return {
    takeQuestion,
    cancel({ from, n }: { readonly from: string; readonly n: number }): void {
      const asked = serving.get(keyOf(from, n))
      if (asked) stop(asked, problem('shared.gone', { cancelled: true }))
    },
    /** Tells which of these are not answered here, or not any more. */
    checkWaiting({ from, asked }: { readonly from: string; readonly asked: readonly number[] }): void {
      const unknown = asked.filter((n) => !serving.has(keyOf(from, n)))
      for (const n of unknown) say(from, failureHead(instance, n, problem('shared.gone')))
    },
    askers: () => new Set(Array.from(serving.values(), ({ from }) => from)),
    /** Ends the work for one who is gone; for everybody where none is named. */
    giveUp(error: unknown, from?: string): void {
      for (const asked of serving.values()) if (from === undefined || asked.from === from) stop(asked, error)
    },
  }
}
export type AnsweringHalf = ReturnType<typeof createAnswering>

const keyOf = (from: string, n: number) => `${from} ${n}`
