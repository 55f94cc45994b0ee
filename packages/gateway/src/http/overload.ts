import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { LRUCache } from 'lru-cache'
import { problem, type Problem } from '../base/problem.ts'
import { rateKeyOf } from './client-address.ts'
import { createHeat } from './heat.ts'
import { createPressure, type PressureSettings } from './pressure.ts'
import { createTurns } from './turns.ts'

export interface OverloadSettings extends PressureSettings {
  /** Requests that are being answered at most, those of streams included. */
  readonly requestsInFlight: number
  /** How many requests of one address may wait for their turn. */
  readonly requestsWaiting: number
  /** How long a request may wait for its turn. */
  readonly waitMs: number
  /** How many requests may wait on one connection behind one that is being answered. */
  readonly pipelined: number
}

export interface OverloadNeeds {
  readonly settings: OverloadSettings
  /** Who sent a request, behind proxies too. */
  addressOf(request: IncomingMessage): string
  /** Whether a connection carries the requests of many, so that one of them must not make others wait. */
  isShared(socket: Socket): boolean
  /** Between 0 and 1. */
  readonly chance: () => number
}

/** Goes on with a request that was taken or, where it waited for nothing, answers it with why. */
export type Begin = (refused?: Problem) => void

const SECONDS_TO_WAIT = 1
const ADDRESSES = 10_000
/** How often an address is let in while the process is late. */
const NOW_AND_THEN_MS = 250
/** What a connection that is read from takes: one read holds a hundred requests. */
const READ_MS = 1

/**
 * Keeps the gate in time where more comes than it can do: addresses take turns, and what is too much even so is
 * refused at once, since to say so is cheaper than to be late for everybody. Whoever is refused is heard again only
 * after a moment, so that a flood waits on its own side.
 *
 * @see decision 0027, decision 0028
 */
export function createOverload({ settings, addressOf, isShared, chance }: OverloadNeeds) {
  const { requestsInFlight, requestsWaiting, waitMs, pipelined } = settings
  const now = () => performance.now()
  const pressure = createPressure(settings)
  const turns = createTurns({ now, soon: setImmediate })
  const heat = createHeat({ now, chance, hear })
  const queues = new WeakMap<Socket, number>()
  /** The addresses that were let in lately although the process was late. */
  const letIn = new LRUCache<string, true>({ max: ADDRESSES, ttl: NOW_AND_THEN_MS })
  let inFlight = 0
  /** The connection that something was begun of last. */
  let readLast: Socket | undefined

  /** Reads from a connection again, when it is the turn of its address. */
  function hear(socket: Socket): void {
    inTurn(socket, () => socket.resume())
  }

  function inTurn(socket: Socket, begin: () => void): void {
    const beginRead = () => {
      if (socket.destroyed) return false
      turns.spend(READ_MS)
      begin()
      return true
    }
    if (turns.isFree()) beginRead()
    else turns.wait(rateKeyOf(socket.remoteAddress ?? ''), beginRead)
  }

  /** What was read together is begun together: who sends ahead what is answered at once shall not wait in the middle of it. */
  function isNext(socket: Socket): boolean {
    if (socket !== readLast && !turns.isFree()) return false
    readLast = socket
    return true
  }

  function onClose(this: ServerResponse): void {
    inFlight--
    const { socket } = this.req
    if (REFUSALS.has(this.statusCode) && !isShared(socket)) heat.refused(socket)
  }

  function queue(response: ServerResponse): void {
    const { socket } = response.req
    const waiting = (queues.get(socket) ?? 0) + 1
    queues.set(socket, waiting)
    response.on('close', () => queues.set(socket, (queues.get(socket) ?? 1) - 1))
    if (waiting > pipelined) hangUp(socket)
  }

  /** Who sends so much ahead does not wait for answers, and hears no more of them: what was read with it is dropped. */
  function hangUp(socket: Socket): never {
    readNoMore(socket)
    socket.destroy()
    if (!isShared(socket)) heat.refused(socket)
    throw overloaded('limits.pipelined')
  }

  function reachedFor(request: IncomingMessage): string | undefined {
    const setting = inFlight > requestsInFlight ? 'limits.requestsInFlight' : pressure.reached()
    return setting === 'limits.loopDelayMs' && isFirst(rateKeyOf(addressOf(request))) ? undefined : setting
  }

  /** Whoever asks now and then is not what makes the process late. */
  function isFirst(address: string): boolean {
    if (letIn.has(address)) return false
    letIn.set(address, true)
    return true
  }

  function wait({ req }: ServerResponse, begin: Begin): void {
    const address = rateKeyOf(addressOf(req))
    if (turns.waitingOf(address) >= requestsWaiting) throw overloaded('limits.requestsWaiting')
    const since = now()
    turns.wait(address, () => {
      if (req.socket.destroyed) return false
      begin(now() - since > waitMs ? overloaded('limits.waitMs') : undefined)
      return true
    })
  }

  return {
    /**
     * Takes a request that is about to be answered, counts it until its answer has ended, and begins it when it is the
     * turn of its address.
     *
     * @throws {Problem} `gate.overloaded`, with the limit that was reached
     */
    admit(response: ServerResponse, begin: Begin): void {
      inFlight++
      response.on('close', onClose)
      if (heat.holds(response.req.socket)) hangUp(response.req.socket)
      // Node gives a response its connection when it is its turn.
      if (response.socket === null) queue(response)
      const setting = reachedFor(response.req)
      if (setting !== undefined) throw overloaded(setting)
      if (isNext(response.req.socket)) begin()
      else wait(response, begin)
    },
    /** Hears a new connection when it is its turn, and only later where its address was refused a lot. */
    opened(socket: Socket): void {
      const isHot = () => !isShared(socket) && heat.isHot(socket)
      if (turns.isFree() && !isHot()) return turns.spend(READ_MS)
      // Node begins to read from it in the tick before, whatever is done here.
      process.nextTick(() => {
        socket.pause()
        inTurn(socket, () => (isHot() ? heat.hold(socket) : socket.resume()))
      })
    },
    inFlight: () => inFlight,
    /** How many requests and new connections wait for their turn. */
    waiting: () => turns.size,
    delaySeconds: pressure.delaySeconds,
    close: pressure.close,
  }
}

function overloaded(setting: string): Problem {
  return problem('gate.overloaded', { setting, seconds: SECONDS_TO_WAIT })
}

/**
 * Has Node drop what it has read of a connection and not yet made requests of. It does so itself for a connection that
 * has closed, but that is only after the last of them; a Node that has no such thing reads on.
 */
function readNoMore(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser')
  if (isParser(parser)) parser.remove()
}

function isParser(value: unknown): value is { remove(): void } {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'remove') === 'function'
}

const REFUSALS: ReadonlySet<number> = new Set([429, 503])
