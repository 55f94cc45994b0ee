import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { treeOf } from '../../../../../scripts/lib/process-tree.ts'
import { eras } from '../../e2e/eras.ts'
import { adminWith, childServer, doorOf, filesOf, personalServer } from '../../e2e/place.ts'
import { createSecrets, type Secrets } from '../planted.ts'
import { startScripted } from '../../e2e/scripted.ts'
import { changeDatabase, freshDataDir } from '../../e2e/stopped.ts'
import { post, send, textFrom } from '../../e2e/wire.ts'

/** A server that sends back, as its answer, the very bytes it was sent. */
async function startParrot() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, [Symbol.asyncDispose]: close }
}

const withToken = { TOKEN: { $userToken: '{{token}}' } }

/** Servers that work, and servers that fail in every way that might show what they were given. */
function serversThatTell(urls: { good: string; refusing: string; parrot: string; babbling: string; closed: string }) {
  return {
    good: personalServer(urls.good),
    refusing: personalServer(urls.refusing),
    parrot: personalServer(urls.parrot),
    babbling: personalServer(urls.babbling),
    closed: { url: { $userToken: `${urls.closed}/{{token}}/mcp?key={{token}}` } },
    child: childServer({ ...withToken, TELL_ALL: 'yes' }),
    stillborn: childServer({ ...withToken, TELL_ALL: 'yes', FAIL_IF_THERE: '/' }),
    absent: { command: '/no/such/program', args: [{ $userToken: '--token={{token}}' }], env: withToken },
    strict: { ...childServer(withToken), tokenSetup: { name: 'Strict', instructions: 'Ask.', format: '^strict-' } },
  }
}

