import { createEverythingHandler } from '@sekisho/playground/everything'
import { expect, test } from 'vitest'
import type { UpstreamId, UserId } from '../../src/base/ids.ts'
import { upstreamEras } from '../../src/mcp/eras/era.ts'
import { createBuiltinTransport } from '../../src/upstreams/transports/builtin.ts'
import { ada, exchangeOf, failureOf } from './children-harness.ts'

const caller = { tenant: ada.tenant, userId: 'usr_ada' as UserId, token: undefined }
const listing = () => exchangeOf('{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}', { era: 'modern' })

function openTransport(failures: number) {
  let left = failures
  return createBuiltinTransport({
    upstream: 'everything' as UpstreamId,
    eras: upstreamEras,
    settings: { answerBytes: 1_000_000 },
    load: async () => {
      if (left-- > 0) throw new Error('no such module')
      return createEverythingHandler()
    },
  })
}

test('a server that could not be loaded says so, and is loaded by the next call', async () => {
  const transport = openTransport(1)
  const failure = await failureOf(transport.send(listing(), caller))
  expect(failure).toMatchObject({ code: 'upstream.start_failed', cause: { message: 'no such module' } })
  expect(await transport.send(listing(), caller)).toMatchObject({ kind: 'whole', status: 200 })
  await transport.close()
})

test('one that was never loaded is closed all the same', async () => {
  const transport = openTransport(1)
  const failing = failureOf(transport.send(listing(), caller))
  await transport.close()
  expect((await failing).code).toBe('upstream.start_failed')
})
