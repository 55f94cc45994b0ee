import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../scripts/lib/gate.ts'
import { acceptInvitation } from '../../../../scripts/lib/people.ts'
import { csrfOf } from '../attacks/ground.ts'
import { createSecrets, type Secrets } from '../attacks/planted.ts'
import { GENEROUS } from '../e2e/journey/outside.ts'
import { addPerson, doorOf, personalServer, tokenOf, type Person } from '../e2e/place.ts'
import { openLine } from '../e2e/raw.ts'
import { startScripted, type Scripted } from '../e2e/scripted.ts'
import { openSession, textFrom } from '../e2e/wire.ts'
import { bytesFor, input, type Input, type Sender } from './front.ts'

/** How long inputs are made up: a moment every day, `npm run fuzz -- --minutes 20` for as long as somebody wants. */
const SECONDS = Number(process.env['SEKISHO_FUZZ_SECONDS'] ?? 10)
const AT_ONCE = 48
/** A connection that says nothing more is left after so long. */
const SILENT_MS = 150
/** Longer than any answer may take while nothing else is asked of the gate. */
const HANGS_MS = 10_000

let upstream: Scripted
let gate: Gate
let ada: Person
let eve: Sender
const secrets: Secrets = createSecrets()

beforeAll(async () => {
  upstream = await startScripted(({ method, headers }) => ({
    result: answers[method] ?? said(`${headers.authorization}`),
  }))
  const rootKey = randomBytes(32).toString('base64')
  gate = await startGate({
    config: {
      mcpServers: { echo: personalServer(upstream.url) },
      signIn: {
        with: { corp: { label: 'Corp', issuer: upstream.url, clientId: 'gate', clientSecret: 'not guessed' } },
      },
      limits: { callsPerMinute: 1_000_000, perMinute: many(GENEROUS) },
      timeouts: { headersMs: 2_000, bodyMs: 2_000 },
      log: { level: 'info', format: 'json' },
    },
    env: { SEKISHO_ROOT_KEY: rootKey },
  })
  ada = await addPerson(gate, 'ada', ['echo'])
  const chief = await gate.addUser('chief', { role: 'admin', scopes: ['mcp', 'admin', 'metrics'] })
  const session = await openSession(doorOf(gate, ada, 'legacy'))
  secrets.add('the root key', rootKey)
  secrets.add('the key of ada', ada.key)
  secrets.add('the token of ada', tokenOf('ada', 'echo'))
  secrets.add('the session of ada', session['Mcp-Session-Id'])
  secrets.add('the key of an administrator', chief.key)
  const browser = await acceptInvitation(await gate.inviteUser('eve'))
  const { key } = await addKey('eve')
  const { html } = await browser.open(`${gate.url}/account/security`)
  const csrf = csrfOf(html)
  if (csrf === '') throw new Error('eve is not signed in')
  eve = { host: new URL(gate.url).host, key, cookie: await browser.cookies(gate.url), csrf }
})

afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const said = (text: string) => `{"resultType":"complete","content":[{"type":"text","text":${JSON.stringify(text)}}]}`
const answers: Readonly<Record<string, string>> = {
  initialize: '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"e","version":"1"}}',
  'server/discover': '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}',
  'tools/list': '{"resultType":"complete","tools":[{"name":"echo","inputSchema":{"type":"object"}}]}',
}

function many(limits: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.keys(limits).map((name) => [name, 1_000_000]))
}

async function addKey(user: string): Promise<{ key: string }> {
  const { body } = await gate.admin('POST', '/admin/api/keys', { user, scopes: ['mcp'] })
  return body as { key: string }
}

/** Writes an input piece by piece; gives all that came until the gate closed the connection or fell silent. */
async function tryInput({ pieces }: Input): Promise<string> {
  const line = openLine(gate.url)
  line.socket.setTimeout(SILENT_MS, () => line.socket.destroy())
  for (const piece of pieces) {
    if (line.socket.destroyed) break
    line.socket.write(bytesFor(piece, eve))
    if (pieces.length > 1) await pause(1)
  }
  return Promise.race([line.closed, pause(HANGS_MS, 'HANGS', { ref: false })])
}

/** What is wrong with what came; `undefined` where nothing is. */
function troubleIn(came: string): string | undefined {
  if (came === 'HANGS') return 'the connection neither ends nor falls silent'
  const status = /HTTP\/1\.1 (500)/.exec(came)?.[1]
  if (status !== undefined) return `it was answered ${status}`
  const found = secrets.foundIn(came)
  if (found.length > 0) return `it was answered with ${found.join(', ')}`
  return undefined
}

async function expectHealthy(): Promise<void> {
  const health = await fetch(`${gate.url}/health/ready`, { signal: AbortSignal.timeout(HANGS_MS) })
  expect(health.status).toBe(200)
}

test(
  'no bytes on a connection crash the gate, hang it, are answered 500 or show what is somebody else’s',
  { timeout: SECONDS * 1_000 + 120_000 },
  async () => {
    const seed = Number(process.env['SEKISHO_FUZZ_SEED'] ?? randomInt(2 ** 31))
    const end = performance.now() + SECONDS * 1_000
    let inputs = 0
    let batch = 0
    for (; performance.now() < end; batch++) {
      const made = fc.sample(input, { numRuns: AT_ONCE, seed: seed + batch })
      const came = await Promise.all(made.map(tryInput))
      inputs += made.length
      for (const [index, one] of made.entries()) {
        const trouble = troubleIn(came[index] ?? '')
        const sent = one.pieces.map((piece) => piece.toString('latin1'))
        expect([trouble, trouble && { sent, came: came[index], seed: seed + batch }]).toEqual([undefined, undefined])
      }
      await expectHealthy()
    }
    console.log(`${inputs} inputs on the HTTP front in ${SECONDS} s, ${batch} batches from seed ${seed}`)
    expect(inputs).toBeGreaterThan(0)
    expect(await textFrom(doorOf(gate, ada), 'echo__echo')).toContain(tokenOf('ada', 'echo'))
    expect(gate.log()).not.toContain('gate.fault')
    expect(secrets.foundIn(gate.log())).toEqual([])
  },
)
