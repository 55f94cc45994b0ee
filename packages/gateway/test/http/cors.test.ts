import { describe, expect, test } from 'vitest'
import { corsHeaders, isPreflight, preflightHeaders } from '../../src/http/cors.ts'

const origin = 'https://app.example.com'

/** Header names and values in turn, as the platform reads them; it refuses what is no header. */
function read(headers: readonly string[]): Record<string, string> {
  const read = new Headers()
  for (let index = 0; index < headers.length; index += 2) read.append(headers[index] ?? '', headers[index + 1] ?? '')
  return Object.fromEntries(read)
}

describe('what lets a page read an answer', () => {
  test('what is public is open to every origin, and its answer is the same for all', () => {
    expect(read(corsHeaders(origin, 'public'))).toEqual(read(corsHeaders(undefined, 'public')))
    expect(read(corsHeaders(origin, 'public'))).toMatchObject({ 'access-control-allow-origin': '*' })
  })

  test('MCP is open to the origin that asked, and a cache keeps the answers apart', () => {
    expect(read(corsHeaders(origin, 'mcp'))).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' })
    expect(read(corsHeaders(undefined, 'mcp'))).toEqual({ vary: 'Origin' })
  })

  test.for(['public', 'mcp'] as const)('%s shows the headers clients need, and takes no cookies', (kind) => {
    const headers = read(corsHeaders(origin, kind))
    const shown = headers['access-control-expose-headers']?.split(', ')
    const needed = ['WWW-Authenticate', 'Mcp-Session-Id', 'Mcp-Protocol-Version', 'Retry-After', 'X-Request-Id']
    expect(shown).toEqual(needed)
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })
})

describe('a preflight', () => {
  const asked = (names?: string) => ({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': names },
  })

  test('is OPTIONS that says which page asks, and for which method', () => {
    expect(isPreflight(asked())).toBe(true)
    expect(isPreflight({ ...asked(), method: 'POST' })).toBe(false)
    expect(isPreflight({ method: 'OPTIONS', headers: { origin } })).toBe(false)
    expect(isPreflight({ method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } })).toBe(false)
  })

  test('allows the methods and the headers of MCP, for two hours', () => {
    const headers = read(preflightHeaders(asked(), 'mcp', ['POST', 'GET', 'DELETE']))
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, GET, DELETE',
      'access-control-max-age': '7200',
      vary: 'Origin',
    })
    expect(headers['access-control-allow-headers']).toBe(
      'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID, X-MCP-Readonly, X-MCP-Toolsets',
    )
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  test('allows the headers of tool parameters that are asked for, and nothing else that is', () => {
    const wanted =
      'authorization, mcp-param-region,MCP-Param-Max-Size , x-evil, dpop, mcp-param-, mcp-param-a_b, xmcp-param-a'
    const allowed = read(preflightHeaders(asked(wanted), 'mcp', ['POST']))['access-control-allow-headers']?.split(', ')
    expect(allowed?.slice(10)).toEqual(['mcp-param-region', 'MCP-Param-Max-Size'])
  })
})
