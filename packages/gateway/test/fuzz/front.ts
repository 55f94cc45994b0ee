import fc from 'fast-check'
import { anyBytes, noise } from './bytes.ts'
import { corpus } from './front-corpus.ts'

/** One connection: what is written on it, piece by piece. */
export interface Input {
  readonly pieces: readonly Buffer[]
}

/** What stands in for who sends it. */
export interface Sender {
  readonly host: string
  readonly key: string
  readonly cookie: string
  /** What a form of theirs carries. */
  readonly csrf: string
}

/** What stands between spaces. */
const words = (text: string) => text.split(/\s+/)

const CRLF = fc.oneof(
  { weight: 30, arbitrary: fc.constant('\r\n') },
  fc.constantFrom('\n', '\r', '\r\n ', '\0\r\n', ''),
)
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH') },
  fc.constantFrom('TRACE', 'CONNECT', 'PROPFIND', 'get', 'BREW', '', 'M-SEARCH', 'PURGE', 'SOURCE', 'QUERY'),
)
const place = fc.constantFrom(
  ...words(
    `/mcp /mcp/echo /mcp/ /health/live /health/ready /metrics /oauth-client.json /authorize
   /token /register /revoke /jwks /.well-known/oauth-authorization-server / /sign-in
   /.well-known/oauth-protected-resource/mcp/echo /.well-known/openid-configuration /welcome/ /interaction/ /assets/ /account /account/clients /account/keys
   /account/sessions /account/security /account/security/passkeys /account/security/app /account/security/recovery
   /account/linked /account/linked/link /account/linked/unlink /account/password
   /sign-in/again /sign-in/second /sign-in/set-up /sign-in/set-up/app /sign-in/with/corp /sign-in/from/corp
   /sign-in/logout/corp /sign-in/out/corp /device /device/answer /device_authorization
   /connect/echo /callback /callback/server /admin/api/users /admin/api/users/eve/factors /admin/api/keys /admin/api/agents /admin/api/status /admin/api/openapi.json
   /x`,
  ),
)
const rest = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  fc.constantFrom(
    '/..',
    '/%2e%2e/',
    '%00',
    '?',
    '?a=%',
    '//',
    ';x',
    '#x',
    '?state=%ff&code=x&iss=x',
    '/__proto__',
    '\\',
    '?next=//x',
  ),
  fc.stringMatching(/^[!-~]{0,40}$/),
  fc.string({ maxLength: 20 }),
)
const target = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(place, rest).map((parts) => parts.join('')) },
  fc.constantFrom('*', 'http://{{host}}/mcp', 'http://evil.example/', '', '/'.repeat(3_000), 'evil.example:443'),
)
const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', ''),
)

const value = fc.oneof(
  fc.constantFrom(
    '',
    'x',
    '*',
    'null',
    ',',
    '"',
    '=?base64?4pyT?=',
    'text/html',
    'x'.repeat(5_000),
    '__proto__',
    '-1',
    '{{key}}',
    '{{cookie}}',
  ),
  fc.stringMatching(/^[\t -~]{0,60}$/),
  fc.string({ maxLength: 30 }),
)
const name = fc.constantFrom(
  ...words(
    `Accept Accept-Language Authorization Connection Content-Encoding Content-Length Content-Type Cookie
   DPoP Expect Forwarded Host If-None-Match Last-Event-ID Mcp-Method Mcp-Name
   Mcp-Session-Id MCP-Protocol-Version Mcp-Param-X Origin Range Referer Sec-Fetch-Site TE
   Trailer traceparent Transfer-Encoding Upgrade User-Agent X-Forwarded-For X-Forwarded-Host X-HTTP-Method-Override
   __proto__`,
  ),
)
const oddLine = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, value).map(([name, value]) => `${name}: ${value}`) },
  fc.constantFrom(
    'Content-Length: 4, 4',
    'Transfer-Encoding : chunked',
    ' folded: x',
    ':',
    'x',
    'Transfer-Encoding: xchunked',
    'a:b',
  ),
)
const type = fc.constantFrom(
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
)
const usual = fc
  .tuple(fc.boolean(), fc.boolean(), type)
  .map(([hasKey, hasCookie, type]) => [
    'Host: {{host}}',
    ...(hasKey ? ['Authorization: Bearer {{key}}'] : []),
    ...(hasCookie ? ['Cookie: {{cookie}}'] : []),
    `Content-Type: ${type}`,
  ])

