import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createRouter } from '../../src/http/router.ts'
import { createUnderWay } from '../../src/http/under-way.ts'

test('while the gate stops everything is refused but what says how it is', async () => {
  let stopping = false
  const handle = createRouter({
    routes: [
      { path: '/health', whileStopping: true, handle: (_request, response) => void response.end('ok') },
      { path: '/work', handle: (_request, response) => void response.end('done') },
    ],
    checkEdge: () => {},
    isStopping: () => stopping,
    newRequestId: () => 'r-1',
    onFailure: () => {},
  })
  const server = createServer(handle).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Connection: 'close' } })
    return `${answer.status} ${await answer.text()}`
  }
  expect(await ask('/work')).toBe('200 done')
  stopping = true
  expect(await ask('/work')).toMatch(/^503 .*"gate\.stopping"/)
  expect(await ask('/health')).toBe('200 ok')
  server.close()
})

test('what is under way is waited for, whether it ends well or not, and no longer than there is time', async () => {
  const underWay = createUnderWay()
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  void underWay.follow(first.promise)
  underWay.follow(second.promise).catch(() => {})
  let landed = false
  const landing = underWay.landed(3_600_000).then(() => (landed = true))
  first.resolve()
  await Promise.resolve()
  expect(landed).toBe(false)
  second.reject(new Error('gone wrong'))
  await landing

  void underWay.follow(new Promise(() => {}))
  await underWay.landed(1)
})
