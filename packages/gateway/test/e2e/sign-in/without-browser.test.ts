import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../../../../../scripts/lib/free-port.ts'
import { startGate } from '../../../../../scripts/lib/gate.ts'
import { createKeys, signJwt } from '../../authserver/issuer.ts'
import { knock, send } from '../../attacks/ground.ts'
import { personalServer } from '../place.ts'
import { startScripted } from '../scripted.ts'
import { freshDataDir } from '../stopped.ts'
import { textFrom } from '../wire.ts'

/** Who comes without a browser, at a gate that runs as its users run it. */
const TIMEOUT = 60_000

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

test('an agent calls with its own token for a server, and not once it is removed', { timeout: TIMEOUT }, async () => {
  await using upstream = await startScripted(({ method }) => ({ result: RESULTS[method] ?? DISCOVERED }))
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  await using gate = await startGate({ port, config: { mcpServers: { own: personalServer(upstream.url) } } })
  const { body } = await gate.admin('POST', '/admin/api/agents', { name: 'nightly' })
  const { agent, clientSecret } = body as { agent: { clientId: string }; clientSecret: string }
  await gate.setToken('nightly', 'own', 'a-token-of-nightly')
  const headers = basic(agent.clientId, clientSecret)
  const form = { grant_type: 'client_credentials', resource: `${publicUrl}/mcp/own` }
  const token = String((await send(`${publicUrl}/token`, { form, headers })).body['access_token'])
  expect(await textFrom({ url: `${publicUrl}/mcp/own`, key: token, era: 'modern' }, 'look')).toBe('seen')
  expect(upstream.asked.at(-1)?.headers['authorization']).toBe('Bearer a-token-of-nightly')
  expect(await knock(`${publicUrl}/mcp`, token), 'a token for one server is for no other').toBe(401)
  expect((await gate.admin('DELETE', '/admin/api/agents/nightly')).status).toBe(204)
  expect(await knock(`${publicUrl}/mcp/own`, token)).toBe(401)
  expect((await send(`${publicUrl}/token`, { form, headers })).status).toBe(401)
  expect(gate.log()).not.toContain(clientSecret)
})

const DISCOVERED = '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}'
const RESULTS: Readonly<Record<string, string>> = {
  'tools/list': '{"resultType":"complete","tools":[{"name":"look","inputSchema":{"type":"object"}}]}',
  'tools/call': '{"resultType":"complete","content":[{"type":"text","text":"seen"}]}',
}

test('an identity provider lets a client in for the people the configuration names', { timeout: TIMEOUT }, async () => {
  const keys = createKeys()
  await using provider = await listen((path, url) => {
    if (path === '/.well-known/openid-configuration') return { issuer: url, jwks_uri: `${url}/keys` }
    return path === '/keys' ? keys.jwks : undefined
  })
  using kept = freshDataDir()
  const port = await freePort()
  const place = { port, dataDir: kept.dataDir }
  const publicUrl = `http://localhost:${port}`
  const { clientId, headers } = await prepare(place, publicUrl)
  const trusted = { issuer: provider.url, clients: [clientId], subjects: { 'u-1': 'ada', 'u-2': 'nightly' } }
  await using gate = await startGate({ ...place, config: { oauth: { trustedIssuers: [trusted] } } })

  const present = async (sub: string) => {
    const now = Math.floor(Date.now() / 1000)
    const times = { jti: randomUUID(), iat: now, exp: now + 60 }
    const claims = { iss: provider.url, sub, aud: publicUrl, client_id: clientId, ...times }
    const assertion = signJwt({ typ: 'oauth-id-jag+jwt', alg: 'ES256', kid: keys.kid }, claims, keys.privateKey)
    return send(`${publicUrl}/token`, { form: { grant_type: JWT_BEARER, assertion }, headers })
  }
  const { status, body, text } = await present('u-1')
  expect(status, `${text} ${gate.log()}`).toBe(200)
  expect(await knock(`${publicUrl}/mcp`, String(body['access_token']))).toBe(200)
  for (const nobody of ['u-2', 'u-3', 'ada', '__proto__']) {
    expect((await present(nobody)).body['error'], `with ${nobody}`).toBe('invalid_grant')
  }
})

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** A gate that has a person, an agent and a registered client, and is stopped again. */
async function prepare(place: { port: number; dataDir: string }, publicUrl: string) {
  await using gate = await startGate(place)
  await gate.addUser('ada')
  await gate.admin('POST', '/admin/api/agents', { name: 'nightly' })
  const json = {
    redirect_uris: ['https://app.example/cb'],
    grant_types: ['authorization_code', JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_basic',
  }
  const { client_id: id, client_secret: secret } = (await send(`${publicUrl}/register`, { json })).body
  return { clientId: String(id), headers: basic(String(id), String(secret)) }
}

type Answer = (path: string, url: string) => object | undefined

async function listen(answer: Answer): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    const found = answer(request.url ?? '', url)
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
