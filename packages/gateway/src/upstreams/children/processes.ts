import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

/** One living process, as `/proc/<pid>/stat` has it; zombies are not living. */
export interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** In clock ticks since boot: with the pid, it names a process for good, however often its number is used again. */
  readonly startTime: number
}

/** What the system knows of its processes. Only Linux tells; elsewhere every answer is empty. */
export interface ProcessTable {
  readonly supported: boolean
  /** Names this boot and this space of process numbers: a pid means nothing outside both. */
  readonly space: string
  /** @throws {Error} where the system would not let them be read. */
  list(): Promise<readonly ProcessStat[]>
  find(pid: number): ProcessStat | undefined
  /** Resident memory in MB of 2^20 bytes; 0 for a process that is gone. */
  residentMb(pid: number): number
}

/** Processes read before others get a turn: about a millisecond. */
const BATCH = 64

/** @see proc(5) */
export function createProcessTable(): ProcessTable {
  const supported = process.platform === 'linux'
  let reading: Promise<readonly ProcessStat[]> | undefined
  return {
    supported,
    space: supported ? `${tryRead('/proc/sys/kernel/random/boot_id')?.trim()} ${pidNamespace()}` : '',
    list() {
      if (!supported) return Promise.resolve([])
      // Many children ended at once look many times a second; those who ask together share one look.
      reading ??= readAll().finally(() => (reading = undefined))
      return reading
    },
    find: (pid) => (supported ? parseStat(pid, tryRead(`/proc/${pid}/stat`)) : undefined),
    residentMb: (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(tryRead(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) / 1024,
  }
}

async function readAll(): Promise<ProcessStat[]> {
  const found: ProcessStat[] = []
  let count = 0
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = parseStat(pid, read(`/proc/${pid}/stat`))
    if (stat) found.push(stat)
    if (++count % BATCH === 0) await turn()
  }
  return found
}

function parseStat(pid: number, text: string | undefined): ProcessStat | undefined {
  if (text === undefined) return undefined
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const field = (number: number) => Number(fields[number - 3])
  return { pid, parent: field(4), group: field(5), session: field(6), startTime: field(22) }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** Out of file descriptors is not the same as gone: a list with holes would let the living be forgotten. */
const NOT_READ = new Set(['EMFILE', 'ENFILE'])

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_READ.has(String(error.code))) throw error
    return undefined
  }
}

function tryRead(path: string): string | undefined {
  try {
    return read(path)
  } catch {
    return undefined
  }
}
