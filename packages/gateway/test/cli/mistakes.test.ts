import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { requireNode } from '../../src/base/program.ts'
import { openSchema } from '../e2e/sign-in/postgres.ts'
import { withoutPostgres } from '../stores/databases.ts'
import { sekisho } from './gate.ts'

/** What an operator gets wrong is told in the words of this program, with what to do, and never as its own fault. */
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')
const OURS = 'Something went wrong inside the gate'
const newPlace = () => mkdtempSync(join(tmpdir(), 'sekisho-mistake-'))

test('a data directory that cannot be one is named, and so is why', async () => {
  const place = newPlace()
  const file = join(place, 'taken')
  writeFileSync(file, '')
  const ran = await sekisho(['start'], { directory: place, environment: { SEKISHO_DATA: file } })
  expect(ran).toMatchObject({ code: 1, errors: expect.stringContaining(`${file} cannot be used: it is a file.`) })
  expect(ran.errors).not.toContain(OURS)
})

test.skipIf(withoutPostgres)(
  'where the first of several workers does not start, it says why, and the status is 1',
  async () => {
    const port = await freePort()
    await using schema = await openSchema()
    const environment = { DATABASE_URL: schema.databaseUrl, REDIS_URL: `redis://127.0.0.1:${port}` }
    const ran = await sekisho(['start', '--workers', '2'], { directory: newPlace(), environment })
    expect(ran.errors).toContain(`Redis cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}.`)
    expect(ran).toMatchObject({ code: 1, errors: expect.stringContaining('Check REDIS_URL') })
  },
)

test('to sign in where nobody answers says so', async () => {
  const address = `http://127.0.0.1:${await freePort()}`
  expect(await sekisho(['login', address], { directory: newPlace() })).toMatchObject({
    code: 1,
    errors: `The gate at ${address} cannot be reached (ECONNREFUSED).\nCheck the address, and that the gate runs.\n`,
  })
  const errors = expect.stringContaining('foo cannot be reached (not an https address, nor one of this machine).')
  expect(await sekisho(['login', 'foo'], { directory: newPlace() })).toMatchObject({ code: 1, errors })
})

/** Of the superuser nothing is kept away: it asks as `nobody`. */
test.skipIf(process.platform === 'win32')('the gate of another user says whose word it takes', async () => {
  const place = newPlace()
  chmodSync(place, 0o755)
  const server = createServer().listen(join(place, 'gate.sock'))
  await once(server, 'listening')
  chmodSync(join(place, 'gate.sock'), 0)
  const isRoot = process.getuid?.() === 0
  const child = spawn(process.execPath, [MAIN, 'status'], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], SEKISHO_DATA: place },
    ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
  })
  const [errors] = await Promise.all([text(child.stderr), once(child, 'close')])
  server.close()
  expect(errors).toContain(`The gate of the data directory ${place} takes no commands of this user.`)
  expect(errors).toContain('Type it as the user the gate runs as')
  expect(child.exitCode).toBe(1)
})

test('a Node that is too old is refused with the one that is needed', () => {
  for (const version of ['18.20.4', '20.20.2', '22.12.0'])
    expect(() => requireNode(version)).toThrow(`This is Node ${version}, and the gate needs 22.13.0 or newer.`)
  for (const version of ['22.13.0', '22.20.1', '23.0.0', '24.21.0']) expect(() => requireNode(version)).not.toThrow()
})
