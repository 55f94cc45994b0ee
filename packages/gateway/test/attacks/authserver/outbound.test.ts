import { readFileSync } from 'node:fs'
import { createServer, isIPv4, type AddressInfo, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { answerTo } from '../../providers/scene.ts'
import { startScripted, type Scripted } from '../../providers/scripted-server.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { publishAuthorization, type Says } from '../authorization.ts'
import { authorization, enter, EVIL, send, type Got } from '../ground.ts'
import { openSecureSite, type SecureSite } from '../secure-site.ts'

/**
 * R1-14: MCP security best practices, "Server-Side Request Forgery"; draft-ietf-oauth-client-id-metadata-document §6;
 * OWASP Server-Side Request Forgery Prevention Cheat Sheet. A name that answers publicly first and privately then
 * (DNS rebinding), slow lookups and handshakes are in `test/http/guarded-fetch.test.ts`.
 */
let outside: Outside
let browser: Browser
let site: SecureSite
let upstream: Scripted
let late: Promise<Got>
/** Something inside, which nobody outside may reach by way of the gate. */
const inside: Server[] = []
let touched = 0
let port = 0
/** Where a server of the configuration is: the operator sends the gate there, and no stranger. */
let named = 0

beforeAll(async () => {
  port = await listen('127.0.0.1', 0)
  await listen('::1', port)
  named = await listen('127.0.0.1', 0)
  site = await openSecureSite((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    documents[path]?.({ origin: site.origin, path, answer: response })
  })
  upstream = await startScripted()
  const mcpServers = {
    found: { url: `${upstream.origin}/mcp`, oauth: true },
    named: { url: `http://127.0.0.1:${named}/mcp`, oauth: true },
  }
  const config = { mcpServers, outbound: { allowedHosts: [site.host] } }
  outside = await openOutside({ config, env: { NODE_EXTRA_CA_CERTS: site.certificate } })
  browser = await enter(outside, 'ada')
  // It takes as long as the gate has patience; the others need not wait for it.
  late = askFor(`${site.origin}/slow`)
})
afterAll(async () => {
  await outside[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  for (const server of inside) server.close()
})

async function listen(host: string, at: number): Promise<number> {
  const server = createServer((socket) => {
    touched++
    socket.on('error', () => undefined)
    socket.destroy()
  })
  inside.push(server)
  await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(at, host, resolve))
  return (server.address() as AddressInfo).port
}

async function askFor(clientId: string, redirectUri = EVIL): Promise<Got> {
  const cookie = await browser.cookies(outside.publicUrl)
  return send(authorization(outside, clientId, { redirect_uri: redirectUri }), { headers: { cookie } })
}

/** No address, and no word of what is there. */
function expectRefused({ status, location, text }: Got): void {
  expect([status, location]).toEqual([400, undefined])
  expect(text).toMatch(/program that sent it is not known here|says of itself is not valid|has not registered/)
  expect(text).not.toMatch(/ECONN|ENOTFOUND|127\.0\.0\.1|169\.254|certificate|timeout/i)
}

/** draft-ietf-oauth-client-id-metadata-document §3 and §6.5: https, a path, and the public internet. */
test.for([
  'https://localhost:{port}/client.json',
  'https://localhost.:{port}/client.json',
  'https://127.0.0.1:{port}/client.json',
  'https://127.1:{port}/client.json',
  'https://2130706433:{port}/client.json',
  'https://0x7f000001:{port}/client.json',
  'https://0177.0.0.1:{port}/client.json',
  'https://0:{port}/client.json',
  'https://0.0.0.0:{port}/client.json',
  'https://[::1]:{port}/client.json',
  'https://[::]:{port}/client.json',
  'https://[::ffff:127.0.0.1]:{port}/client.json',
  'https://[64:ff9b::7f00:1]:{port}/client.json',
  'https://１２７.0.0.1:{port}/client.json',
  'https://10.0.0.1/client.json',
  'https://192.168.0.1/client.json',
  'https://172.16.0.1/client.json',
  'https://100.64.0.1/client.json',
  'https://169.254.169.254/latest/meta-data',
  'https://[fd00::1]/client.json',
  'https://[fe80::1]/client.json',
  'http://127.0.0.1:{port}/client.json',
  'http://localhost:{port}/client.json',
  'http://169.254.169.254/latest/meta-data',
  'https://ada:pw@127.0.0.1:{port}/client.json',
  'https://127.0.0.1:{port}/a/../client.json',
  'https://127.0.0.1:{port}/client.json#fragment',
  'https://127.0.0.1:{named}/client.json',
  'file:///etc/passwd',
  'gopher://127.0.0.1:{port}/x',
])('no metadata document is looked for at %s', async (template) => {
  const before = touched
  const began = performance.now()
  const url = template.replace('{port}', String(port)).replace('{named}', String(named))
  const asked = askFor(url)
  expect(await reachedFor(new URL(url).hostname, asked)).toEqual([])
  expectRefused(await asked)
  expect(touched).toBe(before)
  console.log(`${template} was refused after ${(performance.now() - began).toFixed(0)} ms`)
})

/**
 * The connections to an address that somebody waits for on this machine, looked for until the answer is there: where
 * nothing answers, as inside of nobody's network, one is waited for as long as the gate has patience.
 *
 * @see proc_pid_net_tcp(5)
 */
async function reachedFor(address: string, answered: Promise<unknown>): Promise<string[]> {
  const found = new Set<string>()
  const over = new AbortController()
  const end = () => over.abort()
  answered.then(end, end)
  for (; !over.signal.aborted; await pause(LOOK_MS)) {
    for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
      const [, , remote = '', state] = line.trim().split(/\s+/)
      if (state === SYN_SENT && remote.startsWith(`${hexOf(address)}:`)) found.add(remote)
    }
  }
  return [...found]
}
const LOOK_MS = 5
const SYN_SENT = '02'

