import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { endAll, stillRunning, treeOf, type Process } from './process-tree.ts'

/** A program that a script or a test started, and that does not outlive it. */
export interface Program {
  readonly pid: number
  /** What it wrote so far, standard output and error as they came; the last 256 KiB. */
  output(): string
  /**
   * Waits until the output matches.
   *
   * @throws {Error} with the output, where the program ends or `ms` pass before.
   */
  match(pattern: RegExp, ms: number): Promise<RegExpExecArray>
  readonly ended: Promise<Ending>
  /** Signals this process only; what it leaves behind is still ended by {@link Program.stop}. */
  signal(signal: NodeJS.Signals): void
  /** Asks it to end, and after `graceMs` ends it and every descendant. */
  stop(graceMs?: number): Promise<Ending>
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProgramStart {
  /** What errors call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Written to its standard input, which is then closed. */
  readonly input?: string
  /** Hands on its output as it comes, besides keeping it. */
  readonly onOutput?: (text: string) => void
}

const KEPT = 262_144

/** Starts a program in a process group of its own. */
export function startProgram(start: ProgramStart): Program {
  const child = spawn(start.command, start.args, {
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
    env: start.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${start.name} cannot be started: ${start.command}`)
  const output = keepOutput(child, start.onOutput)
  const ended = new Promise<Ending>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  // A program that reads no input may end before it was written.
  child.stdin.on('error', () => undefined).end(start.input ?? '')

  // Once it has ended its number may become another's, and its children somebody else's.
  let left: readonly Process[] = []
  const running = () => child.exitCode === null && child.signalCode === null
  const tree = () => (running() ? [...left, ...treeOf(pid)] : left)
  const endTree = () => endAll(tree())
  own(endTree)

  function signal(name: NodeJS.Signals): void {
    left = tree()
    child.kill(name)
  }

  async function stop(graceMs = 15_000): Promise<Ending> {
    signal('SIGTERM')
    const timer = setTimeout(endTree, graceMs)
    const ending = await ended
    clearTimeout(timer)
    while (stillRunning(left).length > 0) {
      endTree()
      await sleep(5)
    }
    disown(endTree)
    return ending
  }

  const match = (pattern: RegExp, ms: number) => waitForMatch({ output, ended, name: start.name }, pattern, ms)
  return { pid, output: output.text, match, ended, signal, stop }
}

interface Output {
  text(): string
  onChange(listener: () => void): void
}

function keepOutput({ stdout, stderr }: ChildProcess, onOutput?: (text: string) => void): Output {
  let kept = ''
  const listeners: (() => void)[] = []
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-KEPT)
      onOutput?.(text)
      for (const listener of listeners) listener()
    })
  }
  return { text: () => kept, onChange: (listener) => void listeners.push(listener) }
}

interface Waiting {
  readonly name: string
  readonly output: Output
  readonly ended: Promise<Ending>
}

function waitForMatch({ name, output, ended }: Waiting, pattern: RegExp, ms: number): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${name} ${why}. It wrote:\n${output.text()}`))
    const timer = setTimeout(() => fail(`did not write ${pattern} within ${ms} ms`), ms)
    const look = () => {
      const found = pattern.exec(output.text())
      if (!found) return
      clearTimeout(timer)
      resolve(found)
    }
    output.onChange(look)
    void ended.then(({ code, signal }) => {
      clearTimeout(timer)
      fail(`ended (${signal ?? code}) before it wrote ${pattern}`)
    })
    look()
  })
}

/** What is to be done however this process ends, but for SIGKILL. */
const owned = new Set<() => void>()

function own(end: () => void): void {
  if (owned.size === 0) {
    process.on('exit', endOwned)
    for (const name of SIGNALS) process.on(name, exitBySignal)
  }
  owned.add(end)
}

function disown(end: () => void): void {
  owned.delete(end)
  if (owned.size > 0) return
  process.off('exit', endOwned)
  for (const name of SIGNALS) process.off(name, exitBySignal)
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function endOwned(): void {
  for (const end of owned) end()
}

function exitBySignal(): void {
  process.exit(130)
}
