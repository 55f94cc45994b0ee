import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Log } from '../../base/log.ts'
import { createFamily, endFamily, type Member } from './family.ts'
import { createProcessTable, type ProcessTable } from './processes.ts'

const Pid = z.int().positive()
const MemberShape = z.object({ pid: Pid, startTime: z.int().nonnegative() })

/** What one gate leaves on disk of one child: numbers only, nothing of what it was started with. */
const RecordShape = z.object({
  space: z.string(),
  gate: MemberShape,
  members: z.tuple([MemberShape], MemberShape),
})

/** Which children live, on disk, so that the next gate can end those that this one could not. */
export interface Records {
  keep(members: readonly Member[]): void
  drop(leader: Member): void
}

/**
 * Writes one small file per child, whole or not at all. Nothing is kept where the system does not tell who is
 * who; a disk that takes no more is told in the log, and stops no child.
 */
export function createRecords(needs: { stateDir: string; processes: ProcessTable; log: Log }): Records {
  const { processes, log } = needs
  const directory = directoryOf(needs.stateDir)
  const gate = processes.find(process.pid)
  if (!gate) return { keep() {}, drop() {} }
  const { pid, startTime } = gate
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    keep: (members) =>
      attempt(() => {
        const file = fileOf(directory, members[0])
        const record = { space: processes.space, gate: { pid, startTime }, members }
        writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
        renameSync(`${file}.new`, file)
      }),
    drop: (leader) => attempt(() => rmSync(fileOf(directory, leader), { force: true })),
  }

  function attempt(write: () => void): void {
    try {
      write()
    } catch (error) {
      log.error({ err: error, directory }, 'child.not_recorded')
    }
  }
}

/**
 * Ends the children, with all that came from them, of a gate that was killed. A process is only touched if
 * it is the very one recorded, or follows from it; those of a gate that still lives are left alone.
 *
 * @returns how many children had left something behind.
 */
export async function reapLeftovers(needs: { stateDir: string; log: Log; graceMs: number }): Promise<number> {
  const processes = createProcessTable()
  const directory = directoryOf(needs.stateDir)
  const ended = await Promise.all(
    recordsIn(directory).map(async (file) => {
      const members = leftBehind(readRecord(file), processes)
      if (members === 'gate alive') return false
      const found = members ? await reap(members, processes, needs) : 'nothing'
      if (found !== 'stuck') rmSync(file, { force: true })
      return found !== 'nothing'
    }),
  )
  return ended.filter(Boolean).length
}

type Members = readonly [Member, ...Member[]]

async function reap(members: Members, processes: ProcessTable, { log, graceMs }: { log: Log; graceMs: number }) {
  const family = createFamily(processes, members)
  const living = await family.living()
  if (living.length === 0) return 'nothing'
  const gone = await endFamily(family, { graceMs, gently: true })
  log.warn({ pids: living.map(({ pid }) => pid), gone }, 'child.leftover_ended')
  return gone ? 'ended' : 'stuck'
}

function leftBehind(record: z.infer<typeof RecordShape> | undefined, processes: ProcessTable) {
  if (record?.space !== processes.space) return undefined
  const { gate, members } = record
  return processes.find(gate.pid)?.startTime === gate.startTime ? 'gate alive' : members
}

function recordsIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(directory, name))
  } catch {
    return []
  }
}

function readRecord(file: string): z.infer<typeof RecordShape> | undefined {
  try {
    return RecordShape.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

function directoryOf(stateDir: string): string {
  return join(stateDir, 'children')
}

function fileOf(directory: string, leader: Member | undefined): string {
  return join(directory, `${leader?.pid}-${leader?.startTime}.json`)
}
