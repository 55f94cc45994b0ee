import type { IncomingMessage } from 'node:http'

/** Who may read an answer: any web page, or the pages of the origins that the edge let in. */
export type CorsKind = 'public' | 'mcp'

/** What of a request CORS looks at. */
export type Asking = Pick<IncomingMessage, 'method' | 'headers'>

/**
 * What lets a web page read an answer: header names and values in turn. `public` is for what anybody may read;
 * `mcp` for a caller's own, and its origin is one that the edge has let in. Neither allows credentials of the
 * browser: a page shows a token, which it has to hold itself.
 *
 * @see the Fetch standard, "CORS protocol"
 */
export function corsHeaders(origin: string | undefined, kind: CorsKind): string[] {
  if (kind === 'public') return ['Access-Control-Allow-Origin', '*', ...EXPOSED]
  // Sent without an origin too, so that no cache gives one page what was meant for another.
  const vary = ['Vary', 'Origin']
  return origin === undefined ? vary : ['Access-Control-Allow-Origin', origin, ...vary, ...EXPOSED]
}

const EXPOSED = [
  'Access-Control-Expose-Headers',
  'WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version, Retry-After, X-Request-Id',
] as const

/** Whether a browser asks first, on behalf of a page. @see the Fetch standard, "CORS-preflight request" */
export function isPreflight({ method, headers }: Asking): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/**
 * Answers a preflight: header names and values in turn. The headers of tool parameters are named by the tools, so
 * those that the page asks for are allowed, and no others.
 *
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Custom headers from tool parameters"
 */
export function preflightHeaders({ headers }: Asking, kind: CorsKind, methods: readonly string[]): string[] {
  return [
    ...corsHeaders(headers.origin, kind),
    'Access-Control-Allow-Methods',
    methods.join(', '),
    'Access-Control-Allow-Headers',
    [...ALLOWED, ...findParameters(headers['access-control-request-headers'])].join(', '),
    'Access-Control-Max-Age',
    MAX_AGE,
  ]
}

const ALLOWED = [
  'Authorization',
  'Content-Type',
  'Accept',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Session-Id',
  'Last-Event-ID',
  'X-MCP-Readonly',
  'X-MCP-Toolsets',
] as const

/** Two hours in seconds, the longest that browsers keep to. */
const MAX_AGE = '7200'

function findParameters(asked = ''): string[] {
  return asked
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^mcp-param-[a-z0-9-]+$/i.test(name))
}
