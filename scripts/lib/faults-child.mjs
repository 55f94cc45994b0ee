// An MCP server over stdio with two tools that take a while; one of them says that it only reads.
// Tells who calls it when a call begins, as a log message: that is before it can have an answer.
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const inputSchema = { type: 'object' }
const tools = [
  { name: 'look', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'change', inputSchema },
]

function receive({ id, method, params }) {
  if (method === 'initialize') {
    const serverInfo = { name: 'child', version: '1' }
    return say({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } })
  }
  if (method === 'tools/list') return say({ id, result: { tools } })
  if (method === 'tools/call') return call(id, params)
  if (id !== undefined) say({ id, error: { code: -32601, message: 'Method not found' } })
}

function call(id, { name, arguments: { ms }, _meta }) {
  const { progressToken } = _meta ?? {}
  say({ method: 'notifications/progress', params: { progressToken, progress: 1, message: String(process.pid) } })
  setTimeout(() => say({ id, result: { content: [{ type: 'text', text: `${name} by ${process.pid}` }] } }), ms)
}

let rest = ''
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()
  for (const line of lines) receive(JSON.parse(line))
})
