import { once } from 'node:events'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { createFamily, endFamily, type Family, type Member } from './family.ts'
import { startError, startProcess, type Launch } from './launch.ts'
import { createLines } from './lines.ts'
import { createBrake, createOutput, type Output } from './pipes.ts'
import type { ProcessTable } from './processes.ts'
import type { Ring } from './ring.ts'

/** A running process with its pipes, before anybody speaks MCP with it. */
export interface Program {
  readonly leader: Member
  readonly family: Family
  readonly output: Output
  /** Ends all of the family. With `abruptly`, at once; otherwise after its stdin was closed and it was asked. */
  end(how: { graceMs: number; abruptly: boolean }): Promise<boolean>
}

export interface ProgramNeeds {
  readonly launch: Launch
  readonly processes: ProcessTable
  readonly ring: Ring
  readonly lineBytes: number
  /** @returns whether anybody was waiting for the line, or `junk`. */
  onLine(line: Buffer): boolean | 'junk'
  onTooLong(): void
  /** It ended, or closed its stdout or stdin: nothing new shall be asked of it. */
  onFading(): void
  /** After `onFading`, when all that it wrote has been handed on. */
  onOver(how: string): void
}

/** How long what a process wrote last may take to arrive after its end. */
const FLUSH_MS = 200
/** Lines that nobody waits for, and bytes of stderr, between two rests. */
const IDLE_LINES = 512
const LOG_BYTES = 262_144
/** How much of a line that is not MCP is kept. */
const JUNK_BYTES = 1_024

/**
 * Starts the process of a child.
 *
 * @throws {Error} where there is none; it says why without showing the arguments.
 */
export async function startProgram(needs: ProgramNeeds): Promise<Program> {
  const { processes } = needs
  const running = startProcess(needs.launch)
  if (running.pid === undefined) throw startError((await once(running, 'error'))[0])
  const leader = { pid: running.pid, startTime: processes.find(running.pid)?.startTime ?? 0 }
  const family = createFamily(processes, [leader])
  const exited = settled(once(running, 'exit'))
  const closed = settled(once(running, 'close'))

  async function over(): Promise<void> {
    needs.onFading()
    await Promise.race([closed, pause(FLUSH_MS)])
    needs.onOver(epitaph(running))
  }

  running.on('error', () => {}).on('exit', () => void over())
  running.stdout.on('end', () => void over())
  readFrom(running, needs)
  return {
    leader,
    family,
    output: createOutput(running.stdin, () => void over()),
    async end({ graceMs, abruptly }) {
      // While the parent still lives, those that left its group are found through it.
      await family.living()
      if (!abruptly) {
        running.stdin.end()
        await Promise.race([exited, pause(graceMs)])
      }
      const gone = await endFamily(family, { graceMs, gently: !abruptly })
      for (const stream of [running.stdin, running.stdout, running.stderr]) stream.destroy()
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
      const taken = onLine(line)
      if (taken === 'junk' && line.length > 0) ring.write(quoted(line))
      return taken === true || brakeLines(1)
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
