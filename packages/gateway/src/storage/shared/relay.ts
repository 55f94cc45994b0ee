import type { Log } from '../../base/log.ts'
import { problem } from '../../base/problem.ts'
import type { Bus } from './bus.ts'
import { createAnswering } from './relay-answering.ts'
import { createAsking } from './relay-asking.ts'
import { createLanes, isCounted, topicOf } from './relay-lanes.ts'
import { createWatch } from './relay-watch.ts'
import { decode, encode, type Head } from './relay-wire.ts'

/** One request of another process, to be answered here. */
export interface Relayed {
  readonly payload: Buffer
  /** Aborted where the other process has gone, or does not want the answer any more. */
  readonly signal: AbortSignal
  /** Sends something ahead of the answer. */
  frame(bytes: Buffer): void
}

/** Has a named process do something, and hears what comes of it: for what cannot move between processes. */
export interface Relay {
  /** Answers requests of one kind; a Problem that is thrown is thrown again at the other end, by its code and details. */
  serve(kind: string, answer: (request: Relayed) => Promise<Buffer>): void
  /**
   * Asks one process; this one as well, without a detour.
   *
   * @throws {Problem} `shared.gone` where that process lives no more or does not answer; `shared.unreachable`; what was
   * thrown there; the reason of the signal
   */
  ask(instance: string, kind: string, payload: Buffer, how: RelayAsk): Promise<Buffer>
}

export interface RelayAsk {
  readonly signal: AbortSignal
  /** Takes what comes ahead of the answer, in order. */
  frame?(bytes: Buffer): void
}

type Answer = (request: Relayed) => Promise<Buffer>

export interface OpenRelay extends Relay {
  /** Ends when the others can ask here. */
  listen(): Promise<void>
  /** Gives up what was asked, and what is being answered. */
  close(): void
}

/**
 * Relays over a bus. Each process hears a topic of its own; who asks watches whom it asked, and who answers watches
 * who asked, so that nobody waits for a process that is gone, or works for one.
 */
export function createRelay(bus: Bus, { log }: { readonly log: Log }): OpenRelay {
  const { instance } = bus
  const answers = new Map<string, Answer>()
  const lanes = createLanes(bus)
  const asking = createAsking({ instance, lanes })
  const answering = createAnswering({ instance, lanes, log, find: (kind) => answers.get(kind) })
  const watch = createWatch({ bus, lanes, asking, answering })
  let listening: Promise<() => void> | undefined
  // Where that fails, it is tried again when something is asked.
  listen().catch(() => {})

  async function listen(): Promise<void> {
    listening ??= bus.subscribe(topicOf(instance), take)
    try {
      await listening
    } catch (error) {
      listening = undefined
      throw error
    }
  }

  function take(bytes: Buffer): void {
    const { head, body } = decode(bytes)
    if (isCounted(bytes.length)) tellRoom(head.from, bytes.length)
    handle(head, body)
    watch.begin()
  }

  function tellRoom(to: string, bytes: number): void {
    bus.publish(topicOf(to), encode({ is: 'room', from: instance, bytes })).catch(() => {})
  }

  function handle(head: Head, body: Buffer): void {
    switch (head.is) {
      case 'ask':
        return answering.takeQuestion(head, body)
      case 'cancel':
        return answering.cancel(head)
      case 'waiting':
        return answering.checkWaiting(head)
      case 'frame':
      case 'end':
      case 'fail':
        return asking.take(head, body)
      case 'room':
        return lanes.hasRoom(head.from, head.bytes)
    }
  }

  return {
    listen,
    serve: (kind, answer) => void answers.set(kind, answer),
    async ask(target, kind, payload, how) {
      how.signal.throwIfAborted()
      if (target === instance) return askHere(answers.get(kind), payload, how)
      await listen()
      if (!(await bus.isAlive(target))) throw problem('shared.gone')
      how.signal.throwIfAborted()
      watch.begin()
      return asking.ask(target, kind, payload, how)
    },
    close() {
      watch.end()
      asking.giveUp(problem('shared.gone'))
      answering.giveUp(problem('shared.gone'))
      lanes.close()
      listening?.then((stop) => stop()).catch(() => {})
    },
  }
}

async function askHere(answer: Answer | undefined, payload: Buffer, { signal, frame }: RelayAsk): Promise<Buffer> {
  if (!answer) throw problem('shared.gone')
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  let over = false
  signal.addEventListener('abort', abort, { once: true })
  try {
    const request: Relayed = {
      payload,
      signal,
      frame: (bytes) => (over || signal.aborted ? undefined : frame?.(bytes)),
    }
    return await Promise.race([answer(request), aborted])
  } finally {
    over = true
    signal.removeEventListener('abort', abort)
  }
}
