import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../../../../scripts/lib/free-port.ts'
import { KEY_IN_FILE, startGate } from '../../../../scripts/lib/gate.ts'
import { startProgram } from '../../../../scripts/lib/processes.ts'
import { sekisho } from '../cli/gate.ts'
import { newDirectory } from '../stores/databases.ts'
import { openDesktop, withoutDesktop } from '../vault/desktop.ts'
import { filesOf } from './place.ts'

const MAIN = resolve(import.meta.dirname, '../../src/main.ts')
const PASSPHRASE = 'correct horse battery staple'

/** A gate that was started and stopped once, and the command line for its data directory. */
async function openPlace(env: Readonly<Record<string, string>>) {
  const { dataDir } = newDirectory()
  const said: string[] = []
  const start = async (more: Readonly<Record<string, string>> = {}) => {
    await using gate = await startGate({ dataDir, env: { ...env, ...more } })
    await gate.stop()
    said.push(gate.log())
    return gate.log()
  }
  const run = async (
    words: readonly string[],
    options: { input?: string; environment?: Record<string, string> } = {},
  ) => {
    const ran = await sekisho(words, {
      ...options,
      environment: { ...env, SEKISHO_DATA: dataDir, ...options.environment },
    })
    said.push(ran.output, ran.errors)
    return ran
  }
  return { dataDir, file: join(dataDir, 'root.key'), start, run, said: () => said.join('\n') }
}

describe.skipIf(withoutDesktop)('on a desktop', () => {
  test('a gate keeps its root key in the keyring, says so once, and starts again', { timeout: 120_000 }, async () => {
    await using desktop = await openDesktop()
    const place = await openPlace({ ...desktop.environment, SEKISHO_ROOT_KEY_STORE: 'auto' })
    const first = await place.start()
    expect(first).toMatch(
      /The root key of the vault was made, and is kept in the keyring of this system \(sekisho, \S+\)\./,
    )
    expect(await place.start()).not.toContain('was made')
    expect(existsSync(place.file)).toBe(false)
    const [, id = ''] = /\(sekisho, (\S+)\)/.exec(first) ?? []
    const key = (await desktop.keyring.find(id))?.reveal() ?? ''

    const shown = await place.run(['root-key', 'show', '--json'])
    expect(JSON.parse(shown.output)).toMatchObject({ kind: 'keyring', id, protected: false })
    const copy = join(place.dataDir, 'copy.key')
    expect(await place.run(['root-key', 'copy', copy])).toMatchObject({ code: 0 })
    expect(readFileSync(copy, 'utf8').trim()).toBe(key)

    expect(await place.run(['root-key', 'move', '--to', 'file'])).toMatchObject({
      code: 0,
      output: expect.stringContaining(`The root key is in ${place.file}, and opens the database.`),
    })
    await place.start()
    expect(await place.run(['root-key', 'move', '--to', 'keyring'])).toMatchObject({ code: 0 })
    expect(existsSync(place.file)).toBe(false)

    const before = filesOf(place.dataDir)
    await desktop.leave()
    await expect(place.start()).rejects.toThrow(
      /cannot be used: there is no desktop session here\. Nothing was changed/,
    )
    expect(filesOf(place.dataDir)).toEqual(before)
    expect(await place.run(['root-key', 'show'])).toMatchObject({ code: 1, errors: expect.stringContaining('Unlock') })
    expect(await place.start({ SEKISHO_ROOT_KEY_FILE: copy })).toContain('gate.started')
    for (const text of [
      place.said(),
      ...[...before].filter(([file]) => file !== copy).map(([, bytes]) => bytes.toString('latin1')),
    ])
      expect(text).not.toContain(key)
  })
})

