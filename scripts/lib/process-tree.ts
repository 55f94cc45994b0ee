import { readdirSync, readFileSync } from 'node:fs'

/** A process that is told from a later one with the same number by the time it was started, in clock ticks. */
export interface Process {
  readonly pid: number
  readonly started: string
}

/**
 * Lists a process and all its descendants, whatever group they are in. It is read from `/proc`: elsewhere
 * than on Linux the list is empty.
 */
export function treeOf(root: number): Process[] {
  const all = readAll()
  const children = Map.groupBy(all, ({ parent }) => parent)
  const found = all.filter(({ pid }) => pid === root)
  for (const { pid } of found) found.push(...(children.get(pid) ?? []))
  return found.map(({ pid, started }) => ({ pid, started }))
}

/** Lists those that still run; a zombie does not. */
export function stillRunning(processes: readonly Process[]): Process[] {
  return processes.filter(({ pid, started }) => readOne(pid)?.started === started)
}

/** Ends the processes at once, but for a later one that was given the same number. */
export function endAll(processes: readonly Process[]): void {
  for (const { pid } of stillRunning(processes)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in between.
    }
  }
}

interface Entry extends Process {
  readonly parent: number
}

function readAll(): Entry[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readOne(Number(name)) ?? []) : []))
}

/** @see proc_pid_stat(5): after the name in brackets follow the state, the parent and, 20th, the start time. */
function readOne(pid: number): Entry | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}
