import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createAdminClient } from '../../../../../scripts/lib/admin.ts'
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
  await using scene = await openTrusting()
  const ours = await scene.register()
  await using gate = await scene.trust([{ clients: [ours.clientId], subjects: { 'u-1': 'ada', 'u-2': 'nightly' } }])
  const { status, body, text } = await scene.present(ours, 'u-1')
  expect(status, `${text} ${gate.log()}`).toBe(200)
  expect(await knock(`${scene.publicUrl}/mcp`, String(body['access_token']))).toBe(200)
  for (const nobody of ['u-2', 'u-3', 'ada', '__proto__']) {
    expect((await scene.present(ours, nobody)).body['error'], `with ${nobody}`).toBe('invalid_grant')
  }
})

test('it lets a client in for nobody whom it may name to another client alone', { timeout: TIMEOUT }, async () => {
  await using scene = await openTrusting()
  const [guests, staff] = [await scene.register(), await scene.register()]
  await using gate = await scene.trust([
    { clients: [guests.clientId], subjects: { 'u-1': 'ada' } },
    { clients: [staff.clientId], subjects: { 'u-1': 'staff/ada', 'u-2': 'staff/ada' } },
  ])
  await createAdminClient(gate.dataDir, 'staff').addUser('ada')
  const asserted = async (client: Confidential, sub: string) => {
    const { body } = await scene.present(client, sub)
    const token = body['access_token']
    return typeof token === 'string' ? knock(`${scene.publicUrl}/mcp`, token) : body['error']
  }
  expect([await asserted(guests, 'u-1'), await asserted(staff, 'u-1'), await asserted(staff, 'u-2')]).toEqual([
    200, 200, 200,
  ])
  expect(await asserted(guests, 'u-2')).toBe('invalid_grant')
  await gate.admin('DELETE', '/admin/api/users/ada')
  expect(await asserted(guests, 'u-1'), 'who is named to both is each client’s own').toBe('invalid_grant')
})

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Confidential {
  readonly clientId: string
  readonly headers: Readonly<Record<string, string>>
}

/** An identity provider, and a gate with a person and an agent that is started anew to trust it. */
async function openTrusting() {
  const keys = createKeys()
  await using open = new AsyncDisposableStack()
  const { url: issuer } = open.use(
    await listen((path, url) => {
      if (path === '/.well-known/openid-configuration') return { issuer: url, jwks_uri: `${url}/keys` }
      return path === '/keys' ? keys.jwks : undefined
    }),
  )
  const place = { port: await freePort(), dataDir: open.use(freshDataDir()).dataDir }
  const publicUrl = `http://localhost:${place.port}`
  const before = open.use(await startGate(place))
  await before.addUser('ada')
  await before.admin('POST', '/admin/api/agents', { name: 'nightly' })
  const opened = open.move()
  return {
    publicUrl,
    /** Makes a client with a secret, that may present assertions. */
    async register(): Promise<Confidential> {
      const json = {
        redirect_uris: ['https://app.example/cb'],
        grant_types: ['authorization_code', JWT_BEARER],
        token_endpoint_auth_method: 'client_secret_basic',
      }
      const { client_id: id, client_secret: secret } = (await send(`${publicUrl}/register`, { json })).body
      return { clientId: String(id), headers: basic(String(id), String(secret)) }
    },
    async trust(entries: readonly object[]) {
      await before.stop()
      const oauth = { trustedIssuers: entries.map((entry) => ({ issuer, ...entry })) }
      return startGate({ ...place, config: { oauth, tenants: { staff: {} } } })
    },
    present({ clientId, headers }: Confidential, sub: string) {
      const now = Math.floor(Date.now() / 1000)
      const times = { jti: randomUUID(), iat: now, exp: now + 60 }
      const claims = { iss: issuer, sub, aud: publicUrl, client_id: clientId, ...times }
      const assertion = signJwt({ typ: 'oauth-id-jag+jwt', alg: 'ES256', kid: keys.kid }, claims, keys.privateKey)
      return send(`${publicUrl}/token`, { form: { grant_type: JWT_BEARER, assertion }, headers })
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
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
