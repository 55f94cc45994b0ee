import type { Socket } from 'node:net'
import { createRecent } from '../base/recent.ts'
import { rateKeyOf } from './client-address.ts'

/** Addresses that are remembered. */
const ADDRESSES = 10_000
const HALF_LIFE_MS = 1_000
/** How long nothing is heard on a connection after a refusal, at least and at most. */
const COOL_MS = 250
const COOL_MOST_MS = 5_000
/** With so many refusals of late, an address waits for as long as that; with twice as many for twice as long. */
const WARM = 20
/** The same of all addresses together: a flood from many is none of any, and costs as much. */
const WARM_ALL = 100

export interface HeatNeeds {
  /** In milliseconds, and never back. */
  readonly now: () => number
  /** Between 0 and 1. */
  readonly chance: () => number
  /** Reads from a connection again. */
  readonly hear: (socket: Socket) => void
}

interface Warmth {
  readonly value: number
  readonly at: number
}

/**
 * Knows which addresses were refused a lot lately, and holds their connections up: the more, the longer. What is not
 * read waits on the side of whoever sends it, and costs nothing here. An address that stops is cold in seconds.
 */
export function createHeat({ now, chance, hear }: HeatNeeds) {
  const heats = createRecent<string, Warmth>(ADDRESSES)
  let all: Warmth = { value: 0, at: 0 }
  /** How many requests were read of each all the same. */
  const held = new WeakMap<Socket, number>()

  function heatOf(socket: Socket): number {
    return heats.size === 0 ? 0 : heatNow(heats.get(keyOf(socket)))
  }

  function heatNow(warmth: Warmth | undefined): number {
    return warmth === undefined ? 0 : warmth.value * 0.5 ** ((now() - warmth.at) / HALF_LIFE_MS)
  }

  /** Never all of them at the same moment. */
  function hold(socket: Socket): void {
    const times = Math.max(1, heatOf(socket) / WARM, heatNow(all) / WARM_ALL)
    held.set(socket, 0)
    socket.pause()
    const resume = () => {
      held.delete(socket)
      hear(socket)
    }
    setTimeout(resume, Math.min(COOL_MOST_MS, COOL_MS * times) * (0.75 + chance() / 2)).unref()
  }

  return {
    /** Takes note of a refusal, and hears nothing on its connection for a moment. */
    refused(socket: Socket): void {
      const at = now()
      heats.set(keyOf(socket), { value: heatOf(socket) + 1, at })
      all = { value: heatNow(all) + 1, at }
      if (!socket.destroyed && !held.has(socket)) hold(socket)
    },
    /**
     * Whether a request comes on a connection that nothing is heard on, which was sent before its refusal could be read.
     * The first may have been on its way to Node already when it was held up: that one is nobody's fault.
     */
    holds(socket: Socket): boolean {
      const read = held.get(socket)
      if (read === undefined) return false
      held.set(socket, read + 1)
      return read > 0
    },
    /** Whether the address of a connection was refused a lot lately. */
    isHot: (socket: Socket): boolean => heatOf(socket) >= WARM,
    /** Hears nothing on a connection for a moment. */
    hold,
  }
}

function keyOf({ remoteAddress }: Socket): string {
  return rateKeyOf(remoteAddress ?? '')
}
