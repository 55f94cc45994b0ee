import type { LegacyCounts } from './faults-legacy.ts'
import type { ModernCounts } from './faults-modern.ts'
import type { Faults } from './faults-run.ts'
import { servers } from './faults-wire.ts'

/** What was counted, in words, and each thing that is not as it must be. */
export function showFaults({ modern, legacy, parked, killed }: Faults) {
  const lines = [
    ...servers.map((server) => `2026-07-28, server over ${server}: ${modernLine(modern[server])}`),
    ...legacyLines(legacy),
    `parked calls of the killed process: ${parked.count}; said to be lost, maybe run: ${parked.count - parked.otherwise.length}`,
    `child killed in mid-call: a reading tool run again ${killed.ranAgain} times; another not, and said so ${killed.said} times`,
  ]
  const problems = [
    ...servers.flatMap((server) => [...modern[server].lost, ...modern[server].wrong]),
    ...(servers.some((server) => modern[server].elsewhere > 0) ? [] : ['no round came to another process']),
    ...legacyProblems(legacy),
    ...parked.otherwise,
    ...killed.otherwise,
  ]
  return { lines, problems }
}

function modernLine({ calls, rounds, right, lost, wrong, elsewhere }: ModernCounts): string {
  return `${calls} calls, ${rounds} rounds, ${right} answered right, ${lost.length} lost, ${wrong.length} wrong; ${elsewhere} rounds at another process than the call`
}

function legacyLines(counts: LegacyCounts): string[] {
  const { sessions, wentOn, calls, right, lost, wrong, cut, callLost, pipesSessions } = counts
  return [
    `2025-11-25: ${sessions} sessions, ${wentOn} went on; ${calls} calls, ${right} answered right, ${lost.length} lost, ${wrong.length} wrong`,
    `  on the killed process: ${cut + callLost}; connection cut ${cut}, call.lost on coming back ${callLost}`,
    `  after the kill: ${counts.levels} log levels hold, ${counts.subscriptions} subscriptions; after a server's: ${counts.levelsAfterChild} and ${counts.subscriptionsAfterChild} of ${pipesSessions}`,
    `  sekisho_status ${counts.status}`,
  ]
}

function legacyProblems(counts: LegacyCounts): string[] {
  const { sessions, wentOn, levels, subscriptions, pipesSessions, levelsAfterChild, subscriptionsAfterChild } = counts
  const all: readonly (readonly [string, number, number])[] = [
    ['sessions that went on', wentOn, sessions],
    ['log levels', levels, sessions],
    ['subscriptions', subscriptions, sessions],
    ['log levels after the server was killed', levelsAfterChild, pipesSessions],
    ['subscriptions after the server was killed', subscriptionsAfterChild, pipesSessions],
  ]
  return [
    ...counts.lost,
    ...counts.wrong,
    ...counts.refused,
    ...all.filter(([, is, of]) => is !== of).map(([what, is, of]) => `${what}: ${is} of ${of}`),
    ...(counts.cut === 0 ? ['no call was cut off'] : []),
    ...(counts.callLost === 0 ? ['no call was lost whose stream had begun'] : []),
    ...(counts.status.includes('was restarted') ? [] : ['sekisho_status does not say that a server was restarted']),
  ]
}