/** As the kernel writes it, the last byte first. */
function hexOf(address: string): string {
  if (!isIPv4(address)) return '-'
  const bytes = address.split('.').map(Number).toReversed()
  return Buffer.from(bytes).toString('hex').toUpperCase()
}

interface Asked {
  readonly origin: string
  readonly path: string
  readonly answer: { writeHead(status: number, headers: Record<string, string>): unknown; end(text?: string): unknown }
}

type Document = (asked: Asked) => void

const say = ({ answer }: Asked, document: object | string, status = 200, headers: Record<string, string> = {}) => {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers })
  answer.end(typeof document === 'string' ? document : JSON.stringify(document))
}
const whole = ({ origin, path }: Asked) => ({
  client_id: `${origin}${path}`,
  client_name: 'Published',
  redirect_uris: [EVIL],
  token_endpoint_auth_method: 'none',
})

const documents: Readonly<Record<string, Document>> = {
  '/good': (asked) => say(asked, whole(asked)),
  '/slow': () => undefined,
  '/other-id': (asked) => say(asked, { ...whole(asked), client_id: `${asked.origin}/good` }),
  '/longer-id': (asked) => say(asked, { ...whole(asked), client_id: `${asked.origin}/longer-id/` }),
  '/no-id': (asked) => say(asked, { ...whole(asked), client_id: undefined }),
  '/large': (asked) => say(asked, { ...whole(asked), client_uri: `https://client.example/${'x'.repeat(70_000)}` }),
  '/secret': (asked) =>
    say(asked, { ...whole(asked), client_secret: 'shared', token_endpoint_auth_method: 'client_secret_post' }),
  '/page': (asked) => say(asked, '<html>hello</html>', 200, { 'content-type': 'text/html' }),
  '/list': (asked) => say(asked, [whole(asked)]),
  '/deep': (asked) =>
    say(asked, JSON.stringify({ ...whole(asked), jwks: '@' }).replace('"@"', '['.repeat(15_000) + ']'.repeat(15_000))),
  '/gone': (asked) => say(asked, {}, 404),
  '/to-inside': (asked) => say(asked, '', 302, { location: `http://127.0.0.1:${port}/client.json` }),
  '/to-other': (asked) => say(asked, '', 302, { location: `${asked.origin}/good` }),
  '/keys-inside': (asked) =>
    say(asked, {
      ...whole(asked),
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `https://127.0.0.1:${port}/jwks`,
    }),
  '/bad-redirect': (asked) => say(asked, { ...whole(asked), redirect_uris: ['javascript:alert(1)', EVIL] }),
}

