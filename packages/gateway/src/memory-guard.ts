import { writeFileSync } from 'node:fs'

/** The process, as far as it says what may be written of its memory. */
export interface Guarded {
  readonly platform: string
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly report: { excludeEnv: boolean; excludeNetwork?: boolean; reportOnFatalError: boolean }
}

/** Which memory the kernel writes into a core dump, of this process and of all that it starts. */
const CORE_FILTER = '/proc/self/coredump_filter'

/**
 * Keeps the secrets in memory from being written when the process dies: Node's reports leave out the environment and
 * the peers, there is none of a fatal error, and a core dump, where the system makes one, holds no heap, stack or environment.
 *
 * @returns the flags it was started with that write its memory all the same, for the log
 * @see core(5), "Controlling which mappings are written to the core dump"
 */
export function guardMemory({ platform, execArgv, env, report }: Guarded): readonly string[] {
  report.excludeEnv = true
  report.excludeNetwork = true
  // This one has the environment in it whatever was said.
  report.reportOnFatalError = false
  if (platform === 'linux') leaveOutOfDumps()
  const flags = [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  return flags.filter((flag) => WRITES_MEMORY.test(flag))
}

/** A system that lets nobody say so is one whose operator has to: see `LimitCORE` and `--ulimit`. */
function leaveOutOfDumps(): void {
  try {
    writeFileSync(CORE_FILTER, '0')
  } catch {}
}

const WRITES_MEMORY = /^--(?:heapsnapshot-(?:near-heap-limit|signal)|heap-prof|inspect)(?:[=-]|$)/
