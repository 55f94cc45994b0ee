import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createPools } from '../../src/http/outbound.ts'

/** A server that counts the requests it is in the middle of, and sends `/away` elsewhere. */
async function openServer() {
  const seen = { paths: [] as string[], most: 0 }
  let now = 0
  const server = createServer((request, response) => {
    seen.paths.push(request.url ?? '')
    seen.most = Math.max(seen.most, ++now)
    response.on('close', () => now--)
    if (request.url === '/away') return void response.writeHead(302, { Location: '/elsewhere' }).end()
    if (request.url !== '/never') setTimeout(() => response.end('ok'), 30)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('an origin has one pool, with so many connections and no more', async () => {
  const { seen, origin } = await openServer()
  const pools = createPools({ connections: 2, connectMs: 1_000 })
  expect(pools.get(origin)).toBe(pools.get(origin))
  expect(pools.get(origin)).not.toBe(pools.get('http://127.0.0.1:1'))
  const answers = Array.from({ length: 6 }, () => pools.get(origin).request({ path: '/', method: 'GET' }))
  for (const { statusCode, body } of await Promise.all(answers))
    expect([statusCode, await body.text()]).toEqual([200, 'ok'])
  expect(seen.most).toBe(2)
  await pools.close()
})

test('a redirect is an answer, and is not followed', async () => {
  const { seen, origin } = await openServer()
  const pools = createPools({ connections: 1, connectMs: 1_000 })
  const { statusCode, body } = await pools.get(origin).request({ path: '/away', method: 'GET' })
  await body.dump()
  expect([statusCode, seen.paths]).toEqual([302, ['/away']])
  await pools.close()
})

test('what is in flight is given up when all are closed', async () => {
  const { seen, origin } = await openServer()
  const pools = createPools({ connections: 1, connectMs: 1_000 })
  const waiting = pools.get(origin).request({ path: '/never', method: 'GET' })
  waiting.catch(() => {})
  await expect.poll(() => seen.paths).toEqual(['/never'])
  await pools.close()
  await expect(waiting).rejects.toThrow('destroyed')
})
