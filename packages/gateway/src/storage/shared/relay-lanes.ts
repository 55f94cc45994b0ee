import { setTimeout as wait } from 'node:timers/promises'
import type { Bus } from './bus.ts'
import { encode, type Head } from './relay-wire.ts'

/** What may be on its way to one process before it says that it has arrived. */
const WINDOW_BYTES = 4 * 1024 * 1024
/** After that, the word that there is room is taken to be lost. */
const ROOM_MS = 5_000
/** A message this small is not counted. */
const SMALL_BYTES = 16 * 1024
/** How long an answer is kept for a bus that cannot be reached. */
const PATIENCE_MS = 10_000
const RETRY_MS = 250

interface Lane {
  readonly waiting: Sending[]
  onWay: number
  roomMade: (() => void) | undefined
}

interface Sending {
  readonly bytes: Buffer
  readonly size: number
  readonly until: number
  done(): void
  failed(error: unknown): void
}

export interface Sent {
  /** For answers: a bus that is away for a moment does not lose them. */
  readonly patient: boolean
}

export const topicOf = (instance: string) => `to.${instance}`

/** Whether a message of this size has to be answered with the word that there is room again. */
export const isCounted = (size: number) => size > SMALL_BYTES

/**
 * Sends to each process one message after the other, and no more at once than it takes: what a slow one has not
 * read yet gathers in Redis, which cuts off a listener for whom that is too much.
 */
export function createLanes(bus: Bus) {
  const lanes = new Map<string, Lane>()
  let closed = false

  async function drive(instance: string, lane: Lane): Promise<void> {
    for (let next = lane.waiting[0]; next; next = lane.waiting[0]) {
      if (isCounted(next.size)) await room(lane)
      if (isCounted(next.size)) lane.onWay += next.size
      await publish(instance, next).then(next.done, next.failed)
      lane.waiting.shift()
    }
    if (lane.onWay === 0) lanes.delete(instance)
  }

  async function publish(instance: string, { bytes, until }: Sending): Promise<void> {
    for (;;) {
      try {
        return await bus.publish(topicOf(instance), bytes)
      } catch (error) {
        if (closed || performance.now() + RETRY_MS > until) throw error
        await wait(RETRY_MS)
      }
    }
  }

  function forget(instance: string): void {
    const lane = lanes.get(instance)
    if (lane === undefined) return
    lane.onWay = 0
    lane.roomMade?.()
  }

  return {
    /** Ends when the message is on its way. @throws {Problem} `shared.unreachable` */
    send(instance: string, head: Head, body?: Buffer, { patient }: Sent = { patient: false }): Promise<void> {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const bytes = encode(head, body)
      const until = performance.now() + (patient ? PATIENCE_MS : 0)
      const lane = lanes.get(instance) ?? { waiting: [], onWay: 0, roomMade: undefined }
      lanes.set(instance, lane)
      lane.waiting.push({ bytes, size: bytes.length, until, done: resolve, failed: reject })
      if (lane.waiting.length === 1) void drive(instance, lane)
      return promise
    },
    /** Takes the word that so much has arrived there. */
    hasRoom(instance: string, bytes: number): void {
      const lane = lanes.get(instance)
      if (lane === undefined) return
      lane.onWay = Math.max(0, lane.onWay - bytes)
      lane.roomMade?.()
      if (lane.onWay === 0 && lane.waiting.length === 0) lanes.delete(instance)
    },
    forget,
    close(): void {
      closed = true
      for (const instance of lanes.keys()) forget(instance)
    },
  }
}
export type Lanes = ReturnType<typeof createLanes>

async function room(lane: Lane): Promise<void> {
  while (lane.onWay >= WINDOW_BYTES) {
    const { promise, resolve } = Promise.withResolvers<void>()
    lane.roomMade = resolve
    const timer = setTimeout(() => {
      lane.onWay = 0
      resolve()
    }, ROOM_MS)
    await promise
    clearTimeout(timer)
    lane.roomMade = undefined
  }
}
