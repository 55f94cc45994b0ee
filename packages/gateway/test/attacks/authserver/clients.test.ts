import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createGuardedFetch, type Lookup } from '../../../src/http/guarded-fetch.ts'
import { createBrowser } from '../../authserver/browser.ts'
import { authorizeUrl, letIn, openAlone, REDIRECT, registerClient, type Scene } from '../../authserver/scene.ts'

/**
 * Clients that lie about who they are, or come in numbers. What the bytes of a document do on the way (too many, too
 * slow, too private) is in `outbound.test.ts`.
 */

const HOST = 'client.test'
const DOCUMENT = `https://${HOST}/oauth.json`

/** The web with one document on it, behind the gate's own guard. */
function web(
  answer: (url: string) => Response | Promise<Response>,
  lookup: Lookup = () => Promise.resolve(['8.8.8.8']),
) {
  const asked: string[] = []
  const guarded = createGuardedFetch({ allowedHosts: [], lookup, timeoutMs: 500 })
  onTestFinished(() => guarded.close())
  return {
    asked,
    guarded: guarded.fetch,
    fetch(input: string | URL | Request): Promise<Response> {
      const url = input instanceof Request ? input.url : input.toString()
      asked.push(url)
      return Promise.resolve(answer(url))
    },
  }
}

function publish(document: object): Response {
  return Response.json({
    client_id: DOCUMENT,
    client_name: 'Honest',
    redirect_uris: [`https://${HOST}/cb`],
    ...document,
  })
}

/** A server on this machine that nobody should come to. */
async function listenInside() {
  let connections = 0
  const server = createServer((_request, response) => response.end('{}'))
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, reached: () => connections }
}

/** Whether an authorization for a client gets as far as asking its user. */
async function isAsked(scene: Scene, clientId: string, redirectUri = `https://${HOST}/cb`): Promise<boolean> {
  const { location } = await createBrowser().open(authorizeUrl(scene, { clientId, redirectUri }))
  return location?.pathname.startsWith('/interaction/') ?? false
}

test('client impersonation: a document speaks for its own address alone (CIMD §4.1, §6.1)', async () => {
  const cases: [string, object][] = [
    ['another host', { client_id: 'https://honest.test/oauth.json' }],
    ['another path', { client_id: `https://${HOST}/other.json` }],
    ['another spelling', { client_id: `https://${HOST.toUpperCase()}/oauth.json` }],
    ['with a query', { client_id: `${DOCUMENT}?v=2` }],
    ['no id', { client_id: undefined }],
    ['a secret for everybody', { client_secret: 'shared', token_endpoint_auth_method: 'client_secret_basic' }],
    ['no redirect', { redirect_uris: [] }],
    ['javascript', { redirect_uris: ['javascript:alert(1)'] }],
    ['plain http elsewhere', { redirect_uris: ['http://192.168.1.1/cb'] }],
    ['with a fragment', { redirect_uris: [`https://${HOST}/cb#x`] }],
    ['with credentials', { redirect_uris: [`https://user:word@${HOST}/cb`] }],
    ['no name', { client_name: undefined }],
  ]
  for (const [what, document] of cases) {
    const scene = await openAlone({ fetch: web(() => publish(document)).fetch })
    expect(await isAsked(scene, DOCUMENT), `with ${what}`).toBe(false)
  }
  const scene = await openAlone({ fetch: web(() => publish({})).fetch })
  expect(await isAsked(scene, DOCUMENT), 'as it should be').toBe(true)
})

test('server-side request forgery: an id that is no plain https address is not fetched (CIMD §3, §6.5)', async () => {
  const { fetch, asked } = web(() => publish({}))
  const scene = await openAlone({ fetch })
  const ids = [
    `http://${HOST}/oauth.json`,
    `https://${HOST}`,
    `https://${HOST}/`,
    `https://user@${HOST}/oauth.json`,
    `https://user:word@${HOST}/oauth.json`,
    `${DOCUMENT}#part`,
    `https://${HOST}/a/../oauth.json`,
    `https://${HOST}/./oauth.json`,
    'file:///etc/passwd',
    'gopher://client.test/x',
  ]
  for (const id of ids) expect(await isAsked(scene, id), `with ${id}`).toBe(false)
  expect(asked).toEqual([])
})

test('server-side request forgery: a name that leads inside is not asked, whichever way it is spelled (CWE-918)', async () => {
  const { port, reached } = await listenInside()
  const { guarded } = web(
    () => publish({}),
    (name) => Promise.resolve(name === HOST ? ['127.0.0.1'] : ['10.0.0.1']),
  )
  const scene = await openAlone({ fetch: guarded })
  const hosts = [HOST, '127.0.0.1', '127.1', '0x7f000001', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'localhost']
  for (const host of [...hosts, '169.254.169.254', '0.0.0.0', 'metadata.google.internal'])
    expect(await isAsked(scene, `https://${host}:${port}/oauth.json`), `with ${host}`).toBe(false)
  expect(reached()).toBe(0)
})

test('DNS rebinding: a name with an address inside among others, now or later, is never connected to (CIMD §6.5)', async () => {
  const inside = await listenInside()
  let lookups = 0
  const { guarded } = web(
    () => publish({}),
    () => Promise.resolve(lookups++ === 0 ? ['8.8.8.8', '127.0.0.1'] : ['127.0.0.1']),
  )
  const scene = await openAlone({ fetch: guarded })
  const document = `https://${HOST}:${inside.port}/oauth.json`
  for (let time = 0; time < 3; time++) expect(await isAsked(scene, document)).toBe(false)
  expect(lookups).toBeGreaterThan(1)
  expect(inside.reached()).toBe(0)
})

