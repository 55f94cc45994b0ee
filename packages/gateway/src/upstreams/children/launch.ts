import { createHash } from 'node:crypto'
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'

/** How to start a child for one caller: every template is filled in, so this may hold their token. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
}

/** All that a child gets of the gate's own environment, which may hold the gate's secrets. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG']

/**
 * Starts the process, without a shell and as the leader of a process group and session of its own, so that
 * its whole group can be ended and a Ctrl-C in the gate's terminal does not reach it.
 *
 * @throws {Error} with the system's code alone, where it could not even be tried: Node's own error shows the arguments.
 */
export function startProcess({ command, args, env, cwd }: Launch): ChildProcessWithoutNullStreams {
  try {
    return spawn(command, args, {
      env: { ...inherited(), ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: 'pipe',
      shell: false,
      detached: true,
      windowsHide: true,
    })
  } catch (error) {
    throw startError(error)
  }
}

/** What may be kept of a failed start: Node's errors carry the arguments, which may hold a token. */
export function startError(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return new Error(`the process could not be started: ${code}`)
}

/** Tells two launches apart without keeping what they hold. */
export function fingerprintOf({ command, args, env, cwd }: Launch): string {
  const variables = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([command, args, variables, cwd ?? null]))
    .digest('base64')
}

function inherited(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of INHERITED) {
    const value = process.env[name]
    if (value !== undefined) found[name] = value
  }
  return found
}
