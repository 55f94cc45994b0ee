import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../../../../scripts/lib/browser.ts'
import { openOutside, type Outside } from '../../e2e/journey/outside.ts'
import { childServer } from '../../e2e/place.ts'
import { authorization, codeFor, enter, knock, redeem, refresh, register, send, tokensOf } from '../ground.ts'

/** What a stolen token opens is what its user was asked about, and no more: R0-56b. */
let outside: Outside
let browser: Browser
let publicUrl: string
beforeAll(async () => {
  outside = await openOutside({ config: { mcpServers: { own: childServer(), other: childServer() } } })
  publicUrl = outside.publicUrl
  browser = await enter(outside, 'ada')
  await outside.gate.admin('PATCH', '/admin/api/users/ada', { role: 'admin' })
})
afterAll(() => outside[Symbol.asyncDispose]())

const ALL = 'openid offline_access mcp mcp:* mcp:own admin metrics * all full-access'

test('a client that asks for every scope there could be is given the one (MCP security best practices: scope minimization)', async () => {
  const clientId = await register(outside, { scope: ALL })
  const code = await codeFor(
    browser,
    authorization(outside, clientId, { scope: ALL, resource: `${publicUrl}/mcp/own` }),
  )
  const redeemed = await redeem(outside, { client_id: clientId, code })
  expect(redeemed.body['scope']).toBe('mcp')
  const renewed = await refresh(outside, clientId, tokensOf(redeemed).refreshToken)
  for (const { accessToken } of [tokensOf(redeemed), tokensOf(renewed)]) {
    expect(await knock(`${publicUrl}/mcp/own`, accessToken)).toBe(200)
    for (const path of ['/mcp', '/mcp/other'])
      expect([path, await knock(publicUrl + path, accessToken)]).toEqual([path, 401])
    const headers = { authorization: `Bearer ${accessToken}` }
    for (const path of ['/admin/api/users', '/admin/api/keys', '/metrics'])
      expect([401, 403]).toContain((await send(publicUrl + path, { headers })).status)
  }
})

test('neither metadata nor a challenge names a scope that is not needed (MCP security best practices: scope minimization)', async () => {
  for (const path of ['/mcp', '/mcp/own']) {
    const { headers } = await send(publicUrl + path, { json: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })
    expect(headers.get('www-authenticate')).toMatch(/^[^,]*Bearer (?!.*admin|.*metrics).*scope="mcp"/)
    const { body } = await send(`${publicUrl}/.well-known/oauth-protected-resource${path}`)
    expect(body['scopes_supported']).toEqual(['mcp'])
  }
  const { body } = await send(`${publicUrl}/.well-known/oauth-authorization-server`)
  expect(body['scopes_supported']).toEqual(['openid', 'offline_access', 'mcp'])
})
