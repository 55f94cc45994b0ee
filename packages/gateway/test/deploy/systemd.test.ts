import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const UNIT = readFileSync(new URL('../../../../deploy/systemd/sekisho.service', import.meta.url), 'utf8')
const values = (key: string) => [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value)
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

/** The unit as a file, with a Node that is there. */
function unitFile(): string {
  const home = mkdtempSync(join(tmpdir(), 'sekisho-unit-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const file = join(home, 'sekisho.service')
  writeFileSync(file, UNIT.replace('/usr/bin/node', process.execPath))
  return file
}

test('the unit runs Node itself, as a user of its own, and lets the gate end what it started', () => {
  expect(values('User')).toEqual(['sekisho'])
  expect(values('ExecStart')[0]).toMatch(/^\/usr\/bin\/node .*\/node_modules\/sekisho\/dist\/main\.js$/)
  expect(values('KillMode')).toEqual(['mixed'])
  expect(values('StateDirectoryMode')).toEqual(['0700'])
  expect(values('LimitCORE')).toEqual(['0'])
})

test.skipIf(!hasSystemd)('systemd understands every line of it', () => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unitFile()], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
})

/** From 0, which nothing can reach, to 100. */
const EXPOSED_MOST = 20

test.skipIf(!hasSystemd)('and finds little that it could do to the machine', () => {
  const words = ['security', '--offline=yes', '--no-pager', `--threshold=${EXPOSED_MOST}`, unitFile()]
  expect(execFileSync('systemd-analyze', words, { encoding: 'utf8' })).toContain('Overall exposure level')
})
