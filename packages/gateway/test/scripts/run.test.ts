import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../../../..')

/** Starts a program through a copy of `scripts/run.mjs` whose packages are all there. */
function start(program: string, args: readonly string[] = []) {
  const root = mkdtempSync(join(tmpdir(), 'sekisho-run-'))
  mkdirSync(join(root, 'scripts'))
  copyFileSync(join(repository, 'scripts/run.mjs'), join(root, 'scripts/run.mjs'))
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  writeFileSync(join(root, 'package-lock.json'), '{}')
  utimesSync(join(root, 'package-lock.json'), 0, 0)
  writeFileSync(join(root, 'program.ts'), program)
  return spawn(process.execPath, [join(root, 'scripts/run.mjs'), 'program.ts', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('a program is given its arguments as they are, and its status is the one that is seen', async () => {
  const child = start(
    'const status: number = 7; console.log(JSON.stringify(process.argv.slice(2))); process.exit(status)',
    ['two words', '--flag', ''],
  )
  const ended = once(child, 'exit')
  expect(JSON.parse(await text(child.stdout))).toEqual(['two words', '--flag', ''])
  expect(await ended).toEqual([7, null])
})

test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s reaches the program, which ends in its own way',
  async (signal) => {
    const child = start(`
    process.once('${signal}', () => { console.log('drained'); process.exit(3) })
    setInterval(() => {}, 1000)
    console.log('ready')
  `)
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill(signal)
    expect(String((await once(child.stdout, 'data'))[0])).toContain('drained')
    expect(await ended).toEqual([3, null])
  },
)

test('a program that a signal ended is seen to have ended by it', async () => {
  const ended = await once(start(`process.kill(process.pid, 'SIGKILL')`), 'exit')
  expect(ended).toEqual([null, 'SIGKILL'])
})
