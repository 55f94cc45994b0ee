import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { KEY_IN_FILE, startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { startProgram } from '../../../../../scripts/lib/processes.ts'
import { enter, knock } from '../../attacks/ground.ts'
import { sekisho } from '../../cli/gate.ts'
import { openDesktop, withoutDesktop } from '../../vault/desktop.ts'
import { GENEROUS } from '../journey/outside.ts'
import { freshDataDir } from '../stopped.ts'

/** RFC 8628 for people at a command line, and what they then use: `login`, `access-token`, `connect`, `logout`. */
const MAIN = resolve(import.meta.dirname, '../../../src/cli/main.ts')

let gate: Gate
let url: string
let place: ReturnType<typeof freshDataDir>
let ada: Browser
beforeAll(async () => {
  place = freshDataDir()
  const port = await freePort()
  url = `http://localhost:${port}`
  const config = {
    mcpServers: { everything: { builtin: 'everything' } },
    limits: { perMinute: GENEROUS },
    // Ends so soon that every use renews it.
    oauth: { accessTokenMinutes: 0.5 },
  }
  gate = await startGate({ port, config })
  ada = await enter({ gate }, 'ada')
})
afterAll(async () => {
  await gate[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const environment = () => ({ ...KEY_IN_FILE, SEKISHO_DATA: place.dataDir, ...desktop })
/** The session that the command line is used in, where a test opens one. */
let desktop: Readonly<Record<string, string>> = {}
const run = (...words: string[]) => sekisho(words, { environment: environment() })

/** Runs `login`, and answers the page to which it sends its user. */
async function signIn(answer: RegExp) {
  const program = startProgram({
    name: 'The command line',
    command: process.execPath,
    args: [MAIN, 'login', url],
    env: { PATH: process.env['PATH'], ...environment() },
  })
  const [, code = ''] = await program.match(/^ {2}([A-Z]{4}-[A-Z]{4})$/m, 10_000)
  expect(program.output()).toContain(`Open ${url}/device in any browser`)
  const page = await ada.open(`${url}/device`)
  await (await page.press(/^Continue/, { code })).press(answer)
  const { code: exit } = await program.ended
  return { exit, output: program.output() }
}

test('who refuses in the browser is not signed in, and told so', async () => {
  const { exit, output } = await signIn(/^Refuse|^Do not/)
  expect([exit, output]).toEqual([1, expect.stringContaining('did not let you in (access_denied)')])
  expect(await run('access-token', url)).toMatchObject({ code: 1, output: '' })
})

test('who allows is signed in: the tokens are theirs alone to read, renewed by many at once, and open the gate', async () => {
  const { exit, output } = await signIn(/^The code is the same/)
  expect([exit, output]).toEqual([0, expect.stringContaining(`You are signed in at ${url}/mcp.`)])
  const file = join(place.dataDir, 'sign-ins.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(place.dataDir).mode & 0o077).toBe(0)
  expect(output).not.toContain(JSON.parse(readFileSync(file, 'utf8'))[`${url}/mcp`].accessToken)

  const first = await run('access-token', url)
  expect(await knock(`${url}/mcp`, first.output.trim())).toBe(200)
  // Each renews: were they not one after the other, the gate would take all but one for thieves.
  const many = await Promise.all([1, 2, 3].map(() => run('access-token', url)))
  expect(many.map(({ code, errors }) => [code, errors])).toEqual([1, 2, 3].map(() => [0, '']))
  const last = await run('access-token', url)
  expect(await knock(`${url}/mcp`, last.output.trim())).toBe(200)
  const security = await ada.open(`${url}/account/security`)
  expect(security.text).not.toContain('used twice')
})

test.for(['legacy', 'auto'] as const)(
  'a client that speaks stdio only calls through it, and is asked in mid-call: %s',
  async (mode) => {
    const about = { name: 'desktop', version: '1' }
    const client = new Client(about, { versionNegotiation: { mode }, capabilities: { elicitation: {} } })
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { username: 'Ada', email: 'ada@example.com' },
    }))
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, 'connect', url],
      env: { PATH: process.env['PATH'] ?? '', ...environment() },
    })
    await client.connect(transport)
    try {
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('everything__test_simple_text')
      const call = async (name: string) => {
        const { content } = await client.callTool({ name: `everything__${name}`, arguments: { message: 'Who?' } })
        return JSON.stringify(content)
      }
      const many = await Promise.all(Array.from({ length: 10 }, () => call('test_simple_text')))
      expect(many.filter((said) => said.includes('text'))).toHaveLength(10)
      expect(await call('test_elicitation')).toContain('Ada')
      expect(await call('test_reconnection')).toContain('Answered')
    } finally {
      await client.close()
    }
  },
)

