import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { textAt } from '../../../../../scripts/lib/admin.ts'
import { PASSWORD } from '../../../../../scripts/lib/people.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { openChromium, withoutChromium } from '../browser/chromium.ts'
import { envelopeOf, headersOf, type Era } from '../eras.ts'
import { GENEROUS } from '../journey/outside.ts'
import { ask, REDIRECT } from './client.ts'

/** What web pages of other origins may read, and what not: R4-19, MCP "Security warning". */
const APP = 'https://app.example.com'
const STRANGER = 'https://stranger.example.com'
const LESS = { 'X-MCP-Readonly': 'true', 'X-MCP-Toolsets': 'all' }
const FORM = 'application/x-www-form-urlencoded'

let gate: Gate
/** As clients are told it. */
let home: string
beforeAll(async () => {
  gate = await startGate({ config: { mcpServers: {}, allowedOrigins: [APP], limits: { perMinute: GENEROUS } } })
  home = gate.url.replace('127.0.0.1', 'localhost')
})
afterAll(() => gate.stop())

test.skipIf(withoutChromium)('a client in a web page signs its user in, calls, and reads nothing else', async () => {
  await using site = await openSite()
  await using chromium = await openChromium()
  const { context, page: user } = await chromium.newPerson()
  const client = await context.newPage()
  await client.goto(`http://127.0.0.1:${site.port}/`)

  // 1. The refusal says where the metadata is, which leads to the endpoints.
  const refused = await required(client, `${home}/mcp`, mcp('modern', 'tools/list'))
  expect(refused.status).toBe(401)
  const metadataUrl = /resource_metadata="([^"]+)"/.exec(refused.headers['www-authenticate'] ?? '')?.[1] ?? ''
  const resource = JSON.parse((await required(client, metadataUrl)).text) as { authorization_servers: string[] }
  expect(resource.authorization_servers).toEqual([home])
  const server = await required(client, `${home}/.well-known/oauth-authorization-server`)
  const endpoints: unknown = JSON.parse(server.text)

  // 2. It registers; its user allows it in a window of the gate's own; it exchanges the code.
  const registered = await required(client, textAt(endpoints, 'registration_endpoint'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Page', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }),
  })
  const asking = ask(home, textAt(JSON.parse(registered.text), 'client_id'))
  const callback = await allow(user, asking.url)
  const granted = await required(client, textAt(endpoints, 'token_endpoint'), {
    method: 'POST',
    headers: { 'Content-Type': FORM },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: asking.clientId,
      redirect_uri: REDIRECT,
      code: callback.searchParams.get('code') ?? '',
      code_verifier: asking.codeVerifier,
    }).toString(),
  })
  const token = textAt(JSON.parse(granted.text), 'access_token')

  // 3. It calls in both eras, with the headers of tool parameters and those that leave something out, and reads the session's id.
  const call = mcp('modern', 'tools/call', { name: 'sekisho_status', arguments: {} }, token)
  const called = await required(client, `${home}/mcp`, {
    ...call,
    headers: { ...call.headers, 'Mcp-Param-Region': 'eu', 'Mcp-Param-Max-Size': '3', ...LESS },
  })
  expect([called.status, called.text]).toEqual([200, expect.stringContaining('servers are ready')])
  const initialize = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'page', version: '1' },
  }
  const opened = await required(client, `${home}/mcp`, mcp('legacy', 'initialize', initialize, token))
  expect(opened.status).toBe(200)
  expect(opened.headers['mcp-session-id']).toMatch(/\S/)
  const revoked = await required(client, textAt(endpoints, 'revocation_endpoint'), {
    method: 'POST',
    headers: { 'Content-Type': FORM },
    body: new URLSearchParams({ client_id: asking.clientId, token }).toString(),
  })
  expect(revoked.status).toBe(200)

  // 4. Its user is signed in to the gate in this very browser; of that it sees nothing, from no origin.
  for (const origin of [`http://127.0.0.1:${site.port}/`, `http://localhost:${site.port}/`]) {
    await client.goto(origin)
    for (const path of ['/account', '/account/keys', '/sign-in', '/admin/api/status', '/metrics']) {
      expect([path, await read(client, home + path, { credentials: 'include' })]).toEqual([path, undefined])
      expect([path, await read(client, home + path)]).toEqual([path, undefined])
    }
    expect(await read(client, asking.url.href, { credentials: 'include' })).toBeUndefined()
    expect(await read(client, metadataUrl, { credentials: 'include' })).toBeUndefined()
    expect((await required(client, metadataUrl)).status).toBe(200)
  }
})

