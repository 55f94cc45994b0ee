import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createProxies, limitConnections, type ConnectionNeeds } from '../../src/http/connections.ts'

/** A server with so much room, and what it was told of connections. One that listens at `::` is asked by IPv4. */
async function openRoom(needs: Partial<ConnectionNeeds>, host = '127.0.0.1') {
  const told: string[] = []
  const server = createServer()
  const { open } = limitConnections(server, {
    connections: 100,
    connectionsPerAddress: 100,
    isShared: () => false,
    onOpened: ({ remoteAddress }) => void told.push(`opened ${remoteAddress}`),
    onRefused: (limit) => void told.push(`refused ${limit}`),
    ...needs,
  })
  await once(server.listen(0, host), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  /** A connection, once the server has told what it makes of it. */
  async function enter(localAddress = '127.0.0.1'): Promise<Socket> {
    const before = told.length
    const to = host === '::' ? '127.0.0.1' : host
    const socket = connect({ port, host: to, ...(to === '::1' ? {} : { localAddress }) })
      .on('error', () => {})
      .resume()
    onTestFinished(() => void socket.destroy())
    await expect.poll(() => told.length).toBe(before + 1)
    return socket
  }
  return { enter, open, told }
}

test('an address has so many connections and no more; one that ends makes room for one', async () => {
  const { enter, open, told } = await openRoom({ connectionsPerAddress: 2 })
  const first = await enter('127.0.0.7')
  await enter('127.0.0.7')
  const tooMany = await enter('127.0.0.7')
  await expect.poll(() => tooMany.closed).toBe(true)
  await enter('127.0.0.8')
  expect(open()).toBe(3)
  first.destroy()
  await expect.poll(open).toBe(2)
  await enter('127.0.0.7')
  await enter('127.0.0.7')
  expect(told).toEqual([
    'opened 127.0.0.7',
    'opened 127.0.0.7',
    'refused limits.connectionsPerAddress',
    'opened 127.0.0.8',
    'opened 127.0.0.7',
    'refused limits.connectionsPerAddress',
  ])
})

test('an address that has left altogether is let in as at first', async () => {
  const { enter, open, told } = await openRoom({ connectionsPerAddress: 1 })
  for (let times = 0; times < 3; times++) {
    const socket = await enter()
    socket.destroy()
    await expect.poll(open).toBe(0)
  }
  expect(told).toEqual(Array(3).fill('opened 127.0.0.1'))
})

test('all addresses together have so many, and that limit is named first', async () => {
  const { enter, open, told } = await openRoom({ connections: 2, connectionsPerAddress: 1 })
  const first = await enter('127.0.0.7')
  await enter('127.0.0.8')
  const tooMany = await enter('127.0.0.7')
  await expect.poll(() => tooMany.closed).toBe(true)
  expect(open()).toBe(2)
  first.destroy()
  await expect.poll(open).toBe(1)
  await enter('127.0.0.9')
  expect(told.slice(2)).toEqual(['refused limits.connections', 'opened 127.0.0.9'])
})

test('what a proxy brings is not counted against its address, but in all', async () => {
  const isShared = createProxies(['127.0.0.9'])
  const { enter, open, told } = await openRoom({ connections: 3, connectionsPerAddress: 1, isShared })
  const [first] = [await enter('127.0.0.9'), await enter('127.0.0.9'), await enter('127.0.0.9')]
  await enter('127.0.0.9')
  expect(told.at(-1)).toBe('refused limits.connections')
  first.destroy()
  await expect.poll(open).toBe(2)
  await enter('127.0.0.9')
  expect(told.at(-1)).toBe('opened 127.0.0.9')
})

test('a proxy that comes by IPv4 to a gate which listens on both families is known as well', async () => {
  const isShared = createProxies(['127.0.0.9'])
  const { enter, open, told } = await openRoom({ connectionsPerAddress: 1, isShared }, '::')
  await enter('127.0.0.9')
  await enter('127.0.0.9')
  expect([open(), told]).toEqual([2, ['opened ::ffff:127.0.0.9', 'opened ::ffff:127.0.0.9']])
})

test('a trusted proxy is known by its address, by a range, or by the word for this machine', async () => {
  const at = (remoteAddress: string | undefined) => ({ remoteAddress }) as Socket
  const known = (trusted: readonly string[]) =>
    ['10.1.2.3', '192.0.2.1', '127.0.0.1', '::1', undefined].map((each) => createProxies(trusted)(at(each)))
  expect(known([])).toEqual([false, false, false, false, false])
  expect(known(['10.0.0.0/8', '192.0.2.1'])).toEqual([true, true, false, false, false])
  expect(known(['loopback'])).toEqual([false, false, true, true, false])
})
