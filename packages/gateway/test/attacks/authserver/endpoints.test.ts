import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { authorization, register, send } from '../ground.ts'

/** What an OpenID provider is often made of, and this gate is not. */
const PATHS = ['/userinfo', '/me', '/introspect', '/token/introspection', '/par', '/request', '/session/end', '/logout']
const MORE = ['/end_session', '/backchannel', '/bc-authorize', '/challenge', '/device/auth', '/registration', '/.oidc']
const GRANTS = [
  'password',
  'implicit',
  'urn:openid:params:grant-type:ciba',
  'urn:ietf:params:oauth:grant-type:token-exchange',
]
const ANSWERS = ['token', 'id_token', 'code token', 'code id_token', 'id_token token', 'none', 'code code']

let gate: Gate
let publicUrl: string
beforeAll(async () => {
  const perMinute = { authorize: 1_000, register: 1_000, token: 1_000 }
  gate = await startGate({ config: { mcpServers: {}, limits: { perMinute } } })
  publicUrl = gate.url
})
afterAll(() => gate[Symbol.asyncDispose]())

test.for([...PATHS, ...MORE])(
  'what the engine underneath could do at %s is not there (RFC 9700 §2.1.2, §2.4, §4.6)',
  async (path) => {
    for (const method of ['GET', 'POST']) {
      const { status, location } = await send(`${publicUrl}${path}`, { method, ...(method === 'POST' && { form: {} }) })
      expect([method, status, location]).toEqual([method, 404, undefined])
    }
  },
)

test.for(GRANTS)('the grant %s is not there (RFC 9700 §2.1.2, §2.4, §4.6)', async (grant) => {
  const clientId = await register({ publicUrl })
  const form = { grant_type: grant, client_id: clientId, username: 'admin', password: 'admin', scope: 'mcp' }
  const { status, body } = await send(`${publicUrl}/token`, { form })
  expect([status, body['error']]).toEqual([400, 'unsupported_grant_type'])
  const { status: registered, body: said } = await send(`${publicUrl}/register`, {
    json: { client_name: 'x', redirect_uris: ['http://127.0.0.1:6789/callback'], grant_types: [grant] },
  })
  expect(registered === 400 || !JSON.stringify(said['grant_types']).includes(grant)).toBe(true)
})

test.for(ANSWERS)('the answer %s is not there (RFC 9700 §2.1.2, §2.4, §4.6)', async (responseType) => {
  const clientId = await register({ publicUrl })
  const url = authorization({ publicUrl }, clientId, { response_type: responseType, nonce: 'n' })
  const { location, status } = await send(url)
  expect([302, 303, 400]).toContain(status)
  const said = `${location?.search ?? ''}${location?.hash ?? ''}`
  expect(said).not.toMatch(/access_token|id_token=/)
  expect(location?.pathname ?? '').not.toContain('/interaction')
})

test('what a stranger has answered is not taken for a page, and kept nowhere (CWE-79)', async () => {
  const client = { client_name: '<script>alert(1)</script>', redirect_uris: ['http://127.0.0.1:6789/callback'] }
  const form = { client_id: '<script>', token: '<script>', grant_type: '<script>' }
  const answers = [
    await send(`${publicUrl}/register`, { json: client }),
    ...(await Promise.all(
      ['/token', '/revoke', '/device_authorization'].map((path) => send(publicUrl + path, { form })),
    )),
    await send(`${publicUrl}/register`, { json: {} }),
    await send(`${publicUrl}/jwks`),
    await send(`${publicUrl}/.well-known/oauth-authorization-server`),
  ]
  expect(answers.map(({ status }) => status)).toEqual([201, 401, 401, 401, 400, 200, 200])
  for (const { headers } of answers) {
    expect(headers.get('content-type')).toMatch(/^application\/(?:json|jwk-set\+json)/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toContain('no-store')
  }
})
