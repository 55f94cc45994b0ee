import type { ServerResponse } from 'node:http'
import { isOpen } from './journal.ts'

/** How often a quiet stream gives a sign of life, so that no proxy between gives up on it. */
const EVERY_MS = 15_000
/** So many parts take turns: thousands of streams are not written to at once. */
const PARTS = 15

export interface Pulse {
  /** Has a stream give signs of life, until it is taken out again. */
  add(response: ServerResponse): void
  delete(response: ServerResponse): void
  /** Has something done once in the time between two signs of life of one stream. */
  onBeat(work: () => void): void
  close(): void
}

/** One timer for all the streams there are. */
export function createPulse({ everyMs = EVERY_MS }: { readonly everyMs?: number } = {}): Pulse {
  const parts = Array.from({ length: PARTS }, () => new Set<ServerResponse>())
  const works: (() => void)[] = []
  let turn = 0

  function beat(): void {
    turn = (turn + 1) % PARTS
    for (const response of parts[turn] ?? []) if (isOpen(response)) response.write(SIGN)
    if (turn === 0) for (const work of works) work()
  }
  const timer = setInterval(beat, everyMs / PARTS).unref()

  return {
    /** Into the part that had its turn just now. */
    add: (response) => void parts[turn]?.add(response),
    delete(response) {
      for (const part of parts) part.delete(response)
    },
    onBeat: (work) => void works.push(work),
    close: () => clearInterval(timer),
  }
}

/** A comment, which clients pass over. @see WHATWG HTML, server-sent events, "interpreting an event stream" */
const SIGN = ':\n\n'