describe('a metadata document', () => {
  test('that is as it should be lets its client ask, under the name of its host', async () => {
    const page = await browser.open(authorization(outside, `${site.origin}/good`, { redirect_uri: EVIL }).href)
    expect(page.has(/^Allow/)).toBe(true)
    expect(page.text).toContain(site.host)
  })

  test.for(Object.keys(documents).filter((path) => !['/good', '/slow', '/deep', '/keys-inside'].includes(path)))(
    'that is not, lets nobody ask: %s (MCP security best practices: server-side request forgery)',
    async (path) => {
      const before = touched
      expectRefused(await askFor(`${site.origin}${path}`))
      expect(touched).toBe(before)
    },
  )

  /** CWE-674: what is not needed of it is not walked through. */
  test('that is nested without end is read as far as it says something', async () => {
    const page = await browser.open(authorization(outside, `${site.origin}/deep`, { redirect_uri: EVIL }).href)
    expect(page.has(/^Allow/)).toBe(true)
  })

  /** RFC 9700 §4.11: the document says where answers go, and nobody else does. */
  test('does not let its client be answered elsewhere', async () => {
    const { status, location } = await askFor(`${site.origin}/good`, 'https://other.example/cb')
    expect([status, location]).toEqual([400, undefined])
  })

  /** MCP security best practices, SSRF: every address that a document names is a stranger's. */
  test('does not lead the gate inside with its keys (MCP security best practices: server-side request forgery)', async () => {
    const clientId = `${site.origin}/keys-inside`
    const before = touched
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'k' })).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: clientId, sub: clientId, aud: outside.publicUrl, jti: 'j', exp: now + 60, iat: now }
    const assertion = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${'A'.repeat(86)}`
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: clientId,
      client_assertion_type: type,
      client_assertion: assertion,
    }
    const { status, text } = await send(`${outside.publicUrl}/token`, { form })
    expect([status, touched]).toEqual([401, before])
    expect(text).not.toMatch(/ECONN|127\.0\.0\.1/)
  })
})

/** MCP security best practices, SSRF: `resource_metadata`, `authorization_servers` and all they name. */
describe('what an upstream says of its authorization server', () => {
  const connect = async () => (await browser.open(`${outside.publicUrl}/connect/found`)).press(/^Continue/)

  test.for<[string, (inner: string) => Says]>([
    ['metadata inside', (inner) => ({ metadataUrl: `http://${inner}/prm` })],
    ['metadata inside by https', (inner) => ({ metadataUrl: `https://${inner}/prm` })],
    ['metadata in the cloud’s own place', () => ({ metadataUrl: 'http://169.254.169.254/latest/meta-data' })],
    ['metadata in a file', () => ({ metadataUrl: 'file:///etc/passwd' })],
    ['an authorization server inside', (inner) => ({ resource: { authorization_servers: [`http://${inner}`] } })],
    [
      'an authorization server inside by https',
      (inner) => ({ resource: { authorization_servers: [`https://${inner}`] } }),
    ],
    ['a registration inside', (inner) => ({ server: { registration_endpoint: `http://${inner}/register` } })],
    ['an authorization page that is a script', () => ({ server: { authorization_endpoint: 'javascript:alert(1)' } })],
    ['another issuer', () => ({ server: { issuer: 'https://honest.example' } })],
    ['no S256', () => ({ server: { code_challenge_methods_supported: ['plain'] } })],
    ['another resource', () => ({ resource: { resource: 'https://honest.example/mcp' } })],
  ])('leads the gate nowhere, and its user neither: %s', async ([, make]) => {
    publishAuthorization(upstream, make(`127.0.0.1:${port}`))
    const before = touched
    const page = await connect()
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.url.startsWith(outside.publicUrl)).toBe(true)
    expect(touched).toBe(before)
    expect(page.html).not.toMatch(/ECONN|javascript:|passwd/)
  })

  test('does lead on where it is as it should be', async () => {
    publishAuthorization(upstream)
    expect((await connect()).url.startsWith(`${upstream.origin}/authorize?`)).toBe(true)
  })

  /** The token endpoint is asked last, with a code and a verifier. */
  test('does not have a code sent inside', async () => {
    publishAuthorization(upstream, { server: { token_endpoint: `http://127.0.0.1:${port}/token` } })
    const before = touched
    const eve = await enter(outside, 'eve')
    const page = await (await eve.open(`${outside.publicUrl}/connect/found`)).press(/^Continue/)
    const sent = new URL(page.url)
    expect(sent.origin).toBe(upstream.origin)
    expect((await eve.open(answerTo(sent, { code: 'c' }).href)).status).toBeGreaterThanOrEqual(400)
    expect(touched).toBe(before)
  })
})

/** OWASP API4:2023 "Unrestricted Resource Consumption": whoever answers slowly holds one request, for so long. */
test('a metadata document that never comes is given up', async () => {
  const answer = await late
  expect(answer.location).toBeUndefined()
  expectRefused(answer)
})
