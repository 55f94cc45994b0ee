import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

/** Something that is run and succeeds or fails. */
export interface Step {
  readonly name: string
  readonly command: readonly string[]
  /** The only system it can run on. Elsewhere it is skipped; under CI that is a failure. */
  readonly only?: NodeJS.Platform
}

export interface Outcome {
  readonly name: string
  readonly result: 'ok' | 'failed' | 'skipped'
  readonly seconds: number
  /** What it wrote, where that was kept. */
  readonly output: string
}

/** Runs one step in the root of the repository. `show` lets its output through, `keep` collects it. */
export async function runStep({ name, command, only }: Step, output: 'show' | 'keep'): Promise<Outcome> {
  if (only && only !== process.platform) {
    return { name, result: isCi() ? 'failed' : 'skipped', seconds: 0, output: `runs on ${only} only` }
  }
  const began = performance.now()
  const { status, text } = await run(command, output)
  const seconds = (performance.now() - began) / 1000
  return { name, result: status === 0 ? 'ok' : 'failed', seconds, output: text }
}

function run([program = '', ...args]: readonly string[], output: 'show' | 'keep') {
  const child = spawn(program, args, {
    cwd: new URL('..', import.meta.url),
    stdio: output === 'show' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part) => (text += part))
  return new Promise<{ status: number | null; text: string }>((resolve) => {
    child.on('error', (error) => resolve({ status: 1, text: `${program} does not start: ${error.message}` }))
    child.on('close', (status) => resolve({ status, text }))
  })
}

/** One line for a step that ended. */
export function showOutcome({ name, result, seconds }: Outcome): string {
  return `${name.padEnd(12)} ${result.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s`
}

function isCi(): boolean {
  return ['true', '1'].includes(process.env['CI'] ?? '')
}