test('an allowed origin may call MCP, a stranger not; what is public is open to both', async () => {
  const asked = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' }
  const preflight = (path: string, origin: string) => raw(path, 'OPTIONS', { Origin: origin, ...asked })
  for (const path of ['/mcp', '/mcp/any']) {
    const allowed = await preflight(path, APP)
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, APP])
    expect(allowed.headers.get('vary')).toBe('Origin')
    for (const method of ['OPTIONS', 'POST', 'GET']) {
      const refused = await raw(path, method, { Origin: STRANGER, ...(method === 'OPTIONS' ? asked : {}) })
      expect([method, refused.status]).toEqual([method, 403])
      expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    }
  }
  for (const path of ['/token', '/register', '/revoke']) {
    const answer = await preflight(path, STRANGER)
    expect([path, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([path, 204, '*'])
  }
  for (const path of ['/account', '/sign-in', '/admin/api/status', '/metrics', '/authorize', '/callback']) {
    for (const origin of [APP, STRANGER]) {
      const answer = await preflight(path, origin)
      expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, null])
      expect([path, answer.status < 300]).toEqual([path, false])
    }
  }
})

test('nothing the gate answers lets a page use its user’s cookies', async () => {
  const paths = ['/mcp', '/mcp/any', '/token', '/register', '/revoke', '/jwks', '/authorize', '/account', '/sign-in']
  const documents = ['oauth-authorization-server', 'oauth-protected-resource', 'openid-configuration']
  for (const path of [...paths, ...documents.map((each) => `/.well-known/${each}`), '/admin/api/status', '/nowhere']) {
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      for (const origin of [APP, STRANGER, home, 'null']) {
        const answer = await raw(path, method, { Origin: origin, 'Access-Control-Request-Method': 'POST' })
        expect([path, method, answer.headers.get('access-control-allow-credentials')]).toEqual([path, method, null])
      }
    }
  }
})

/** An empty page on a port of its own, at every name of this machine. */
async function openSite(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>A client</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Sending {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly credentials?: 'include'
}

/** What a script of a page could read of an answer. */
interface Readable {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Fetches within a page; `undefined` where the browser keeps the answer from it. */
function read(page: Page, url: string, init: Sending = {}): Promise<Readable | undefined> {
  return page.evaluate(
    async ([address, options]) => {
      try {
        const answer = await fetch(address, options)
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() }
      } catch {
        return undefined
      }
    },
    [url, init] as const,
  )
}

async function required(page: Page, url: string, init?: Sending): Promise<Readable> {
  const answer = await read(page, url, init)
  if (answer === undefined) throw new Error(`the browser does not let the page read ${url}`)
  return answer
}

function mcp(era: Era, method: string, params: object = {}, token?: string): Sending {
  return {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...headersOf(era, method, params),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: envelopeOf(era, params) }),
  }
}

/** Somebody new comes in with a link, and allows a client; nobody listens where the browser is sent then. */
async function allow(page: Page, authorizationUrl: URL): Promise<URL> {
  await page.goto((await gate.inviteUser('ada')).replace(gate.url, home))
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD)
  await page.getByLabel('New password, once more').fill(PASSWORD)
  await page.getByRole('button', { name: /set the password/i }).click()
  await page.goto(authorizationUrl.href)
  const sent = page.waitForRequest((request) => request.url().startsWith(REDIRECT))
  await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true })
  return new URL((await sent).url())
}

function raw(path: string, method: string, headers: Record<string, string>): Promise<Response> {
  return fetch(gate.url + path, { method, headers, redirect: 'manual', ...(method === 'POST' && { body: '{}' }) })
}
