import { setTimeout as pause } from 'node:timers/promises'
import type { ProcessStat, ProcessTable } from './processes.ts'

/** A process, named for good. */
export interface Member {
  readonly pid: number
  readonly startTime: number
}

/** A child with all that came from it, followed for as long as it lives. */
export interface Family {
  /** Every member still of use to find the others, the child itself first. */
  members(): readonly Member[]
  /** Looks who lives now, and remembers them. */
  living(): Promise<readonly Member[]>
}

export function createFamily(processes: ProcessTable, members: readonly [Member, ...Member[]]): Family {
  const [leader] = members
  let known: readonly Member[] = members
  return {
    members: () => known,
    async living() {
      const all = await processes.list().catch(() => undefined)
      if (!all || !processes.supported) return groupOf(leader)
      const living = familyOf(known, all)
      known = [leader, ...worthKeeping(known, living).filter(({ pid }) => pid !== leader.pid)]
      return living
    },
  }
}

/**
 * Finds the living members of a family: the known ones that still live, their descendants, and whoever is in
 * a group or session that a member founded. The last finds those whose parent is gone; having been seen once
 * finds those that also founded a session of their own.
 *
 * A process older than the member it would follow from is a stranger who met a number used again. This
 * process and its ancestors are never members.
 */
export function familyOf(known: readonly Member[], all: readonly ProcessStat[], self = process.pid): ProcessStat[] {
  const alive = new Map(all.map((each) => [each.pid, each]))
  const own = lineageOf(self, alive)
  const since = new Map<number, number>()
  for (const { pid, startTime } of known) {
    if ((alive.get(pid)?.startTime ?? startTime) === startTime) since.set(pid, startTime)
  }
  const follows = (each: ProcessStat) =>
    [each.parent, each.group, each.session].some((id) => each.startTime >= (since.get(id) ?? Infinity))
  for (let before = -1; before < since.size;) {
    before = since.size
    for (const each of all) if (!since.has(each.pid) && follows(each)) since.set(each.pid, each.startTime)
  }
  return all.filter(({ pid }) => since.has(pid) && !own.has(pid))
}

function lineageOf(pid: number, alive: ReadonlyMap<number, ProcessStat>): Set<number> {
  const lineage = new Set<number>()
  for (let at = alive.get(pid); at && !lineage.has(at.pid); at = alive.get(at.parent)) lineage.add(at.pid)
  return lineage
}

/** The living, and the dead whose group or session lives on. */
function worthKeeping(known: readonly Member[], living: readonly ProcessStat[]): Member[] {
  const pids = new Set(living.map(({ pid }) => pid))
  const founders = new Set(living.flatMap(({ group, session }) => [group, session]))
  const dead = known.filter(({ pid }) => !pids.has(pid) && founders.has(pid))
  return [...dead, ...living].map(({ pid, startTime }) => ({ pid, startTime }))
}

/** Where the system does not tell who lives, the process group stands for the family (a negative pid), on Windows the child. */
function groupOf({ pid }: Member): Member[] {
  const target = process.platform === 'win32' ? pid : -pid
  return signal(target, 0) ? [{ pid: target, startTime: 0 }] : []
}

const POLL_MS = 25
const LOOKS_AFTER_KILL = 200

/**
 * Ends all of a family: SIGTERM and `graceMs` to obey where `gently`, then SIGKILL until none is left.
 *
 * @returns whether none is left; a process stuck in the kernel can outlive even this.
 */
export async function endFamily(family: Family, { graceMs, gently }: { graceMs: number; gently: boolean }) {
  if (gently) {
    for (const { pid } of await family.living()) signal(pid, 'SIGTERM')
    for (let waited = 0; waited < graceMs; waited += POLL_MS) {
      if ((await family.living()).length === 0) return true
      await pause(POLL_MS)
    }
  }
  // Again and again: between the look and the signal a process may have started another.
  for (let look = 0; look < LOOKS_AFTER_KILL; look++) {
    const living = await family.living()
    if (living.length === 0) return true
    for (const { pid } of living) signal(pid, 'SIGKILL')
    await pause(POLL_MS)
  }
  return false
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
