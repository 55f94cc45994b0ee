import { problem } from '../../base/problem.ts'
import type { Bus } from './bus.ts'
import type { AnsweringHalf } from './relay-answering.ts'
import type { AskingHalf } from './relay-asking.ts'
import type { Lanes } from './relay-lanes.ts'

const LOOK_MS = 500
/** How often an asked process is reminded, so that what was lost on the way is not waited for. */
const LOOKS_PER_REMINDER = 4
/** How long an answer is waited for while nobody can say who lives. */
const PATIENCE_MS = 10_000

export interface WatchNeeds {
  readonly bus: Bus
  readonly lanes: Lanes
  readonly asking: AskingHalf
  readonly answering: AnsweringHalf
}

/** Looks after those who are waited for and those who wait, as long as there are any. */
export function createWatch({ bus, lanes, asking, answering }: WatchNeeds) {
  let timer: NodeJS.Timeout | undefined
  let looks = 0
  let looking = false
  let unknownSince: number | undefined

  function end(): void {
    clearInterval(timer)
    timer = undefined
    unknownSince = undefined
  }

  async function look(): Promise<void> {
    const peers = new Set([...asking.targets(), ...answering.askers()])
    if (peers.size === 0) return end()
    if (looking) return
    looking = true
    looks++
    for (const peer of peers) await check(peer)
    looking = false
  }

  async function check(peer: string): Promise<void> {
    try {
      const lives = await bus.isAlive(peer)
      unknownSince = undefined
      if (!lives) lose(peer)
      else if (looks % LOOKS_PER_REMINDER === 0) asking.remind(peer)
    } catch (error) {
      unknownSince ??= performance.now()
      if (performance.now() - unknownSince > PATIENCE_MS) asking.giveUp(error, peer)
    }
  }

  function lose(peer: string): void {
    asking.giveUp(problem('shared.gone'), peer)
    answering.giveUp(problem('shared.gone'), peer)
    lanes.forget(peer)
  }

  return {
    begin(): void {
      timer ??= setInterval(() => void look(), LOOK_MS).unref()
    },
    end,
  }
}
