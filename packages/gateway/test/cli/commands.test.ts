import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request as ask } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { administering } from '../admin/scene.ts'
import { appWith } from '../login/ways-in.ts'
import { openGate, sekisho } from './gate.ts'

const KEY = /sekisho_[A-Za-z0-9]{46}/
const TOKEN = 'ghp_TheTokenOfAda1'

test('users are added, listed, promoted and removed', async () => {
  await using gate = await openGate()
  await gate.scene.person('grace', { role: 'owner' })
  const added = await gate.run(['user', 'add', 'ada'])
  expect(added).toMatchObject({ code: 0, errors: '', output: expect.stringContaining('sekisho key add ada') })
  expect((await gate.run(['user', 'role', 'ada', 'admin'])).output).toBe('ada is admin now.\n')
  const listed = await gate.run(['user', 'list'])
  expect(listed.output.split('\n').map((line) => line.split(/\s+/, 2))).toEqual([
    ['NAME', 'ROLE'],
    ['ada', 'admin'],
    ['grace', 'owner'],
    [''],
  ])
  expect((await gate.run(['user', 'remove', 'ada'])).code).toBe(0)
  expect(JSON.parse((await gate.run(['user', 'list', '--json'])).output)).toMatchObject([
    { name: 'grace', role: 'owner' },
  ])
})

test('somebody is invited with a link of their own, added where they are missing', async () => {
  await using gate = await openGate()
  const first = await gate.run(['user', 'invite', 'ada', '--role', 'admin'])
  expect(first).toMatchObject({ code: 0, errors: expect.stringContaining('lets ada (admin) in, is good for once') })
  expect(first.output).toMatch(/^http:\/\/localhost:7354\/welcome\/[\w-]{43}\n$/)
  const second = JSON.parse((await gate.run(['user', 'invite', 'ada', '--json'])).output)
  expect(second).toMatchObject({ user: { name: 'ada', role: 'admin' }, expiresAt: '2026-01-04T00:00:00.000Z' })
  expect(`${second.url}\n`).not.toBe(first.output)
})

test('who forgot the password is given a link, and who lost their second factor has none any more', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const { authenticators, factors } = gate.scene.factors
  const offer = await authenticators.offer(ada.tenant, ada)
  const code = appWith(offer.text.reveal(), gate.scene.clock).code()
  await authenticators.confirm(ada.tenant, ada.id, { sealed: offer.sealed, code })
  const reset = await gate.run(['user', 'reset', 'ada'])
  expect(reset).toMatchObject({ code: 0, errors: expect.stringContaining('A second factor is still asked for.') })
  expect(reset.output).toMatch(/^http:\/\/localhost:7354\/welcome\/[\w-]{43}\n$/)
  expect((await factors.standing(ada.tenant, ada.id)).app).toBeDefined()
  expect((await gate.run(['user', 'reset-factors', 'ada'])).output).toContain('ada has no second factor any more')
  expect((await factors.standing(ada.tenant, ada.id)).app).toBeUndefined()
  expect((await gate.run(['user', 'reset', 'nobody'])).code).toBe(1)
})

test('a key is shown with the address and what a client’s configuration needs, and is not in the list', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const { code, output } = await gate.run(['key', 'add', 'ada', '--name', 'laptop', '--expires-in-days', '30'])
  expect(code).toBe(0)
  const key = KEY.exec(output)?.[0] ?? ''
  expect(await gate.scene.keys.verify(key)).toMatchObject({ userId: ada.id })
  expect(JSON.parse(output.slice(output.indexOf('{')))).toEqual({
    mcpServers: {
      sekisho: { type: 'http', url: 'http://localhost:7354/mcp', headers: { Authorization: `Bearer ${key}` } },
    },
  })
  const listed = await gate.run(['key', 'list', '--user', 'ada'])
  expect(listed.output).toContain('laptop')
  expect(listed.output).not.toMatch(KEY)
})

test('a key is shown even where the gate is gone before it says its address', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const admin = await gate.scene.person('alan', administering)
  const environment = { SEKISHO_KEY: admin.key.reveal() }
  await using door = await openGoneAfter(gate.url)
  const { code, output } = await sekisho(['key', 'add', 'ada', '--url', door.url], { environment })
  expect(code).toBe(1)
  expect(await gate.scene.keys.verify(KEY.exec(output)?.[0] ?? '')).toMatchObject({ userId: ada.id })
})

