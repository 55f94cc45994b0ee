import { openGround, type GroundNeeds } from './faults-ground.ts'
import { killInMidCall, parkCalls, type KilledCounts } from './faults-kills.ts'
import { callLegacy, type LegacyCounts } from './faults-legacy.ts'
import { callModern, type ModernCounts } from './faults-modern.ts'
import type { ServerName } from './faults-wire.ts'

export interface FaultsNeeds extends GroundNeeds {
  /** For each server, in each era. */
  readonly calls: number
  readonly atOnce: number
  readonly sessionsEach: number
  readonly parked: number
  readonly kills: number
  /** How many calls are held in the middle of them for the moment a process is killed. */
  readonly held: number
  /** Whether the killed process is started again. */
  readonly comesBack: boolean
}

/** All that is counted. */
export interface Faults {
  readonly modern: Readonly<Record<ServerName, ModernCounts>>
  readonly legacy: LegacyCounts
  readonly parked: { readonly count: number; readonly otherwise: readonly string[] }
  readonly killed: KilledCounts
  /** What both processes said of it all: why something failed stands there and nowhere else. */
  readonly log: string
}

/** Makes calls through two processes, kills one of them in the middle, and counts what became of every call. */
export async function runFaults(needs: FaultsNeeds): Promise<Faults> {
  const { calls, atOnce, sessionsEach, held, comesBack } = needs
  await using ground = await openGround(needs)
  const http = await callModern(ground, { server: 'http', calls, atOnce })
  const pipes = await callModern(ground, { server: 'pipes', calls, atOnce })
  const parkedCalls = await parkCalls(ground, 0, needs.parked)
  let otherwise: readonly string[] = ['nobody came back']
  const whileDown = async () => {
    otherwise = await parkedCalls.comeBack()
  }
  const legacy = await callLegacy(ground, { sessionsEach, callsEach: calls, atOnce, held, comesBack, whileDown })
  const killed = await killInMidCall(ground, needs.kills)
  return {
    modern: { http, pipes },
    legacy,
    parked: { count: parkedCalls.count, otherwise },
    killed,
    log: ground.log(0) + ground.log(1),
  }
}
