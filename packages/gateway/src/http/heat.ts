import type { Socket } from 'node:net'
import { LRUCache } from 'lru-cache'
import { rateKeyOf } from './client-address.ts'

/** Addresses that are remembered. */
const ADDRESSES = 10_000
const HALF_LIFE_MS = 1_000
/** How long nothing is heard on a connection after a refusal, at least and at most. */
const COOL_MS = 250
const COOL_MOST_MS = 5_000
/** With so many refusals of late, an address waits for as long as that; with twice as many for twice as long. */
const WARM = 20

export interface HeatNeeds {
  /** In milliseconds, and never back. */
  readonly now: () => number
  /** Between 0 and 1. */
  readonly chance: () => number
}

/**
 * Knows which addresses were refused a lot lately, and holds their connections up: the more, the longer. What is not
 * read waits on the side of whoever sends it, and costs nothing here. An address that stops is cold in seconds.
 */
export function createHeat({ now, chance }: HeatNeeds) {
  const heats = new LRUCache<string, { value: number; at: number }>({ max: ADDRESSES })
  /** How many requests were read of each all the same. */
  const held = new WeakMap<Socket, number>()

  function heatOf(address: string): number {
    const known = heats.get(address)
    return known === undefined ? 0 : known.value * 0.5 ** ((now() - known.at) / HALF_LIFE_MS)
  }

  /** Never all of them at the same moment. */
  function hold(socket: Socket, heat: number): void {
    const milliseconds = Math.min(COOL_MOST_MS, COOL_MS * Math.max(1, heat / WARM)) * (0.75 + chance() / 2)
    held.set(socket, 0)
    socket.pause()
    setTimeout(() => {
      held.delete(socket)
      socket.resume()
    }, milliseconds).unref()
  }

  return {
    /** Takes note of a refusal, and hears nothing on its connection for a moment. */
    refused(socket: Socket, weight = 1): void {
      const address = rateKeyOf(socket.remoteAddress ?? '')
      const heat = heatOf(address) + weight
      heats.set(address, { value: heat, at: now() })
      if (!socket.destroyed && !held.has(socket)) hold(socket, heat)
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
    /** Hears a new connection at once, unless its address was refused a lot. */
    opened(socket: Socket): void {
      if (heats.size === 0) return
      const heat = heatOf(rateKeyOf(socket.remoteAddress ?? ''))
      // Node begins to read it at the end of this turn, whatever is done before.
      if (heat >= WARM) setImmediate(() => socket.destroyed || hold(socket, heat))
    },
  }
}
