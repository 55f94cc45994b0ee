import { expect, test } from 'vitest'
import { readRefusal } from '../../src/upstreams/refusal.ts'
import { failureOf, toolCall } from './children-harness.ts'
import { callEcho, callerOf, clientOf, createHttpScene, tokenOf } from './http-scene.ts'
import { startHttpServer, type Call } from './http-server.ts'

const refuse = (status: number, challenge: string) => (call: Call) =>
  void call.response.writeHead(status, { 'WWW-Authenticate': challenge }).end()

test.each([
  [
    'the scopes it wants',
    403,
    'Bearer error="insufficient_scope", scope="write admin"',
    { scopes: ['write', 'admin'] },
  ],
  ['no more than that', 401, 'Bearer error="invalid_token", scope="read"', { scopes: undefined }],
  ['that no other credential would help', 403, 'Bearer error="invalid_request"', undefined],
])('a server that refuses the credential says %s', async (_what, status, challenge, refusal) => {
  await using scene = await createHttpScene()
  await using server = await startHttpServer({ era: 'modern', tools: { echo: refuse(status, challenge) } })
  const failure = await failureOf(callEcho(scene.open(server.url), clientOf(), callerOf(undefined, tokenOf('t'))))
  expect(failure).toMatchObject({ code: 'upstream.refused', details: { upstreamStatus: status } })
  expect(readRefusal(failure)).toEqual(refusal)
})

/** @see MCP 2026-07-28, basic/versioning: the error names what is supported, for the client to choose from */
test('a server that refuses a revision and says that it speaks it is asked once more, and then believed', async () => {
  await using scene = await createHttpScene()
  let times = 0
  const unsupported =
    (supported: string) =>
    ({ response, id }: Call) => {
      const error = { code: -32022, message: 'No', data: { supported: [supported], requested: '2026-07-28' } }
      response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error }))
    }
  const discover = (call: Call) =>
    ++times === 1
      ? unsupported('2026-07-28')(call)
      : call.result({ supportedVersions: ['2026-07-28'], capabilities: {}, ttlMs: 0, cacheScope: 'private' })
  await using server = await startHttpServer({ era: 'modern', methods: { 'server/discover': discover } })
  const ask = (url: string) =>
    scene.open(url).send(toolCall('echo', {}, { era: 'modern', client: clientOf() }), callerOf())
  await ask(server.url)
  expect(server.seen.map(({ method }) => method)).toEqual(['server/discover', 'server/discover', 'tools/call'])

  await using other = await startHttpServer({
    era: 'legacy',
    methods: { 'server/discover': unsupported('2027-01-01') },
  })
  await ask(other.url)
  expect(other.of('server/discover')).toHaveLength(1)
  expect(other.of('initialize')).toHaveLength(1)
})