test('endless document: what is nested without end is no client, and stops nobody else (CIMD §6.6)', async () => {
  const begun = `{"client_id":"${DOCUMENT}","client_name":"x","jwks":`
  for (const text of ['['.repeat(10_000), '{"client_id":'.repeat(5_000), begun + '['.repeat(10_000)]) {
    const scene = await openAlone({ fetch: web(() => new Response(text)).fetch })
    expect(await isAsked(scene, DOCUMENT)).toBe(false)
    expect(await isAsked(scene, 'known', 'http://127.0.0.1/cb')).toBe(true)
  }
})

test('redirecting document: the address that was named is the only one that vouches (CIMD §4.4)', async () => {
  const moved = () => new Response(null, { status: 302, headers: { location: 'https://other.test/oauth.json' } })
  const { fetch, asked } = web((url) => (url === DOCUMENT ? moved() : publish({})))
  const scene = await openAlone({ fetch })
  expect(await isAsked(scene, DOCUMENT)).toBe(false)
  expect(asked.every((url) => url === DOCUMENT)).toBe(true)
})

test('registration: addresses that run something, or lead elsewhere, are refused (RFC 7591 §5, RFC 9700 §4.1)', async () => {
  const scene = await openAlone()
  const bad = [
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://evil.test/x',
    'about:blank',
    'view-source:https://evil.test',
    'intent://evil#Intent;end',
    'http://evil.test/cb',
    'https://user:word@evil.test/cb',
    'https://evil.test/cb#code',
    'https://',
    '/relative',
    '*',
    'https://*.evil.test/cb',
  ]
  for (const uri of bad) {
    for (const uris of [[uri], [REDIRECT, uri]]) {
      const { status, body } = await scene.register({ client_name: 'x', redirect_uris: uris })
      expect({ status, error: body['error'] }, `with ${uri}`).toEqual({ status: 400, error: 'invalid_redirect_uri' })
    }
  }
  expect(scene.faults).toEqual([])
})

test('registration: nothing more is kept of a client than it needs, and no grant is had by asking (RFC 7591 §5)', async () => {
  const scene = await openAlone()
  const { body } = await scene.register({
    client_name: 'x',
    redirect_uris: [REDIRECT],
    client_id: 'known',
    client_secret: 'mine',
    logo_uri: 'https://evil.test/pixel.png',
    client_uri: 'javascript:alert(1)',
    policy_uri: 'data:text/html,x',
    grant_types: ['client_credentials', 'password', 'implicit', 'authorization_code'],
    response_types: ['token'],
    scope: 'admin mcp',
    id_token_signed_response_alg: 'none',
    userinfo_signed_response_alg: 'none',
    token_endpoint_auth_method: 'none',
    subject_type: 'pairwise',
    sector_identifier_uri: 'https://evil.test/sector',
    initiate_login_uri: 'https://evil.test/login',
    backchannel_logout_uri: 'https://evil.test/out',
    tls_client_auth_subject_dn: 'CN=evil',
  })
  expect(body['client_id'], `with ${JSON.stringify(body)}`).toMatch(/^[\w-]{20,}$/)
  expect(body['grant_types']).toEqual(['authorization_code', 'refresh_token'])
  expect(body['scope']).toBe('mcp')
  const text = JSON.stringify(body)
  for (const word of ['evil.test', 'mine', 'javascript', 'data:', '"none"],', 'pairwise', 'client_credentials'])
    expect(text, `with ${word}`).not.toContain(word)
})

test('registration floods: they are held down for an address, and what they leave does not stay (RFC 7591 §5)', async () => {
  const scene = await openAlone({ perMinute: 5 })
  const outcomes = []
  for (let count = 0; count < 8; count++)
    outcomes.push((await scene.register({ client_name: 'x', redirect_uris: [REDIRECT] })).status)
  expect(outcomes).toEqual([201, 201, 201, 201, 201, 429, 429, 429])
  const huge = { client_name: 'x', redirect_uris: Array.from({ length: 33 }, (_each, at) => `${REDIRECT}/${at}`) }
  scene.clock.turn(60_000)
  expect((await scene.register(huge)).status).toBe(400)
  const much = { client_name: 'x'.repeat(20_000), redirect_uris: [REDIRECT] }
  expect((await scene.register(much)).status).toBe(413)
})

test('confusable names: what a client calls itself cannot hide, turn or overflow what stands beside it (RFC 7591 §5)', async () => {
  const scene = await openAlone()
  const user = await scene.addUser()
  const name = `Honest\u202e\u2066 \u200b\u0000\r\nClient <b>${'x'.repeat(500)}`
  const clientId = await registerClient(scene, { client_name: name })
  await letIn(scene, user, { clientId })
  const { body } = await scene.register({ client_name: name, redirect_uris: [REDIRECT] })
  expect(String(body['client_name']).length).toBeLessThanOrEqual(200)
  const log = JSON.stringify(scene.events)
  expect(log).not.toContain('\n')
})

test('a client of one id is no client of another: ids are compared to the letter (RFC 6749 §10.2)', async () => {
  const scene = await openAlone()
  for (const clientId of [
    'Known',
    'known ',
    ' known',
    'known\u0000',
    'knоwn',
    'known/',
    'known%20',
    '__proto__',
    'constructor',
  ])
    expect(await isAsked(scene, clientId, 'http://127.0.0.1/cb'), `with ${clientId}`).toBe(false)
  expect(await isAsked(scene, 'known', 'http://127.0.0.1/cb')).toBe(true)
  expect(scene.faults).toEqual([])
})
