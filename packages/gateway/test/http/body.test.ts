import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { asProblem } from '../../src/base/problem.ts'
import { readBody } from '../../src/http/body.ts'

const LIMIT = 10

/** A server that answers with the body it read, or with the code of why it did not. */
async function openReader() {
  const outcomes: string[] = []
  const server = createServer((incoming, response) => {
    void readBody(incoming, LIMIT)
      .then(
        (body) => `read ${body.toString()}`,
        (error: unknown) => `${asProblem(error).code} ${String(asProblem(error).details['limit'])}`,
      )
      .then((outcome) => {
        outcomes.push(outcome)
        response.end(outcome)
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  async function send(...parts: readonly string[]) {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent: false })
    const answered = once(sent, 'response')
    for (const part of parts) {
      sent.write(part)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    sent.end()
    const [answer] = await answered
    return await text(answer)
  }
  return { port, outcomes, send }
}

test('a body is read whole, in however many parts it comes, up to the limit and no further', async () => {
  const { send } = await openReader()
  expect(await send()).toBe('read ')
  expect(await send('12345')).toBe('read 12345')
  expect(await send('123', '456', '7890')).toBe('read 1234567890')
  expect(await send('123', '456', '78901')).toBe('request.too_large 10')
  expect(await send('12345678901', 'and', 'more')).toBe('request.too_large 10')
})

test('one that says it is too large is refused before it comes; one that says it is as large as it may be is not', async () => {
  const { port } = await openReader()
  const say = (length: number) =>
    request({ port, host: '127.0.0.1', method: 'POST', headers: { 'Content-Length': length }, agent: false })
  const [allowed] = await once(say(10).end('1234567890'), 'response')
  expect(await text(allowed)).toBe('read 1234567890')
  const sent = say(11)
  sent.flushHeaders()
  const [answer] = await once(sent, 'response')
  expect(await text(answer)).toBe('request.too_large 10')
  sent.destroy()
})

test('whoever goes away in the middle has cancelled', async () => {
  const { port, outcomes } = await openReader()
  const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'Content-Length': 9 }, agent: false })
  sent.on('error', () => {}).write('123')
  await new Promise((resolve) => setTimeout(resolve, 50))
  sent.destroy()
  await expect.poll(() => outcomes).toEqual(['request.cancelled undefined'])
})

test('whoever went away before anybody asked for the body has cancelled as well', async () => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  const server = createServer((incoming) => arrived.resolve(incoming)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const sent = request({ port, host: '127.0.0.1', method: 'POST', agent: false }).on('error', () => {})
  sent.end('123')
  const incoming = await arrived.promise
  const closed = new Promise((resolve) => incoming.on('close', resolve))
  sent.destroy()
  await closed
  await expect(readBody(incoming, LIMIT)).rejects.toMatchObject({ code: 'request.cancelled' })
})