/** As long as what is written in its place, since it counts in the length of the body. */
const CSRF = `{{csrf${'.'.repeat(35)}}}`

const form = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'csrf',
        'name',
        'password',
        'next',
        'code',
        'grant_type',
        'client_id',
        'redirect_uri',
        'way',
        'resource',
        'scope',
        'token',
        'answer',
        'offer',
        'passkey',
        'user_code',
        'device_code',
        'decision',
        'refresh_token',
        'code_verifier',
        'assertion',
        'client_assertion',
        'logout_token',
        'state',
      ),
      value,
    ),
    { maxLength: 6 },
  )
  .chain((pairs) => fc.constantFrom(pairs, [['csrf', CSRF], ...pairs]))
  .map((pairs) => Buffer.from(pairs.map(([key, text]) => `${key}=${text}`).join('&')))
const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 2, arbitrary: form },
  { weight: 4, arbitrary: anyBytes },
)

/** How the body is put on the way: with its length, a wrong one, none, or in chunks that may be none. */
const framing = fc.constantFrom(
  'length',
  'length',
  'length',
  'short',
  'long',
  'none',
  'chunks',
  'chunks',
  'bad chunks',
  'both',
)

function framed(how: string, body: Buffer): [lines: string[], body: Buffer] {
  const size = body.length.toString(16)
  const chunks = Buffer.concat([
    Buffer.from(`${size};x=y\r\n`),
    body,
    Buffer.from(`\r\n${body.length > 0 ? '0\r\n' : ''}\r\n`),
  ])
  switch (how) {
    case 'length':
      return [[`Content-Length: ${body.length}`], body]
    case 'short':
      return [[`Content-Length: ${Math.floor(body.length / 2)}`], body]
    case 'long':
      return [[`Content-Length: ${body.length + 5}`], body]
    case 'chunks':
      return [['Transfer-Encoding: chunked'], chunks]
    case 'bad chunks':
      return [['Transfer-Encoding: chunked'], Buffer.concat([Buffer.from(`-${size}\n`), body])]
    case 'both':
      return [[`Content-Length: ${chunks.length}`, 'Transfer-Encoding: chunked'], chunks]
    default:
      return [[], body]
  }
}

const grown = fc
  .record({ method, target, version, usual, odd: fc.array(oddLine, { maxLength: 5 }), end: CRLF, framing, body })
  .map(({ method, target, version, usual, odd, end, framing, body }) => {
    const [lines, bytes] = framed(framing, body)
    const head = [`${method} ${target} ${version}`, ...usual, ...lines, ...odd].join('\r\n')
    return Buffer.concat([Buffer.from(`${head}${end}\r\n`, 'latin1'), bytes])
  })

/** One of the corpus, to which something was done in some places. */
const damaged = fc
  .tuple(fc.constantFrom(...corpus), fc.array(fc.tuple(fc.nat(), fc.nat(8), noise), { maxLength: 3 }))
  .map(([text, edits]) =>
    edits.reduce(
      (bytes, [at, cut, junk]) => {
        const place = at % bytes.length
        return Buffer.concat([bytes.subarray(0, place), junk.subarray(0, 6), bytes.subarray(place + cut)])
      },
      Buffer.from(text, 'latin1'),
    ),
  )

const request = fc.oneof(
  { weight: 4, arbitrary: grown },
  { weight: 3, arbitrary: damaged },
  { weight: 1, arbitrary: noise },
)

/** Some requests on one connection, cut anywhere. */
export const input: fc.Arbitrary<Input> = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(20_000), { maxLength: 3 }))
  .map(([requests, cuts]) => {
    const bytes = Buffer.concat(requests)
    const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other)
    return { pieces: [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end)) }
  })

/** Puts the sender in. */
export function bytesFor(piece: Buffer, sender: Sender): Buffer {
  const text = piece.toString('latin1')
  const filled = Object.entries(sender).reduce(
    (whole, [name, value]) => whole.replace(new RegExp(`{{${name}\\.*}}`, 'g'), () => value),
    text,
  )
  return Buffer.from(filled, 'latin1')
}
