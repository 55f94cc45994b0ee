import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startEverything } from '@sekisho/playground/everything/http'
import { expect, test } from 'vitest'
import { startGate } from '../../../../scripts/lib/gate.ts'
import { acceptInvitation } from '../../../../scripts/lib/people.ts'
import type { TenantId } from '../../src/base/ids.ts'
import { addPerson, doorOf, until } from './place.ts'
import { changeDatabase, freshDataDir } from './stopped.ts'
import { errorOf, send, textFrom } from './wire.ts'

test('a first start that cannot listen makes no link; the next one makes it and shows it', async () => {
  using place = freshDataDir()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const first = startGate({ dataDir: place.dataDir, env: { SEKISHO_PORT: String(port) } })
  await expect(first).rejects.toThrow(/Port \d+ is already in use/)
  taken.close()

  await using gate = await startGate({ dataDir: place.dataDir })
  const [link = ''] = /http:\S+\/welcome\/\S+/.exec(gate.log()) ?? []
  const browser = await acceptInvitation(link)
  expect((await browser.open(`${new URL(link).origin}/account`)).text).toContain('Your accounts')
})

test('a gate whose operator socket cannot be made ends, with its network door closed', async () => {
  using place = freshDataDir()
  const long = 'x'.repeat(120)
  const TMPDIR = join(place.dataDir, '..', long)
  mkdirSync(TMPDIR)
  const start = startGate({ dataDir: join(place.dataDir, long), env: { TMPDIR } })
  await expect(start).rejects.toThrow(/The gate ended/)
})

test('a fault that nothing caught is logged, and stops the gate in order with exit code 1', async () => {
  const fault = `process.on('SIGUSR2', () => void Promise.reject(new Error('unforeseen')))`
  await using gate = await startGate({
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` },
  })
  expect(await gate.kill('SIGUSR2')).toEqual({ code: 1, signal: null })
  expect(gate.log()).toMatch(/gate\.fault[^]*gate\.stopping[^]*gate\.stopped/)
  expect(gate.log()).toContain('unforeseen')
})

test('a call that the gate waited for in vain is told that the gate is stopping', async () => {
  await using everything = await startEverything({ port: 0 })
  await using gate = await startGate({
    config: { mcpServers: { http: { url: everything.url } }, timeouts: { drainMs: 300 } },
  })
  const door = doorOf(gate, await addPerson(gate, 'ada'), 'modern', 'http')
  const endless = send(door, 'tools/call', { name: 'slow', arguments: { ms: 600_000, label: 'endless' } })
  await until(async () => (await textFrom(door, 'slow_calls')).includes('running'))
  const ending = gate.kill('SIGTERM')
  expect(errorOf(await endless).message).toBe('The gate is stopping.')
  expect(await ending).toEqual({ code: 0, signal: null })
})

test('a change that was begun when the gate was told to stop is made, and answered', async () => {
  using place = freshDataDir()
  const gate = await startGate({ dataDir: place.dataDir })
  const { key } = await gate.addUser('root', { role: 'admin', scopes: ['admin'] })
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Expect: '100-continue' }
  const change = request(`${gate.url}/admin/api/users`, { method: 'POST', headers })
  change.flushHeaders()
  await once(change, 'continue')
  const ending = gate.kill('SIGTERM')
  await until(() => gate.log().includes('gate.stopping'))
  await pause(300)
  change.end('{"name":"ada"}')
  const [answer] = await once(change, 'response')
  expect(answer.resume().statusCode).toBe(201)
  expect(await ending).toEqual({ code: 0, signal: null })
  const names = await changeDatabase(place.dataDir, (storage) =>
    storage
      .for('ten_default' as TenantId)
      .selectFrom('users')
      .select('name')
      .execute(),
  )
  expect(names).toContainEqual({ name: 'ada' })
})

test('the audit log tells when the gate ran, and who came without a key, once for many', async () => {
  using place = freshDataDir()
  const gate = await startGate({ dataDir: place.dataDir })
  await Promise.all(['', '', 'wrong', 'wrong'].map((key) => send(doorOf(gate, { key }), 'tools/list')))
  await gate.stop()
  const kept = await changeDatabase(place.dataDir, async (storage) => {
    const entries = storage
      .for('ten_default' as TenantId)
      .selectFrom('audit')
      .select('entry')
      .orderBy('seq')
    return (await entries.execute()).map(({ entry }): Record<string, unknown> => JSON.parse(entry))
  })
  const [started, ...rest] = kept
  expect(started).toMatchObject({ kind: 'gate.started', version: expect.any(String), instance: expect.any(String) })
  expect(rest.at(-1)).toMatchObject({ kind: 'gate.stopped', instance: started?.['instance'] })
  const strangers = rest.filter(({ kind }) => kind === 'auth.failed')
  const seen = { path: '/mcp', address: '127.0.0.1' }
  expect(new Set(strangers.map(({ error }) => error))).toEqual(new Set(['auth.invalid', 'auth.required']))
  expect(strangers).toMatchObject([seen, seen])
})

test('a link that nobody followed is made anew at each start, until an owner has a password', async () => {
  using place = freshDataDir()
  const links: string[] = []
  for (let start = 0; start < 2; start++) {
    await using gate = await startGate({ dataDir: place.dataDir })
    links.push(/http:\S+\/welcome\/(\S+)/.exec(gate.log())?.[1] ?? '')
    if (start === 1) await acceptInvitation(/http:\S+\/welcome\/\S+/.exec(gate.log())?.[0] ?? '')
  }
  expect(new Set(links).size).toBe(2)
  await using gate = await startGate({ dataDir: place.dataDir })
  expect(gate.log()).not.toContain('/welcome/')
})

test('whoever goes to a wrong address in a browser is shown a page, and a program its error', async () => {
  await using gate = await startGate()
  const ask = (accept: string) => fetch(`${gate.url}/nonsense`, { headers: { accept } })
  const page = await ask('text/html,*/*')
  expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await (await ask('*/*')).json()).toMatchObject({ error: { code: 'request.not_found' } })
})