test('who signs out has nothing left there or here', async () => {
  const { output: token } = await run('access-token', url)
  expect(await run('logout', url)).toMatchObject({ code: 0, output: `You are signed out of ${url}/mcp.\n` })
  expect(readFileSync(join(place.dataDir, 'sign-ins.json'), 'utf8')).toBe('{}\n')
  expect(await knock(`${url}/mcp`, token.trim())).toBe(401)
  for (const word of ['access-token', 'connect', 'logout'])
    expect(await run(word, url)).toMatchObject({ code: 1, errors: expect.stringContaining('You are not signed in') })
})

test('a sign-in that its user took back is over, and says what to do', async () => {
  await signIn(/^The code is the same/)
  await (await ada.open(`${url}/account/clients`)).press(/^Revoke/)
  const { code, errors } = await run('access-token', url)
  expect([code, errors]).toEqual([1, expect.stringContaining('Sign in once more')])
})

test.skipIf(withoutDesktop)('with a keyring the file names tokens and holds none', { timeout: 90_000 }, async () => {
  await using session = await openDesktop()
  const file = join(place.dataDir, 'sign-ins.json')
  const kept = () => readFileSync(file, 'utf8')
  await signIn(/^The code is the same/)
  expect(kept()).toContain('accessToken')
  desktop = { ...session.environment, SEKISHO_ROOT_KEY_STORE: 'auto' }
  // It is renewed, and goes into the keyring with that.
  const first = await run('access-token', url)
  expect(await knock(`${url}/mcp`, first.output.trim())).toBe(200)
  const [, before = ''] = /"inKeyring": "([^"]+)"/.exec(kept()) ?? []
  expect(kept()).not.toMatch(/accessToken|refreshToken/)
  expect(JSON.parse((await session.keyring.find(before))?.reveal() ?? '').accessToken).toBe(first.output.trim())

  const many = await Promise.all([1, 2, 3].map(() => run('access-token', url)))
  expect(many.map(({ code, errors }) => [code, errors])).toEqual([1, 2, 3].map(() => [0, '']))
  const [, after = ''] = /"inKeyring": "([^"]+)"/.exec(kept()) ?? []
  expect([await session.keyring.find(before), after === before]).toEqual([undefined, false])
  expect(await run('logout', url)).toMatchObject({ code: 0 })
  expect([kept(), await session.keyring.find(after)]).toEqual(['{}\n', undefined])

  expect(await signIn(/^The code is the same/)).toMatchObject({ exit: 0 })
  expect(kept()).toContain('inKeyring')
  await session.leave()
  const without = await run('access-token', url)
  expect(without).toMatchObject({ code: 1, output: '', errors: expect.stringContaining('no desktop session') })
  expect(without.errors).toContain('sign in from here as well')
  desktop = {}
})

test.skipIf(withoutDesktop)(
  'who signed in at the desktop signs in and out from elsewhere, where nobody unlocks the keyring',
  { timeout: 90_000 },
  async () => {
    const file = join(place.dataDir, 'sign-ins.json')
    const kept = () => readFileSync(file, 'utf8')
    {
      await using session = await openDesktop()
      desktop = { ...session.environment, SEKISHO_ROOT_KEY_STORE: 'auto' }
      expect(await signIn(/^The code is the same/)).toMatchObject({ exit: 0 })
      expect(kept()).toContain('inKeyring')
    }
    // As over SSH: the same files, and no session.
    desktop = { SEKISHO_ROOT_KEY_STORE: 'auto' }
    const inKeyring = kept()
    expect(await signIn(/^The code is the same/)).toMatchObject({ exit: 0 })
    expect(kept()).toContain('accessToken')
    const { output: token } = await run('access-token', url)
    expect(await knock(`${url}/mcp`, token.trim())).toBe(200)
    expect(await run('logout', url)).toMatchObject({ code: 0 })

    writeFileSync(file, inKeyring)
    const untold = await run('logout', url)
    expect(untold).toMatchObject({ code: 1, errors: expect.stringContaining('is forgotten here') })
    expect(untold.errors).toContain('revoke the client')
    expect(kept()).toBe('{}\n')
    desktop = {}
  },
)

test.for<[string, string]>([
  ['http://192.0.2.1', 'not an https address'],
  ['nothing', 'not an https address'],
])('tokens go nowhere in the clear: %s', async ([address, says]) => {
  expect(await run('login', address)).toMatchObject({ code: 1, errors: expect.stringContaining(says) })
})
