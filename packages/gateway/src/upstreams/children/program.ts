import { once } from 'node:events'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { createFamily, endFamily } from './family.ts'
import { startError, startProcess, type Launch } from './launch.ts'
import { createLines } from './lines.ts'
import { createBrake, createOutput } from './pipes.ts'
import type { ProcessTable } from './processes.ts'
import type { Records } from './records.ts'
import type { Ring } from './ring.ts'
import { IDLE_LINES, type Hearing, type Running } from './running.ts'

export interface ProgramNeeds extends Hearing {
  readonly launch: Launch
  readonly processes: ProcessTable
  readonly records: Records
  readonly ring: Ring
}

/** How long what a process wrote last may take to arrive after its end. */
const FLUSH_MS = 200
/** Between two rests: bytes of stderr. */
const LOG_BYTES = 262_144
/** How much of a line that is not MCP is kept. */
const JUNK_BYTES = 1_024

/**
 * Starts the process of a child, and writes down that it runs.
 *
 * @throws {Error} where there is none; it says why without showing the arguments.
 */
export async function startProgram(needs: ProgramNeeds): Promise<Running> {
  const { processes, records } = needs
  const running = startProcess(needs.launch)
  if (running.pid === undefined) throw startError((await once(running, 'error'))[0])
  const leader = { pid: running.pid, startTime: processes.find(running.pid)?.startTime ?? 0 }
  const family = createFamily(processes, [leader])
  records.keep([leader])
  const exited = settled(once(running, 'exit'))
  const closed = settled(once(running, 'close'))
  let ending = false

  async function over(): Promise<void> {
    needs.onFading()
    await Promise.race([closed, pause(FLUSH_MS)])
    needs.onOver(epitaph(running))
  }

  running.on('error', () => {}).on('exit', () => void over())
  running.stdout.on('end', () => void over())
  readFrom(running, needs)
  const output = createOutput(running.stdin, () => void over())
  return {
    pid: leader.pid,
    output,
    async measure() {
      const known = family.members()
      const living = await family.living()
      if (ending) return undefined
      if (family.members().some(({ pid }) => known.every((each) => each.pid !== pid))) records.keep(family.members())
      return Math.round(living.reduce((sum, { pid }) => sum + processes.residentMb(pid), 0))
    },
    async end({ graceMs, abruptly }) {
      ending = true
      // While the parent still lives, those that left its group are found through it.
      await family.living()
      if (!abruptly) {
        output.flush()
        running.stdin.end()
        await Promise.race([exited, pause(graceMs)])
      }
      const gone = await endFamily(family, { graceMs, gently: !abruptly })
      for (const stream of [running.stdin, running.stdout, running.stderr]) stream.destroy()
      if (gone) records.drop(leader)
      return gone
    },
  }
}

function settled(waiting: Promise<unknown>): Promise<void> {
  return waiting.then(
    () => {},
    () => {},
  )
}

function epitaph({ exitCode, signalCode }: ChildProcessWithoutNullStreams): string {
  if (signalCode !== null) return `ended by ${signalCode}`
  return exitCode === null ? 'closed its pipes' : `exited with code ${exitCode}`
}

function readFrom({ stdout, stderr }: ChildProcessWithoutNullStreams, needs: ProgramNeeds): void {
  const { ring, lineBytes, onLine, onTooLong } = needs
  const brakeLines = createBrake(stdout, IDLE_LINES, () => lines.resume())
  const brakeLog = createBrake(stderr, LOG_BYTES, () => {})
  const lines = createLines({
    limit: lineBytes,
    onTooLong,
    onLine(line) {
      const { unwanted, isJunk } = onLine(line)
      if (isJunk && line.length > 0) ring.write(quoted(line))
      return unwanted === 0 || brakeLines(unwanted)
    },
  })
  stdout.on('data', (chunk: Buffer) => lines.push(chunk)).on('error', () => {})
  stderr.on('data', (chunk: Buffer) => {
    ring.write(chunk)
    brakeLog(chunk.length)
  })
  stderr.on('error', () => {})
}

function quoted(line: Buffer): string {
  const rest = line.length > JUNK_BYTES ? ` … (${line.length} bytes)` : ''
  return `[not MCP] ${line.toString('utf8', 0, JUNK_BYTES)}${rest}\n`
}