/** A gate's address that hands on one request and then breaks every connection. */
async function openGoneAfter(url: string) {
  let isGone = false
  const server = createServer((request, response) => {
    const { method, headers, socket } = request
    if (isGone) socket.destroy()
    else request.pipe(ask(`${url}${request.url}`, { method, headers }, (answer) => answer.pipe(response)))
    isGone = true
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

test('a key for one server comes with the address of that server', async () => {
  await using gate = await openGate()
  await gate.scene.person('ada')
  const { output } = await gate.run(['key', 'add', 'ada', '--scope', 'mcp:github', '--scope', 'metrics'])
  expect(output).toContain('"url": "http://localhost:7354/mcp/github"')
  expect(output).toContain('(mcp:github, metrics)')
})

test('a revoked key opens nothing', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  expect((await gate.run(['key', 'revoke', ada.keyId])).code).toBe(0)
  expect(await gate.scene.keys.verify(ada.key.reveal())).toBeUndefined()
  expect((await gate.run(['key', 'list'])).output).toContain('revoked 2026-01-01')
})

test('a token is piped in, and is in nothing that is written', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const set = await gate.run(['token', 'set', 'github', '--user', 'ada'], { input: `${TOKEN}\n` })
  expect(set).toEqual({ code: 0, output: 'The token for github is set.\n', errors: '' })
  expect(await gate.scene.tokenOf(ada.tenant, ada.id)).toBe(TOKEN)
  const listed = await gate.run(['token', 'list'])
  expect(listed.output).toMatch(/github +ada/)
  expect(listed.output).not.toContain(TOKEN)
  expect((await gate.run(['token', 'remove', 'github'])).code).toBe(0)
  expect(await gate.scene.tokenOf(ada.tenant, ada.id)).toBeUndefined()
})

test('a token is not taken from an argument', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const { code, errors } = await gate.run(['token', 'set', 'github', TOKEN])
  expect(code).toBe(2)
  expect(errors).toContain('too many arguments')
  expect(await gate.scene.tokenOf(ada.tenant, ada.id)).toBeUndefined()
})

test('without a token nothing is set', async () => {
  await using gate = await openGate()
  await gate.scene.person('ada')
  const { code, errors } = await gate.run(['token', 'set', 'github'])
  expect([code, errors]).toEqual([1, expect.stringContaining('No token was given.')])
  expect(gate.scene.changes).toEqual([])
})

test('a refusal is told in the gate’s words: what happened, what to do, which request', async () => {
  await using gate = await openGate()
  await gate.scene.person('ada')
  const { code, output, errors } = await gate.run(['token', 'set', 'github'], { input: 'nonsense' })
  expect({ code, output }).toEqual({ code: 1, output: '' })
  expect(errors).toMatch(
    /^This does not look like a GitHub token\.\nMake one at https:\/\/github\.test\/tokens\. \(Request \S+\.\)\n$/,
  )
})

test('connections are listed with what is wrong with them, and removed; they are made in a browser, or of tokens in a file', async () => {
  await using gate = await openGate()
  const { connected } = gate.scene
  const ada = await gate.scene.person('ada')
  expect((await gate.run(['connection', 'list'])).output).toBe('No accounts are connected.\n')
  await connected.connect(ada.holder, 'tracker')
  await connected.connect(ada.holder, 'mal')
  await connected.reject(ada.holder, 'mal')
  const listed = await gate.run(['connection', 'list', '--user', 'ada'])
  expect(listed.output).toMatch(/^mal +ada +mika +rejected +2026-01-01 00:00 +2026-01-02 00:00 .* invalid_grant$/m)
  expect(listed.output).toMatch(/^tracker +ada +mika +connected .* never +-$/m)
  const removed = await gate.run(['connection', 'remove', 'tracker', '--user', 'ada'])
  expect(removed).toEqual({ code: 0, output: 'The account at tracker is disconnected.\n', errors: '' })
  const untold = await gate.run(['connection', 'remove', 'mal'])
  expect(untold).toMatchObject({ code: 0, errors: expect.stringContaining('did not confirm') })
  const again = await gate.run(['connection', 'remove', 'mal'])
  expect(again).toMatchObject({ code: 1, errors: expect.stringContaining('sekisho connection list') })
  const help = await gate.run(['connection', '--help'])
  expect(help.output).toContain('in a browser at `<publicUrl>/account`')
})

