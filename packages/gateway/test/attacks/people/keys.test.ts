import { randomBytes } from 'node:crypto'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { systemRandom } from '../../../src/base/ids.ts'
import { makeKey } from '../../../src/identity/key-format.ts'

/** Guessing at what opens the gate without its user: CWE-307, CWE-208. */
const FEW = 20
const MORE = 8

let gate: Gate
let good: string
beforeAll(async () => {
  gate = await startGate({ config: { mcpServers: {}, limits: { perMinute: { wrongKeys: FEW } } } })
  good = (await gate.addUser('ada', { scopes: ['mcp', 'metrics'] })).key
})
afterAll(() => gate[Symbol.asyncDispose]())

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
/** A key as the gate makes them, its checksum right: nothing tells it from one but the database. */
const guess = () => makeKey(systemRandom)
const token = () => randomBytes(32).toString('base64url')

/** Asks on a connection that is new, or on one of the agent's: what is refused may cost a connection. */
function ask(path: string, headers: Readonly<Record<string, string>>, agent: Agent | false = false) {
  const isCall = path === '/mcp'
  const call = { 'content-type': 'application/json', accept: 'application/json', 'mcp-protocol-version': '2025-11-25' }
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const method = isCall ? 'POST' : 'GET'
    const sent = request(
      gate.url + path,
      { method, agent, headers: isCall ? { ...call, ...headers } : headers },
      (got) => {
        text(got).then((body) => resolve({ status: got.statusCode, headers: got.headers, body }), reject)
      },
    )
    sent.on('error', reject).end(isCall ? '{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}' : undefined)
  })
}

/** Before the others, which use the address's guesses up. How long each takes is for whoever reads it. */
test('a key that is nearly right is answered as one that is far off (CWE-208)', async () => {
  const tried = async (make: () => string) => {
    const times: number[] = []
    const answers = new Set<string>()
    for (let count = 0; count < 5; count++) {
      const key = make()
      const begun = performance.now()
      const { status, headers, body } = await ask('/mcp', bearer(key))
      times.push(performance.now() - begun)
      answers.add(JSON.stringify([status, Object.keys(headers), body.replace(/"requestId":"[^"]+"/, '')]))
    }
    return { least: Math.min(...times), answers: [...answers] }
  }
  const nearly = await tried(() => good.slice(0, -12) + guess().slice(-12))
  const far = await tried(guess)
  console.log(`nearly right ${nearly.least.toFixed(2)} ms, far off ${far.least.toFixed(2)} ms`)
  expect(nearly.answers).toEqual(far.answers)
  expect(far.answers).toEqual([expect.stringMatching(/^\[401,/)])
})

describe('guesses from one address', () => {
  test('are answered 429 after some, keys and tokens together, while who has a good key there is let in (CWE-307)', async () => {
    const own = new Agent({ keepAlive: true, maxSockets: 1 })
    const statuses: (number | undefined)[] = []
    for (let count = 0; count < FEW + MORE; count++) {
      const forwarded = { 'x-forwarded-for': `198.51.100.${count}`, forwarded: `for=198.51.100.${count}` }
      const wrong = count % 2 === 0 ? guess() : token()
      statuses.push((await ask('/mcp', { ...bearer(wrong), ...forwarded })).status)
      expect([count, (await ask('/mcp', bearer(good), own)).status]).toEqual([count, 200])
    }
    own.destroy()
    const held = statuses.filter((status) => status === 429).length
    expect([held + statuses.filter((status) => status === 401).length, held]).toEqual([FEW + MORE, expect.any(Number)])
    expect(held).toBeGreaterThanOrEqual(MORE - 2)
    const { status, headers } = await ask('/mcp', bearer(guess()))
    expect([status, Number(headers['retry-after']) > 0]).toEqual([429, true])
    // On a connection of its own, too, which is only heard a little later.
    expect((await ask('/mcp', bearer(good))).status).toBe(200)
  })

  test('are held back at the administration and the metrics as well, and counted (CWE-307)', async () => {
    for (const path of ['/admin/api/me', '/metrics'])
      expect([path, (await ask(path, bearer(guess()))).status]).toEqual([path, 429])
    const { body: metrics } = await ask('/metrics', bearer(good))
    const [, invalid = '0'] = /sekisho_auth_total\{outcome="invalid"\} (\d+)/.exec(metrics) ?? []
    expect(Number(invalid)).toBeGreaterThanOrEqual(FEW + MORE)
    expect(metrics).toMatch(/sekisho_refused_total\{limit="limits\.perMinute\.wrongKeys"\} [1-9]/)
  })

  test('say nothing of which they are: no key, a revoked one and a made-up one are one answer but for that (CWE-204)', async () => {
    const revoked = await gate.addUser('ben')
    const { body } = await gate.admin('GET', '/admin/api/keys?user=ben')
    const [{ id } = { id: '' }] = (body as { keys: { id: string }[] }).keys
    await gate.admin('DELETE', `/admin/api/keys/${id}`)
    const plain = async (key: string) => {
      const { status, body: said, headers } = await ask('/mcp', bearer(key))
      const words = said.replaceAll(/"requestId":"[^"]+"|in \d+ s|"seconds":\d+/g, '')
      return [status, words, Object.keys(headers).toSorted()]
    }
    expect(await plain(revoked.key)).toEqual(await plain(guess()))
  })
})
