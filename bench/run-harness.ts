import { join } from 'node:path'
import { startProgram } from '../scripts/lib/processes.ts'

/** Runs the harness in a process of its own, which does not share its time with this one, and shows what it prints. */
export async function runHarness(args: readonly string[]): Promise<void> {
  const harness = startProgram({
    name: 'The harness',
    command: process.execPath,
    args: [join(import.meta.dirname, 'harness/compare.mjs'), ...args],
    onOutput: (text) => process.stdout.write(text),
  })
  const { code } = await harness.ended
  await harness.stop()
  if (code !== 0) throw new Error('the harness failed; see above')
}
