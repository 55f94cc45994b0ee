import { systemRandom, type Random, type UpstreamId } from '../../base/ids.ts'
import type { RpcRequest } from '../../base/json-rpc.ts'
import { Problem, problem } from '../../base/problem.ts'
import type { Principal } from '../../identity/principal.ts'
import type { Relay, Relayed } from '../../storage/shared/relay.ts'
import { readInputResponses, requestStateOf } from '../eras/input-required.ts'
import { systemLater, type Later } from './later.ts'
import { createParkStates } from './park-state.ts'
import { createPark, type Outcome, type Park, type Parkable, type Parked, type Resumed } from './park.ts'
import { withOwnProgress } from './progress.ts'
import { createRoom, type RoomLimits } from './room.ts'
import { pack, packOutcome, readRetried, unpack, unpackOutcome, writeRetried } from './wire.ts'
import { toAbortSignal, type StopSignal } from '../../base/stop.ts'

export type { Parkable, Parked, Resumed }

/** Calls that wait for their clients, which cannot be asked but come again with their answers. */
export interface Parking {
  /**
   * Keeps a call from its server's first question on. Until its first response has ended ({@link Parked.detached})
   * what comes of it belongs there; from then on it belongs to the park.
   */
  park(call: Parkable): Parked
  /** Whether a request with this state goes on with a call that the gate keeps. Never throws, whatever the text. */
  recognises(requestState: string): boolean
  /**
   * Goes on with a call, whichever process keeps it, and waits for its next questions or its end. The same twice does
   * nothing twice: it gives what the first gave, or would have given.
   *
   * @throws {Problem} `call.state` for a state that was changed, of another user, or of another request;
   * `call.expired`, `call.lost`, `shared.unreachable`; what `permit` rejects with; the failure the call ended with; the
   * reason of the signal
   */
  resume(retry: Retry): Promise<Resumed>
  /** How many calls are kept here that have not ended. */
  readonly size: number
  /** Ends every call with `gate.stopping`. */
  close(): Promise<void>
}

/** A request that comes again. */
export interface Retry {
  readonly principal: Pick<Principal, 'tenant' | 'userId'>
  readonly request: RpcRequest
  readonly signal: StopSignal
  /** Asked before anything goes on: what was allowed when the call of that server began may not be so any more. */
  permit(server: UpstreamId): Promise<void>
  notify(message: Buffer, method: string): void
}

export interface ParkingNeeds {
  /** 32 bytes that all processes of a gate know. */
  readonly key: Uint8Array
  /** Names this process among them. */
  readonly instance: string
  readonly relay: Pick<Relay, 'serve' | 'ask'>
  readonly clock: { now(): number }
  readonly random?: Random
  readonly later?: Later
  /** How long a client may stay away before its call is given up. */
  readonly parkMs?: number
  readonly limits?: RoomLimits
}

const PARK_MS = 600_000
const MEGABYTE = 1024 * 1024
const LIMITS: RoomLimits = {
  calls: 10_000,
  callsPerUser: 100,
  bytes: 128 * MEGABYTE,
  bytesPerUser: 32 * MEGABYTE,
}
const ID_BYTES = 16
const KIND = 'park.resume'
/** What an outcome that is kept costs besides its bytes. */
const OUTCOME_BYTES = 4_000

/** A call, and what is kept of it since it ended. */
interface Place {
  readonly park: Park
  readonly user: string
  kept: number
}

