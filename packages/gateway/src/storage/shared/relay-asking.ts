import { problem } from '../../base/problem.ts'
import type { Lanes } from './relay-lanes.ts'
import { cut, readFailure, type Answered } from './relay-wire.ts'

interface Asking {
  readonly signal: AbortSignal
  frame?(bytes: Buffer): void
}

interface Asked {
  readonly target: string
  /** Whether the whole question is on its way. */
  sent: boolean
  /** The number of the message that comes next. */
  next: number
  pieces: Buffer[]
  readonly frame: Asking['frame']
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: unknown) => void
}

/** The asking half of a relay: what other processes have been asked, and are to answer. */
export function createAsking({ instance, lanes }: { readonly instance: string; readonly lanes: Lanes }) {
  const pending = new Map<number, Asked>()
  let count = 0

  function fail(n: number, error: unknown): void {
    pending.get(n)?.reject(error)
    pending.delete(n)
  }

  async function send(n: number, kind: string, payload: Buffer, asked: Asked): Promise<void> {
    for (const { piece, more } of cut(payload)) {
      if (!pending.has(n)) return
      await lanes.send(asked.target, { is: 'ask', from: instance, n, kind, more }, piece)
    }
    asked.sent = true
  }

  function cancel(n: number, { target }: Asked, reason: unknown): void {
    fail(n, reason)
    lanes.send(target, { is: 'cancel', from: instance, n }).catch(() => {})
  }

  function takePiece(
    n: number,
    asked: Asked,
    { is, at, more }: Answered & { is: 'frame' | 'end' },
    body: Buffer,
  ): void {
    if (at !== asked.next) return cancel(n, asked, problem('shared.gone', { missing: asked.next }))
    asked.next++
    asked.pieces.push(body)
    if (more) return
    const whole = asked.pieces.length === 1 ? body : Buffer.concat(asked.pieces)
    asked.pieces = []
    if (is === 'frame') return give(n, asked, whole)
    asked.resolve(whole)
    pending.delete(n)
  }

  function give(n: number, asked: Asked, bytes: Buffer): void {
    try {
      asked.frame?.(bytes)
    } catch (error) {
      cancel(n, asked, error)
    }
  }

  return {
    ask(target: string, kind: string, payload: Buffer, { signal, frame }: Asking): Promise<Buffer> {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      const n = ++count
      const asked: Asked = { target, sent: false, next: 0, pieces: [], frame, resolve, reject }
      pending.set(n, asked)
      send(n, kind, payload, asked).catch((error: unknown) => fail(n, error))
      const abort = () => cancel(n, asked, signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      return promise.finally(() => signal.removeEventListener('abort', abort))
    },
    /** Takes what came as an answer; what nobody waits for any more is let go. */
    take(head: Answered, body: Buffer): void {
      const asked = pending.get(head.n)
      if (asked?.target !== head.from) return
      if (head.is === 'fail') fail(head.n, readFailure(head))
      else takePiece(head.n, asked, head, body)
    },
    targets: () => new Set(Array.from(pending.values(), ({ target }) => target)),
    /** Has a process say which of what it was asked it does not know, such as what never arrived there. */
    remind(target: string): void {
      const asked = [...pending].filter(([, each]) => each.target === target && each.sent).map(([n]) => n)
      if (asked.length > 0) lanes.send(target, { is: 'waiting', from: instance, asked }).catch(() => {})
    },
    /** Gives up what a process was asked; every process where none is named. */
    giveUp(error: unknown, target?: string): void {
      for (const [n, asked] of pending) if (target === undefined || asked.target === target) fail(n, error)
    },
  }
}
export type AskingHalf = ReturnType<typeof createAsking>
