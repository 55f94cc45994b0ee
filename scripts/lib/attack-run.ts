import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '../..')
const FOLDER = 'packages/gateway/test/attacks'

/** What became of the attacks of one class. */
export interface Tried {
  readonly tried: number
  readonly repelled: number
  /** The titles of those that were not. */
  readonly failed: readonly string[]
  /** What went wrong beside them: the tests could not be run, or something failed that belongs to none. */
  readonly trouble: string | undefined
}

interface Where {
  /** The root of the sources: these, or a copy of them. */
  readonly root?: string
  /** Words in the path of the files to run; all of the class without them. */
  readonly file?: string | undefined
  /** Stops at the first that is not repelled. */
  readonly bail?: boolean
}

const Report = z.object({
  testResults: z.array(
    z.object({
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
})

/** Runs the tests of one class of attacks. */
export async function tryAttacks(kind: string, { root = ROOT, file = '', bail = false }: Where = {}): Promise<Tried> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-attacks-'))
  const report = join(folder, 'report.json')
  const filter = `${FOLDER}/${kind}/${file}`
  const options = ['--maxWorkers=1', '--reporter=json', `--outputFile.json=${report}`, ...(bail ? ['--bail=1'] : [])]
  const { output, status } = await run(['node_modules/vitest/vitest.mjs', 'run', ...options, filter], root)
  try {
    const tried = read(Report.parse(JSON.parse(await readFile(report, 'utf8'))))
    const isOdd = status !== 0 && tried.failed.length === 0
    return isOdd ? { ...tried, trouble: tried.trouble ?? output.slice(-4_000) } : tried
  } catch {
    return { tried: 0, repelled: 0, failed: [], trouble: output.slice(-4_000) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function read({ testResults }: z.output<typeof Report>): Tried {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults)
  const tried = all.filter(({ status }) => status === 'passed' || status === 'failed')
  const failed = tried.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
  const broken = testResults.filter(({ assertionResults }) => assertionResults.length === 0)
  const trouble = broken.length === 0 ? undefined : broken.map(({ message }) => message ?? 'nothing was run').join('\n')
  return { tried: tried.length, repelled: tried.length - failed.length, failed, trouble }
}

function run(args: readonly string[], cwd: string): Promise<{ output: string; status: number | null }> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part))
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ output: message, status: 1 }))
    child.on('close', (status) => resolve({ output, status }))
  })
}