export function createParking(needs: ParkingNeeds): Parking {
  const { key, instance, relay, clock, random = systemRandom, later = systemLater, parkMs = PARK_MS } = needs
  const states = createParkStates(key)
  const room = createRoom(needs.limits ?? LIMITS)
  const places = new Map<string, Place>()
  /** Those of calls that have ended, the oldest first. */
  const past = new Set<string>()
  let closed = false
  relay.serve(KIND, takeRetried)

  // 1. A call comes in; it has a place from the first question on that its client may be asked.

  function park(call: Parkable): Parked {
    const id = Buffer.from(random(ID_BYTES)).toString('base64url')
    const { tenant, userId } = call.principal
    const place: Place = {
      user: `${tenant} ${userId}`,
      kept: 0,
      park: createPark({
        call,
        clock,
        later,
        parkMs,
        stateOf: (round, until) => states.write({ id, instance, round, until, server: call.server }, call),
        take: (bytes) => enter(id, place, bytes),
        give: (bytes) => room.give(place.user, bytes),
        ended: (outcome) => retire(id, place, outcome),
        past: () => forget(id),
      }),
    }
    return place.park
  }

  function enter(id: string, place: Place, bytes: number): boolean {
    const isNew = !places.has(id)
    if (closed || (isNew && !room.enter(place.user))) return false
    if (!makeRoom(place.user, bytes)) {
      if (isNew) room.leave(place.user)
      return false
    }
    places.set(id, place)
    return true
  }

  /** What is kept of calls that have ended gives way, the oldest first. */
  function makeRoom(user: string, bytes: number): boolean {
    for (let full = room.take(user, bytes); full; full = room.take(user, bytes)) {
      const oldest = findPast(full === 'user' ? user : undefined)
      if (oldest === undefined) return false
      forget(oldest)
    }
    return true
  }

  function findPast(user: string | undefined): string | undefined {
    if (user === undefined) return past.values().next().value
    for (const id of past) if (places.get(id)?.user === user) return id
    return undefined
  }

  // 2. It has ended: what came of it is kept, where there is room.

  function retire(id: string, place: Place, outcome: Outcome): boolean {
    if (!places.has(id)) return false
    room.leave(place.user)
    const bytes = OUTCOME_BYTES + (outcome.kind === 'answer' ? outcome.member.length : 0)
    if (closed || !place.park.detached || !makeRoom(place.user, bytes)) {
      places.delete(id)
      return false
    }
    place.kept = bytes
    past.add(id)
    return true
  }

  function forget(id: string): void {
    const place = places.get(id)
    if (!place || !past.delete(id)) return
    places.delete(id)
    room.give(place.user, place.kept)
    place.park.drop()
  }

  // 3. A client comes again, to whichever process: the one that keeps the call is asked.

  async function resume({ principal, request, signal, permit, notify }: Retry): Promise<Resumed> {
    const { instance: keeper, ...state } = states.read(requestStateOf(request), { principal, request })
    await permit(state.server)
    const payload = writeRetried({ ...state, said: readInputResponses(request) })
    const told = withOwnProgress(request, notify)
    const frame = (bytes: Buffer) => {
      const { head, body } = unpack(bytes)
      told(body, head)
    }
    const stop = toAbortSignal(signal)
    const ask = () => relay.ask(keeper, KIND, payload, { signal: stop, frame })
    try {
      // Where a piece got lost on the way between two that live, the second time does what the first would have done.
      return unpackOutcome(await ask().catch((error: unknown) => (isGone(error) ? ask() : Promise.reject(error))))
    } catch (error) {
      throw isGone(error) ? problem('call.lost', { cause: error }) : error
    }
  }

  async function takeRetried({ payload, signal, frame }: Relayed): Promise<Buffer> {
    if (closed) throw problem('gate.stopping')
    const { id, round, until, server, said } = readRetried(payload)
    const place = places.get(id)
    if (!place) throw clock.now() < until ? problem('call.lost') : problem('call.expired', { server })
    const notify = (message: Buffer, method: string) => frame(pack(method, message))
    return packOutcome(await place.park.resume({ round, said, signal, notify }))
  }

  return {
    park,
    recognises: states.recognises,
    resume,
    get size() {
      return room.calls
    },
    async close() {
      closed = true
      for (const { park } of places.values()) {
        park.end(problem('gate.stopping'))
        park.drop()
      }
      places.clear()
      past.clear()
    },
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Problem && error.code === 'shared.gone'
}
