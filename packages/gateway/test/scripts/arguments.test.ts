import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../../../..')
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(repository, 'package.json'), 'utf8'),
)
/** The programs behind `npm run`, as this Node runs them. */
const programs = Object.entries(scripts).map(([name, line]) => [name, line.split(' ').slice(2)] as const)
/** What it does not know itself it hands to the runner of the tests. */
const HANDS_ON = 'test'

async function run(args: readonly string[]) {
  const child = spawn(process.execPath, [...args], { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, output, errors }
}

test.for(programs)('npm run %s says in words what it takes, and does nothing else', async ([, program]) => {
  const { code, output, errors } = await run([...program, '--help'])
  expect([code, errors]).toEqual([0, ''])
  expect(output.split('\n').length).toBeGreaterThan(3)
})

test.for(programs.filter(([name]) => name !== HANDS_ON))(
  'npm run %s refuses what it does not take in words, and begins nothing',
  async ([, program]) => {
    const { code, output, errors } = await run([...program, '--no-such-option'])
    expect([code === 0, output]).toEqual([false, ''])
    expect(errors).toMatch(/nknown option '--no-such-option'/)
    expect(errors.trim().split('\n').length).toBeLessThan(3)
    expect(errors).not.toMatch(/^\s+at /m)
  },
)
