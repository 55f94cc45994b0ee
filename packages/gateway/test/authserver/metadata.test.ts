import { request } from 'node:http'
import { expect, test } from 'vitest'
import { openAlone, type Scene } from './scene.ts'

const SERVER = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

test('RFC 8414 §2: the metadata says what a client of MCP must see before it goes on', async () => {
  const scene = await openAlone()
  const { publicUrl } = scene
  const { status, body, headers } = await scene.get('/.well-known/oauth-authorization-server')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json')
  expect(body).toMatchObject({
    issuer: publicUrl,
    authorization_endpoint: `${publicUrl}/authorize`,
    token_endpoint: `${publicUrl}/token`,
    registration_endpoint: `${publicUrl}/register`,
    revocation_endpoint: `${publicUrl}/revoke`,
    jwks_uri: `${publicUrl}/jwks`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
  })
  expect(body['token_endpoint_auth_methods_supported']).toContain('none')
})

test('the same document is wherever clients look for it, and for no server that there is not', async () => {
  const scene = await openAlone()
  const { body } = await scene.get('/.well-known/oauth-authorization-server')
  const places = SERVER.flatMap((path) => [path, `${path}/mcp`, `${path}/mcp/github`, `/mcp${path}`])
  for (const place of places) expect((await scene.get(place)).body, `with ${place}`).toEqual(body)
  for (const path of SERVER) expect((await scene.get(`${path}/mcp/nothing`)).status).toBe(404)
})

test('RFC 9728 §3: each resource says where it is and whom it trusts, as the one who asks spells it', async () => {
  const scene = await openAlone()
  const { publicUrl, port } = scene
  const document = (path: string, host?: string) => getFrom(scene, `/.well-known/oauth-protected-resource${path}`, host)
  expect(await document('')).toMatchObject({ resource: `${publicUrl}/mcp`, authorization_servers: [publicUrl] })
  expect(await document('/mcp')).toMatchObject({ resource: `${publicUrl}/mcp`, scopes_supported: ['mcp'] })
  expect(await document('/mcp/github')).toMatchObject({ resource: `${publicUrl}/mcp/github` })
  for (const alias of [`127.0.0.1:${port}`, `[::1]:${port}`]) {
    const expected = { resource: `http://${alias}/mcp/github`, authorization_servers: [publicUrl] }
    expect(await document('/mcp/github', alias)).toMatchObject(expected)
  }
  expect(await document('/mcp', 'evil.test')).toMatchObject({ resource: `${publicUrl}/mcp` })
  expect((await scene.get('/.well-known/oauth-protected-resource/mcp/nothing')).status).toBe(404)
  expect(scene.server.metadataUrl('/mcp', `127.0.0.1:${port}`)).toBe(
    `http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp`,
  )
})

test('what the operator turned off is not offered, and not there', async () => {
  const scene = await openAlone({ oauth: { dynamicRegistration: false, clientIdMetadata: false } })
  const { body } = await scene.get('/.well-known/oauth-authorization-server')
  expect(body['registration_endpoint']).toBeUndefined()
  expect(body['client_id_metadata_document_supported']).toBe(false)
  expect((await scene.register({ redirect_uris: ['https://a.test/cb'] })).status).toBe(404)
})

test('any page may read what is open to all, and none the page where a user is asked', async () => {
  const scene = await openAlone()
  const origin = { origin: 'https://app.test' }
  const paths = ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/jwks']
  for (const path of paths) {
    expect((await scene.get(path, origin)).headers.get('access-control-allow-origin'), `with ${path}`).toBe('*')
  }
  for (const path of ['/token', '/register', '/revoke']) {
    const preflight = await fetch(`${scene.publicUrl}${path}`, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status, `with ${path}`).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    const { headers, status } = await scene.post(path, { client_id: 'known' }, origin)
    expect(status, `with ${path}`).toBeGreaterThanOrEqual(400)
    expect(headers.get('access-control-allow-origin')).toBe('*')
  }
  const asked = await fetch(`${scene.publicUrl}/authorize`, { headers: origin })
  expect(asked.headers.get('access-control-allow-origin')).toBeNull()
})

test('a method that is not used is refused with the ones that are', async () => {
  const scene = await openAlone()
  for (const path of ['/token', '/register', '/revoke']) {
    const { status, headers, body } = await scene.get(path)
    expect([status, headers.get('allow')], `with ${path}`).toEqual([405, 'POST'])
    expect(body['error']).toBe('invalid_request')
  }
  expect((await scene.post('/authorize', {})).status).toBe(405)
})

/** As a client that reached us by that name, which `fetch` does not let one say. */
async function getFrom({ port, publicUrl }: Scene, path: string, host = new URL(publicUrl).host): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (part: string) => (text += part))
    answer.on('end', () => resolve(text))
  })
    .on('error', reject)
    .end()
  return JSON.parse(await promise)
}
