import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ErrorCode } from '../../src/base/errors.ts'
import { problem, type Details } from '../../src/base/problem.ts'
import { createRefusal, failureHeaders, secondsToWait } from '../../src/http/refusal.ts'
import { listen, type Handle } from '../../src/http/serve.ts'

const metadataUrl = 'https://gate.example.com/.well-known/oauth-protected-resource/mcp'

test.for<[ErrorCode, Details, string[]]>([
  ['auth.required', {}, ['WWW-Authenticate', 'Bearer']],
  ['auth.required', { metadataUrl }, ['WWW-Authenticate', `Bearer resource_metadata="${metadataUrl}"`]],
  [
    'auth.required',
    { scope: 'mcp', metadataUrl },
    ['WWW-Authenticate', `Bearer scope="mcp", resource_metadata="${metadataUrl}"`],
  ],
  ['auth.required', { scope: 'a"b\\c\nd é' }, ['WWW-Authenticate', 'Bearer scope="a?b?c?d??"']],
  ['auth.forbidden', { scope: 'admin' }, ['WWW-Authenticate', 'Bearer error="insufficient_scope", scope="admin"']],
  ['request.http_method', {}, ['Allow', 'POST']],
  ['request.not_found', {}, []],
])('%s with %j carries %j', ([code, details, headers]) => {
  expect(failureHeaders(problem(code, details))).toEqual(headers)
})

test('whoever asked too often is told how long to wait, a second where nobody knows', () => {
  expect(failureHeaders(problem('login.throttled', { seconds: 30, waiting: 1 }))).toEqual(['Retry-After', '30'])
  expect(failureHeaders(problem('gate.overloaded', { seconds: 2 }))).toEqual(['Retry-After', '2'])
  expect([secondsToWait({ seconds: 0 }), secondsToWait({}), secondsToWait({ seconds: 'x' })]).toEqual(['0', '1', '1'])
})

interface Exchange {
  readonly bytes: string
  /** Written when the first of the answer is there. */
  readonly later?: string
  readonly handle?: Handle
  readonly requestMs?: number
}

const ok: Handle = (_, response) => void response.end('ok')

/** What a client reads that writes these bytes and then waits. */
async function exchange({ bytes, later, handle = ok, requestMs = 60_000 }: Exchange) {
  const failures: string[] = []
  const refuse = createRefusal({
    newRequestId: () => 'r-1',
    onFailure: ({ code, details }, requestId) => failures.push(`${code} ${String(details['reason'])} ${requestId}`),
  })
  const listener = await listen(handle, { host: '127.0.0.1', port: 0 }, { requestMs, refuse })
  onTestFinished(() => listener.close(0))
  const socket = connect(listener.port, '127.0.0.1')
  let read = ''
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => (read += text))
    .on('error', () => {})
  socket.write(bytes)
  if (later !== undefined) socket.once('data', () => socket.write(later))
  await once(socket, 'close')
  return { read, failures }
}

test('bytes that are no HTTP are answered as every failure is, and the connection ends', async () => {
  const { read, failures } = await exchange({ bytes: 'NOT HTTP\r\n\r\n' })
  const [head = '', body = ''] = read.split('\r\n\r\n')
  expect(head.split('\r\n')).toEqual([
    'HTTP/1.1 400 Bad Request',
    'X-Request-Id: r-1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ])
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'request.http', details: { requestId: 'r-1' } } })
  expect(failures).toEqual([expect.stringMatching(/^request\.http HPE_\w+ r-1$/)])
})

test('headers that are too large are named so', async () => {
  const { read, failures } = await exchange({ bytes: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n` })
  expect(read).toMatch(/^HTTP\/1\.1 431 /)
  expect(failures).toEqual(['request.headers_too_large HPE_HEADER_OVERFLOW r-1'])
})

test('a request that never arrives whole is given up', async () => {
  const { read, failures } = await exchange({ bytes: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Le', requestMs: 300 })
  expect(read).toMatch(/^HTTP\/1\.1 408 /)
  expect(failures).toEqual(['request.timeout ERR_HTTP_REQUEST_TIMEOUT r-1'])
})

test('where an answer is under way, nothing is written into it', async () => {
  const begun: Handle = (_, response) => void response.writeHead(200, { 'Content-Length': '100' }).write('begun')
  const bytes = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  const { read, failures } = await exchange({ bytes, later: 'zz\r\n', handle: begun })
  expect([read.endsWith('begun'), failures]).toEqual([true, []])
})

test('before an answer has begun, and after it has ended, the refusal is the answer', async () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  const before = await exchange({ bytes: `${head}zz\r\n`, handle: () => {} })
  expect(before.read).toMatch(/^HTTP\/1\.1 400 /)
  const after = await exchange({ bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', later: 'NOT HTTP\r\n\r\n' })
  expect(after.read.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
})
