import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { startGate, type Gate } from '../../../../../scripts/lib/gate.ts'
import { connectMal } from '../../../../../scripts/lib/people.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { childServer, environmentOf, personalServer } from '../../e2e/place.ts'
import { startScripted, type Scripted } from '../../e2e/scripted.ts'
import { textFrom } from '../../e2e/wire.ts'
import { enter, knock, letIn, malAccount, send } from '../ground.ts'

/** R1-13, R0-08: MCP security best practices, "Token Passthrough"; basic/authorization "Access Token Privilege Restriction". */
let outside: Outside
let another: Gate
let plain: Scripted
let personal: Scripted
let odd: Server
let browser: Browser
let mcp: string
beforeAll(async () => {
  plain = await startScripted(({ method }) => ({ result: resultOf(method) }))
  personal = await startScripted(({ method }) => ({ result: resultOf(method) }))
  odd = await startOdd()
  const mcpServers = {
    mal: { builtin: 'mal' },
    odd: personalServer(`http://127.0.0.1:${(odd.address() as AddressInfo).port}/mcp`),
    plain: { url: plain.url },
    personal: personalServer(personal.url),
    own: childServer(),
  }
  ;[outside, another] = await Promise.all([
    openOutside({ config: { mcpServers } }),
    startGate({ config: { mcpServers: { plain: { url: plain.url } } } }),
  ])
  mcp = `${outside.publicUrl}/mcp`
  browser = await enter(outside, 'ada')
  await outside.gate.setToken('ada', 'personal', 'token-of-ada-for-personal')
})
afterAll(async () => {
  await Promise.all([outside, another, plain, personal].map((each) => each[Symbol.asyncDispose]()))
  odd.close()
})

function resultOf(method: string): string {
  if (method === 'tools/list')
    return '{"resultType":"complete","tools":[{"name":"look","inputSchema":{"type":"object"}}]}'
  if (method === 'tools/call') return '{"resultType":"complete","content":[{"type":"text","text":"seen"}]}'
  return '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}'
}

/** A request that a careless proxy would hand on as it came. */
async function callAll(token: string): Promise<number> {
  const door = { url: mcp, key: token, era: 'modern' as const }
  const headers = { Cookie: `sekisho=${'c'.repeat(43)}`, 'Proxy-Authorization': `Bearer ${token}`, 'X-Api-Key': token }
  await textFrom(door, 'plain__look', {}, { headers })
  await textFrom(door, 'personal__look', {}, { headers })
  return (JSON.parse(await textFrom(door, 'own__whoami', {}, { headers })) as { pid: number }).pid
}

const heard = (upstream: Scripted) =>
  upstream.asked.map(({ headers, body }) => JSON.stringify(headers) + body.toString()).join('\n')

test('what opens the gate reaches no upstream: not in a header, not in a body, not in a child’s environment (MCP security best practices: token passthrough)', async () => {
  const made = await outside.gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const { key } = made.body as { key: string }
  const { accessToken, refreshToken } = await letIn(outside, browser)
  const connected = await connectMal(browser, `${outside.publicUrl}/connect/mal`, malAccount())
  expect(connected.text).toMatch(/Connected/)

  for (const token of [key, accessToken]) {
    const environment = [...environmentOf(await callAll(token)).values()].join('\n')
    for (const text of [heard(plain), heard(personal), environment]) {
      expect(text.length).toBeGreaterThan(0)
      for (const secret of [key, accessToken, refreshToken, 'cccccccc']) expect(text).not.toContain(secret)
    }
  }
  // Each upstream was sent what is meant for it, and nothing of the others.
  expect(heard(personal)).toContain('Bearer token-of-ada-for-personal')
  expect(heard(plain)).not.toMatch(/authorization|cookie|x-api-key|token-of-ada/i)
})

test('what is for an upstream does not open the gate (MCP security best practices: token passthrough)', async () => {
  const { accessToken, refreshToken } = outside.mal.issueTokens('mika')
  for (const token of ['token-of-ada-for-personal', accessToken, refreshToken])
    expect(await knock(mcp, token)).toBe(401)
  const asked = await send(`${outside.publicUrl}/account`, { headers: { cookie: `sekisho=${accessToken}` } })
  expect(asked.location?.pathname).toBe('/sign-in')
})

/** RFC 9700 §4.9.1 "Access Token Phishing by Counterfeit Resource Server": a gate is nobody to another gate. */
test('a token or key of one gate opens no other', async () => {
  const there = { gate: another, publicUrl: another.url.replace('127.0.0.1', 'localhost') }
  const other = await enter(there, 'ada')
  const { accessToken } = await letIn(there, other)
  const { key } = (await another.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })).body as {
    key: string
  }
  for (const token of [accessToken, key]) {
    expect(await knock(`${there.publicUrl}/mcp`, token)).toBe(200)
    expect(await knock(mcp, token)).toBe(401)
  }
})

/** CWE-601, OWASP SSRF: a redirect of an upstream is its answer, and no address to take a token to. */
test('an upstream that redirects, or answers with a page, leads no token and no browser anywhere (MCP security best practices: server-side request forgery)', async () => {
  await outside.gate.setToken('ada', 'odd', 'token-of-ada-for-odd')
  const made = await outside.gate.admin('POST', '/admin/api/keys', { user: 'ada', scopes: ['mcp'] })
  const { key } = made.body as { key: string }
  const before = plain.asked.length
  for (const [status, headers] of [
    [307, { location: plain.url }],
    [308, { location: plain.url }],
    [302, { location: plain.url, 'set-cookie': `sekisho=${'e'.repeat(43)}; Path=/` }],
    [
      200,
      {
        'content-type': 'text/html',
        'set-cookie': `sekisho=${'e'.repeat(43)}; Path=/`,
        refresh: '0;url=//evil.example',
      },
    ],
    [
      401,
      { 'www-authenticate': 'Bearer resource_metadata="https://evil.example/prm"', 'access-control-allow-origin': '*' },
    ],
  ] as const) {
    oddAnswer = { status, headers }
    const answer = await send(`${mcp}/odd`, {
      json: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'odd__look', arguments: {} } },
      headers: { authorization: `Bearer ${key}`, accept: 'application/json, text/event-stream' },
    })
    expect(answer.headers.get('content-type')).toMatch(/^(?:application\/json|text\/event-stream)/)
    for (const name of ['set-cookie', 'location', 'refresh', 'access-control-allow-origin'])
      expect([name, answer.headers.get(name)]).toEqual([name, null])
    expect([...answer.headers].join() + answer.text).not.toMatch(/evil\.example|<script/)
  }
  expect(oddAsked).toBeGreaterThan(0)
  expect(plain.asked.length).toBe(before)
})

let oddAnswer: { readonly status: number; readonly headers: Readonly<Record<string, string>> } = {
  status: 500,
  headers: {},
}
let oddAsked = 0

async function startOdd(): Promise<Server> {
  const server = createServer((_request, response) => {
    oddAsked++
    response.writeHead(oddAnswer.status, oddAnswer.headers)
    response.end('<script>alert(1)</script>')
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return server
}