test('without a session the key is in a file, and why is said', { timeout: 60_000 }, async () => {
  const { dataDir: home } = newDirectory()
  const place = await openPlace({
    HOME: home,
    XDG_RUNTIME_DIR: home,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${home}/nobody`,
    SEKISHO_ROOT_KEY_STORE: 'auto',
  })
  expect(await place.start()).toContain(
    `is kept in ${place.file}: the keyring of this system cannot be used (there is no desktop session here).`,
  )
  const given = { environment: { SEKISHO_ROOT_KEY_STORE: 'auto' } }
  expect(await place.run(['root-key', 'move'], given)).toMatchObject({
    code: 1,
    errors: expect.stringContaining('The keyring of this system cannot be used: there is no desktop session here.'),
  })
  expect(readFileSync(place.file, 'utf8')).toMatch(/^[\w+/]{43}=\n$/)
})

test('a passphrase protects the file; a start without it, or with another, says so', { timeout: 120_000 }, async () => {
  const place = await openPlace({})
  await place.start()
  const key = readFileSync(place.file, 'utf8').trim()
  expect(await place.run(['root-key', 'protect'], { input: `${PASSPHRASE}\n` })).toMatchObject({ code: 0 })
  expect(readFileSync(place.file, 'utf8')).not.toContain(key)
  const file = join(place.dataDir, 'passphrase')
  writeFileSync(file, `${PASSPHRASE}\n`)
  await expect(place.start()).rejects.toThrow(/is protected by a passphrase, and none was given/)
  const wrong = place.start({ SEKISHO_ROOT_KEY_PASSPHRASE: 'another one altogether' })
  await expect(wrong).rejects.toThrow(/The passphrase does not open the root key at .*root\.key/)
  expect(await place.start({ SEKISHO_ROOT_KEY_PASSPHRASE_FILE: file })).toContain('gate.started')
  const stick = join(place.dataDir, 'stick', 'copy.key')
  const copied = await place.run(['root-key', 'copy', stick], {
    environment: { SEKISHO_ROOT_KEY_PASSPHRASE: PASSPHRASE },
  })
  expect(copied).toMatchObject({ code: 1, errors: expect.stringContaining('there is no such directory') })
  const mistyped = await place.run(['root-key', 'unprotect'], { input: 'another one altogether\n' })
  expect(mistyped).toMatchObject({ code: 1, errors: expect.stringContaining('does not open') })
  expect(await place.run(['root-key', 'unprotect'], { input: `${PASSPHRASE}\n` })).toMatchObject({ code: 0 })
  await place.start()
  expect(readFileSync(place.file, 'utf8').trim()).toBe(key)
  for (const secret of [key, PASSPHRASE]) expect(place.said()).not.toContain(secret)
})

test.runIf(process.platform === 'linux')(
  'at a terminal the start asks for the passphrase',
  { timeout: 90_000 },
  async () => {
    const place = await openPlace({ SEKISHO_ROOT_KEY_PASSPHRASE: PASSPHRASE })
    await place.start()
    const { dataDir: cwd } = newDirectory()
    writeFileSync(join(cwd, 'sekisho.jsonc'), '{}')
    const gate = startProgram({
      name: 'The gate at a terminal',
      command: 'script',
      args: ['--quiet', '--return', '--command', `exec ${process.execPath} ${MAIN}`, '/dev/null'],
      cwd,
      env: {
        PATH: process.env['PATH'],
        ...KEY_IN_FILE,
        SEKISHO_DATA: place.dataDir,
        SEKISHO_PORT: String(await freePort()),
      },
      input: `${PASSPHRASE}\n`,
    })
    await gate.match(/Passphrase of the root key at \S+root\.key: /, 60_000)
    await gate.match(/gate\.started/, 60_000)
    await gate.stop()
    expect(gate.output().split('Passphrase of the root key')).toHaveLength(2)
  },
)

test('the key of a running gate is left alone, and where no gate was none is made', { timeout: 60_000 }, async () => {
  await using gate = await startGate()
  const running = { environment: { SEKISHO_DATA: gate.dataDir } }
  for (const words of [['show'], ['move'], ['protect'], ['copy', join(gate.dataDir, 'copy')]]) {
    const ran = await sekisho(['root-key', ...words], running)
    expect(ran).toMatchObject({ code: 1, errors: expect.stringContaining('Another gate is running') })
  }
  const empty = join(newDirectory().dataDir, 'empty')
  mkdirSync(empty)
  const ran = await sekisho(['root-key', 'show'], { environment: { SEKISHO_DATA: empty } })
  expect(ran).toMatchObject({ code: 1, errors: expect.stringContaining(`no database of a gate in ${empty}`) })
  expect(filesOf(empty)).toEqual(new Map())
})

test(
  'a start tells of tokens that lie beside the data in plain text, and not what they are',
  { timeout: 60_000 },
  async () => {
    const place = await openPlace({})
    writeFileSync(join(place.dataDir, 'tokens.json'), '{ "access_token": "HIDDEN" }')
    const log = await place.start()
    expect(log).toContain('secrets.plain_text')
    expect(log).toContain('sekisho connection import')
    expect(log).not.toContain('HIDDEN')
  },
)
