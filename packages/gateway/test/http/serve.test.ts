import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { listen } from '../../src/http/serve.ts'

test('a client that takes nothing of its answer is given up, and one that waits for it is not', async () => {
  let stalled = 0
  const settings = { requestMs: 1_000, stalledMs: 300 }
  const listener = await listen(
    (request, response) => {
      response.on('close', () => (stalled += response.writableFinished ? 0 : 1))
      if (request.url === '/large') return void response.end(Buffer.alloc(50_000_000))
      const life = setInterval(() => response.write('.'), 100)
      setTimeout(() => {
        clearInterval(life)
        response.end()
      }, 1_000)
    },
    { host: '127.0.0.1', port: 0 },
    settings,
  )
  const deaf = connect(listener.port, '127.0.0.1').pause().on('error', () => {})
  deaf.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  const patient = await fetch(`http://127.0.0.1:${listener.port}/slow`)
  expect(await patient.text()).toMatch(/^\.{5,}$/)
  while (stalled === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(stalled).toBe(1)
  deaf.destroy()
  await listener.close(1_000)
})