test('no key, token, argument or answer is seen in logs, metrics, errors, the database, the audit log or by other processes (CWE-532, CWE-312)', async () => {
  using place = freshDataDir()
  const secrets = createSecrets()
  const rootKey = randomBytes(32).toString('base64')
  secrets.add('the root key', rootKey)
  await using good = await startEverything({ port: 0 })
  await using parrot = await startParrot()
  await using refusing = await startScripted(({ headers }) => ({ status: 401, body: `"${headers.authorization}"` }))
  await using babbling = await startScripted(({ headers, id }) => ({
    body: `{"jsonrpc":"2.0","id":${String(id)},"method":${headers.authorization?.replace(' ', '-')}}`,
  }))
  const closed = `http://127.0.0.1:${await freePort()}`
  const servers = serversThatTell({
    good: good.url,
    refusing: refusing.url,
    parrot: parrot.url,
    babbling: babbling.url,
    closed,
  })
  const gate = await startGate({
    config: { mcpServers: servers, log: { level: 'debug', format: 'json' } },
    dataDir: place.dataDir,
    env: { SEKISHO_ROOT_KEY: rootKey },
  })
  await using _ = gate
  const firstLink = /\/welcome\/([\w-]+)$/m.exec(gate.log())?.[1] ?? ''

  // 1. Two people with tokens for everything; set, replaced, refused for their form, sent to the wrong place.
  const people = await Promise.all(
    ['ada', 'bob'].map(async (name) => {
      const scopes = ['mcp', 'admin', 'metrics']
      const person = { name, ...(await gate.addUser(name, { role: 'admin', scopes })) }
      secrets.add(`the key of ${name}`, person.key)
      for (const server of Object.keys(servers)) {
        const prefix = server === 'strict' ? 'strict-' : ''
        await gate.setToken(name, server, `${prefix}${secrets.make(`an old token of ${name} for ${server}`)}`)
        await gate.setToken(name, server, `${prefix}${secrets.make(`the token of ${name} for ${server}`)}`)
      }
      return person
    }),
  )
  const told: string[] = []
  for (const person of people) {
    const wrong = secrets.make(`a mistyped token of ${person.name}`)
    for (const token of [wrong, `strict-${wrong}\n`, `strict-${wrong} é`, `strict-${wrong.repeat(200)}`, [wrong]]) {
      const { status, text } = await adminWith({ url: gate.url, key: person.key }, 'PUT', '/admin/api/tokens/strict', {
        token,
      })
      expect(status).toBe(400)
      told.push(text)
    }
    const misplaced = await adminWith({ url: gate.url, key: person.key }, 'PUT', '/admin/api/tokens/nowhere', {
      token: wrong,
    })
    told.push(misplaced.text)
  }

  // 2. Every server is called by both, in both eras.
  for (const person of people) {
    for (const era of eras) {
      const args = { text: secrets.make(`an argument of ${person.name}`) }
      for (const server of Object.keys(servers)) {
        const reply = await send(doorOf(gate, person, era, server), 'tools/call', { name: 'complain', arguments: args })
        told.push(...(server === 'good' ? [] : reply.messages))
      }
      told.push(
        (
          await send(doorOf(gate, person, era), 'tools/call', { name: 'sekisho_status', arguments: {} })
        ).bytes.toString(),
      )
    }
    await textFrom(doorOf(gate, person, 'modern', 'good'), 'echo_headers')
  }
  for (const person of people) {
    const died = await send(doorOf(gate, person, 'modern', 'strict'), 'tools/call', { name: 'die', arguments: {} })
    told.push(died.bytes.toString())
  }

  // 3. Keys that open nothing, in and out of their place.
  const wrongKey = `sekisho_${secrets.make('a wrong key')}`
  const door = { url: `${gate.url}/mcp`, key: wrongKey }
  told.push((await post(door, '{}', {})).bytes.toString())
  told.push((await post({ ...door, url: `${gate.url}/mcp/${wrongKey}` }, '{}', {})).bytes.toString())
  told.push(
    (await post({ ...door, url: `${gate.url}/mcp?access_token=${wrongKey}` }, `{"${wrongKey}"`, {})).bytes.toString(),
  )
  const own = { url: `${gate.url}/mcp`, key: people[0]?.key ?? '' }
  const cut = secrets.make('what a body held that was no JSON')
  told.push((await post(own, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${cut}`, {})).bytes.toString())

  // 4. The children, while they run.
  await textFrom(doorOf(gate, people[0] ?? { key: '' }, 'modern', 'strict'), 'whoami')
  await expectOwnSecretsOnly(gate, secrets)

  // 5. Everything that was written, while the gate runs and after it stopped.
  const metrics = await gate.admin('GET', '/metrics')
  expect(metrics.body).toContain('sekisho_errors_total')
  expect(secrets.foundIn(String(metrics.body))).toEqual([])
  expect(told.flatMap((text) => secrets.foundIn(text).map((what) => `${what} in ${text}`))).toEqual([])
  const running = filesOf(place.dataDir)
  await gate.stop()
  for (const [path, bytes] of [...running, ...filesOf(place.dataDir)]) {
    expect([path, secrets.foundIn(bytes), bytes.includes(firstLink)]).toEqual([path, [], false])
  }
  expect(secrets.foundIn(gate.log())).toEqual([])
  // The administrator's first link is shown to whoever started the gate, and is no part of the log.
  const logged = gate
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  expect(firstLink).toMatch(/^[\w-]{43}$/)
  expect(logged.filter((line) => line.includes(firstLink))).toEqual([])
  expect(gate.log()).toContain('"level":"debug"')
  const entries = await changeDatabase(place.dataDir, ({ system }) => system.selectFrom('audit').selectAll().execute())
  expect(entries.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['token.set', 'tool.call', 'upstream.started']),
  )
  expect(secrets.foundIn(JSON.stringify(entries))).toEqual([])
})

/** A child has the token of its user for itself where the configuration says so, and nothing else of anybody's. */
async function expectOwnSecretsOnly(gate: Gate, secrets: Secrets): Promise<void> {
  const { body } = await gate.admin('GET', '/admin/api/status')
  const { children } = body as { children: { pid?: number; user: string; server: string }[] }
  const owners = new Map(children.map(({ pid, user, server }) => [pid, `the token of ${user} for ${server}`]))
  const processes = treeOf(gate.pid).filter(({ pid }) => pid !== gate.pid)
  expect(processes).toHaveLength(3)
  for (const { pid } of processes) {
    expect(secrets.foundIn(readFileSync(`/proc/${pid}/cmdline`))).toEqual([])
    expect(secrets.foundIn(readFileSync(`/proc/${pid}/environ`))).toEqual([owners.get(pid)])
  }
  expect(secrets.foundIn(readFileSync(`/proc/${gate.pid}/cmdline`))).toEqual([])
  expect(secrets.foundIn(readFileSync(`/proc/${gate.pid}/environ`))).toEqual(['the root key'])
}