test('the gate says whom it takes one for: the operator, or whose key it is', async () => {
  await using gate = await openGate()
  expect((await gate.run(['whoami'])).output).toMatch(/^\(operator\) +- +mcp admin metrics +github notes .* never$/m)
  const ada = await gate.scene.person('ada', { scopes: ['mcp:notes'], expiresAt: Date.UTC(2026, 1, 1) })
  const environment = { SEKISHO_KEY: ada.key.reveal() }
  const shown = await sekisho(['whoami', '--url', gate.url], { environment })
  expect(shown.output).toMatch(/^ada +member +mcp:notes +notes +2026-02-01 00:00$/m)
  const json = await sekisho(['whoami', '--url', gate.url, '--json'], { environment })
  expect(JSON.parse(json.output)).toMatchObject({ user: { id: ada.id, name: 'ada' }, servers: ['notes'] })
})

test('a log is shown as it is where no terminal reads it, and none is said to be none', async () => {
  await using gate = await openGate()
  const { id: userId } = await gate.scene.person('ada')
  expect(await gate.run(['logs', 'notes'])).toMatchObject({
    code: 0,
    output: '',
    errors: expect.stringContaining('nothing'),
  })
  const text = '\u001b[31mfailed\u001b[0m to open'
  await gate.scene.complain(text, { userId })
  expect((await gate.run(['logs', 'notes', '--user', 'ada'])).output).toBe(`${text}\n`)
})

test('the status says what runs', async () => {
  await using gate = await openGate()
  const { id: userId } = await gate.scene.person('ada')
  await gate.scene.complain('x', { userId })
  gate.scene.clock.turn(90_000)
  const { output } = await gate.run(['status'])
  expect(output).toMatch(/^Sekisho \S+ at http:\/\/localhost:7354\/mcp, for 1 min 30 s\.$/m)
  expect(output).toMatch(/^github +http +GitHub +- +Issues\.$/m)
  expect(output).toMatch(/^notes +ada +ready +\d+ /m)
})

test('a gate is asked by its address, with a key from the environment or a file', async () => {
  await using gate = await openGate()
  const admin = await gate.scene.person('alan', administering)
  const file = join(gate.dataDir, 'key.txt')
  writeFileSync(file, `${admin.key.reveal()}\n`)
  const ways = [
    await sekisho(['user', 'list', '--url', gate.url], { environment: { SEKISHO_KEY: admin.key.reveal() } }),
    await sekisho(['user', 'list', '--url', gate.url, '--key-file', 'key.txt'], { directory: gate.dataDir }),
  ]
  expect(ways.map(({ code }) => code)).toEqual([0, 0])
  expect(ways.filter(({ output }) => !output.includes('alan'))).toEqual([])
})

test('by its address a gate gives a member no more than their own, and nothing without a key', async () => {
  await using gate = await openGate()
  const ada = await gate.scene.person('ada')
  const environment = { SEKISHO_KEY: ada.key.reveal() }
  const set = await sekisho(['token', 'set', 'github', '--url', gate.url], { environment, input: TOKEN })
  expect(set.code).toBe(0)
  expect(await gate.scene.tokenOf(ada.tenant, ada.id)).toBe(TOKEN)
  const list = await sekisho(['user', 'list', '--url', gate.url], { environment })
  expect(list).toMatchObject({ code: 1, errors: expect.stringContaining('This needs the role admin.') })
  const without = await sekisho(['user', 'list', '--url', gate.url])
  expect(without).toMatchObject({ code: 1, errors: expect.stringContaining('SEKISHO_KEY') })
})

test('a key is not taken from an argument', async () => {
  const { code, errors } = await sekisho(['user', 'list', '--url', 'http://127.0.0.1:9', '--key', 'sekisho_x'])
  expect([code, errors]).toEqual([2, expect.stringContaining('unknown option')])
})
