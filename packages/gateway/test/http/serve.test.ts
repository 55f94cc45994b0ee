import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { listen } from '../../src/http/serve.ts'

test('a client that takes nothing of its answer is given up, and one that waits for it is not', async () => {
  const givenUp = Promise.withResolvers<string | undefined>()
  const settings = { requestMs: 1_000, stalledMs: 1_000 }
  const listener = await listen(
    (request, response) => {
      response.on('close', () => response.writableFinished || givenUp.resolve(request.url))
      if (request.url === '/large') return void response.end(Buffer.alloc(50_000_000))
      const life = setInterval(() => response.write('.'), 100)
      setTimeout(() => {
        clearInterval(life)
        response.end()
      }, 2_500)
    },
    { host: '127.0.0.1', port: 0 },
    settings,
  )
  const deaf = connect(listener.port, '127.0.0.1')
    .pause()
    .on('error', () => {})
  deaf.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  const patient = await fetch(`http://127.0.0.1:${listener.port}/slow`)
  expect(await patient.text()).toMatch(/^\.+$/)
  expect(await givenUp.promise).toBe('/large')
  deaf.destroy()
  await listener.close(1_000)
})
