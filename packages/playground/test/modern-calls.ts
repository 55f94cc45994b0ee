export type Json = Readonly<Record<string, unknown>>

/** Makes 2026-07-28 requests by hand: what comes back is seen as it was sent, which no client of the SDK shows. */
export function createCaller(url: string, capabilities: object) {
  return {
    async result(method: string, params: Json): Promise<Json> {
      const { result, error } = await post(method, params)
      if (result === undefined) throw new Error(`${method} failed: ${JSON.stringify(error)}`)
      return result
    },
    async error(method: string, params: Json): Promise<unknown> {
      return (await post(method, params)).error
    },
  }

  async function post(method: string, params: Json): Promise<{ result?: Json; error?: unknown }> {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    }
    const name = params['name'] ?? params['uri'] ?? params['taskId']
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof name === 'string' && { 'mcp-name': name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
    })
    return (await response.json()) as { result?: Json; error?: unknown }
  }
}
