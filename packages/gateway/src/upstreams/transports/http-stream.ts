import type { Dispatcher, Pool } from 'undici'
import { createBrake } from '../children/pipes.ts'
import { IDLE_LINES } from '../children/running.ts'
import { createEventReader } from './event-stream.ts'

/** A request that a stream is hoped for. */
export interface StreamRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: string | null
  /** How large one event may be. */
  readonly eventBytes: number
}

/** What becomes of it: it is opened or not, tells something, and ends, once. */
export interface StreamEvents {
  onOpen(): void
  onMessage(data: Buffer): void
  onEnd(end: StreamEnd): void
}

export type StreamEnd =
  /** The server answered with something else. */
  | { readonly kind: 'refused'; readonly status: number }
  | {
      readonly kind: 'lost'
      /** After which event it may be gone on with. */
      readonly lastId: string | undefined
      /** When the server wants that, where it said so and ended the stream itself. */
      readonly retryMs: number | undefined
    }

export interface Stream {
  readonly isOver: boolean
  /** Ends it; nothing is told of it any more. */
  close(): void
}

/**
 * Asks for a stream of events and reads it for as long as it lasts; a flood is slowed down. Nothing runs while it is
 * silent, and nothing is told before this returns.
 */
export function openStream(pool: Pool, { eventBytes, ...request }: StreamRequest, events: StreamEvents): Stream {
  let connection: Dispatcher.DispatchController | undefined
  let isOver = false
  let came = 0
  const held = { pause: () => connection?.pause(), resume: () => (isOver ? undefined : connection?.resume()) }
  const brake = createBrake(held, IDLE_LINES, () => {})
  const reader = createEventReader((data) => {
    came++
    events.onMessage(data)
  }, eventBytes)

  function end(how: StreamEnd): void {
    if (isOver) return
    close()
    events.onEnd(how)
  }

  function lose(retryMs?: number): void {
    end({ kind: 'lost', lastId: reader.lastId, retryMs })
  }

  function close(): void {
    isOver = true
    connection?.abort(ENDED)
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      connection = controller
      if (isOver) controller.abort(ENDED)
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200) return
      const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
      const isStream = status === 200 && type.includes('text/event-stream') && encoding === 'identity'
      if (isStream) events.onOpen()
      else end({ kind: 'refused', status })
    },
    onResponseData(_controller, chunk) {
      if (isOver) return
      came = 0
      try {
        reader.push(chunk)
      } catch {
        return lose()
      }
      if (!isOver) brake(came)
    },
    onResponseEnd: () => lose(reader.retryMs),
    onResponseError: () => lose(),
  }
  queueMicrotask(() => {
    if (!isOver) pool.dispatch(request, handler)
  })
  return {
    get isOver() {
      return isOver
    },
    close,
  }
}

const ENDED = new Error('the stream is not wanted any more')
