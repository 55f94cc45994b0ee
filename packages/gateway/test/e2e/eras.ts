/** The two ways MCP is spoken, as a client that knows nothing of the gate speaks them. */
export type Era = 'modern' | 'legacy'

export const eras: readonly Era[] = ['modern', 'legacy']

const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** The params of a request with what the era puts beside them. */
export function envelopeOf(era: Era, params: object): object {
  if (era === 'legacy') return params
  const meta: unknown = Reflect.get(params, '_meta')
  return { ...params, _meta: { ...ENVELOPE, ...(typeof meta === 'object' ? meta : {}) } }
}

export function headersOf(era: Era, method: string, params: object): Record<string, string> {
  if (era === 'legacy') return { 'MCP-Protocol-Version': LEGACY }
  const name: unknown = Reflect.get(params, 'name')
  return {
    'MCP-Protocol-Version': MODERN,
    'Mcp-Method': method,
    ...(typeof name === 'string' ? { 'Mcp-Name': name } : {}),
  }
}
