import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { VERSION } from '../../src/base/version.ts'
import { socketPathOf } from '../../src/base/socket-path.ts'
import { commands } from '../../src/cli/commands.ts'
import { newDirectory } from '../stores/databases.ts'
import { sekisho, sekishoHere } from './gate.ts'

test.for(commands)('the help of `$name` says what it does, with an example', async ({ name, does, examples }) => {
  const { code, output } = await sekishoHere([...name.split(' '), '--help'])
  expect(code).toBe(0)
  expect(output.replace(/\s+/g, ' ')).toContain(does)
  expect(output).toContain(`$ sekisho ${Object.keys(examples)[0]}`)
})

test('the program is told from outside: its version, and 2 for what it does not know', async () => {
  expect(await sekisho(['--version'])).toEqual({ code: 0, output: `${VERSION}\n`, errors: '' })
  expect(await sekisho(['frobnicate'])).toMatchObject({ code: 2, output: '' })
})

test.for([
  { words: [], says: 'Usage: sekisho' },
  { words: ['user'], says: 'Usage: sekisho user' },
  { words: ['frobnicate'], says: 'unknown command' },
  { words: ['user', 'add'], says: 'missing required argument' },
  { words: ['user', 'add', 'ada', '--role', 'king'], says: 'owner, admin, member' },
  { words: ['key', 'add', 'ada', '--expires-in-days', 'ten'], says: 'whole number' },
])('what is no command line ends with 2: $words', async ({ words, says }) => {
  const { code, output, errors } = await sekishoHere(words)
  expect({ code, output }).toEqual({ code: 2, output: '' })
  expect(errors).toContain(says)
})

test('without a gate a command says so, and what to do', async () => {
  const { dataDir } = newDirectory()
  const { code, errors } = await sekisho(['status'], { environment: { SEKISHO_DATA: dataDir } })
  expect(code).toBe(1)
  expect(errors).toBe(
    `No gate is running with the data directory ${dataDir}.\nStart it with \`sekisho start\` (in the repository \`npm start\`), or name its directory with SEKISHO_DATA.\n`,
  )
})

test('a data directory that others can write is not trusted to hold the gate’s socket', async () => {
  const { dataDir } = newDirectory()
  chmodSync(dataDir, 0o777)
  const { code, errors } = await sekisho(['token', 'set', 'github'], {
    environment: { SEKISHO_DATA: dataDir },
    input: 'x',
  })
  expect([code, errors]).toEqual([1, expect.stringContaining('cannot be trusted')])
})

test('an address where something else answers is no gate, and is told no more than the key', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(302, { Location: '/elsewhere' }).end('<html>')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const environment = { SEKISHO_KEY: 'k' }
  const { code, errors } = await sekisho(['status', '--url', `http://127.0.0.1:${port}`], { environment })
  expect([code, errors]).toEqual([1, expect.stringContaining('not as a gate')])
  expect(asked).toEqual(['GET /admin/api/status'])
})

test('a page in place of a gate is told from one, whatever its status', async () => {
  const server = createServer((_request, response) => void response.end('<html>'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const environment = { SEKISHO_KEY: 'k' }
  const { code, errors } = await sekisho(['status', '--url', `http://127.0.0.1:${port}`], { environment })
  expect([code, errors]).toEqual([1, expect.stringContaining('it answers 200, and not as a gate')])
  expect(errors).not.toMatch(/report it|node_modules/)
})

test('a gate that ends while it is asked is told as such', async () => {
  const { dataDir } = newDirectory()
  const server = createServer((_request, response) => void response.destroy())
  await new Promise<void>((done) => server.listen(socketPathOf(dataDir), done))
  onTestFinished(() => void server.close())
  const { code, errors } = await sekisho(['status'], { environment: { SEKISHO_DATA: dataDir } })
  expect([code, errors]).toEqual([1, expect.stringContaining('cannot be reached (ECONNRESET)')])
  expect(errors).not.toMatch(/report it|node_modules/)
})

test.for(['ftp://gate', 'gate.example.com'])('%s is no address of a gate', async (url) => {
  const { code, errors } = await sekisho(['status', '--url', url], { environment: { SEKISHO_KEY: 'k' } })
  expect([code, errors]).toEqual([1, expect.stringContaining('not an http or https address')])
})

test('the socket of a deep data directory has a short path in a directory of the user’s own', () => {
  const { dataDir } = newDirectory()
  const deep = join(dataDir, 'x'.repeat(120))
  expect(socketPathOf(dataDir)).toBe(join(dataDir, 'gate.sock'))
  expect(Buffer.byteLength(socketPathOf(deep))).toBeLessThanOrEqual(100)
  expect(socketPathOf(deep)).not.toBe(socketPathOf(`${deep}y`))
  expect(dirname(dirname(socketPathOf(deep)))).toBe(dirname(dataDir))
})

test('bash completes commands, what belongs to them, and nothing that is not', async () => {
  const { output } = await sekishoHere(['completion', 'bash'])
  const complete = (...words: string[]) => {
    const script = `${output}\nCOMP_WORDS=(sekisho "$@")\nCOMP_CWORD=$#\n_sekisho\nprintf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
      .trim()
      .split('\n')
  }
  expect(complete('st')).toEqual(['start', 'status'])
  expect(complete('user', '')).toEqual(['list', 'add', 'invite', 'reset', 'reset-factors', 'role', 'remove'])
  expect(complete('user', 'role', 'ada', 'a')).toEqual(['admin'])
  expect(complete('key', 'add', '--name', 'x', '--sc')).toEqual(['--scope'])
  expect(complete('nothing', '')).toEqual([''])
})

test.for(['zsh', 'fish'])('the completion for %s knows every command and option', async (shell) => {
  const { code, output } = await sekishoHere(['completion', shell])
  expect(code).toBe(0)
  const words = commands.flatMap(({ name, options }) => [...name.split(' '), ...Object.keys(options)])
  expect(words.filter((word) => !output.includes(word))).toEqual([])
})
