import { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHeat } from '../../src/http/heat.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A connection from an address that something is read from. */
function connection(remoteAddress = '192.0.2.1'): Socket {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
  return socket.resume()
}

function open(chance = 0.5) {
  let now = 5_000
  const turn = (milliseconds: number) => void (now += milliseconds)
  return { turn, ...createHeat({ now: () => now, chance: () => chance, hear: (socket) => void socket.resume() }) }
}

/** For how many whole milliseconds nothing more is read from a connection; ten seconds at most. */
function heldFor(socket: Socket): number {
  let milliseconds = 0
  for (; socket.isPaused() && milliseconds < 10_000; milliseconds++) vi.advanceTimersByTime(1)
  return milliseconds
}

test.for([
  [0, 187],
  [0.5, 250],
  [1, 312],
] as const)('nothing is heard of who was refused for a moment, never for all the same one: %s', ([chance, held]) => {
  const { refused } = open(chance)
  const socket = connection()
  refused(socket)
  expect(heldFor(socket)).toBe(held)
})

test('the more an address was refused lately, the longer, whichever connection it uses; others do not wait with it', () => {
  const { refused } = open()
  for (let times = 0; times < 39; times++) refused(connection('2001:db8::1'))
  const [again, other] = [connection('2001:db8::2'), connection('2001:db8:1::1')]
  refused(again)
  refused(other)
  expect(heldFor(other)).toBe(250)
  // Twice as long in all.
  expect(heldFor(again)).toBe(250)
})

test('but never longer than 5 seconds', () => {
  const { refused } = open()
  for (let times = 0; times < 1_000; times++) refused(connection())
  const socket = connection()
  refused(socket)
  expect(heldFor(socket)).toBe(5_000)
})

test('of who stops, half is forgotten each second', () => {
  const { refused, turn } = open()
  for (let times = 0; times < 80; times++) refused(connection())
  turn(1_000)
  const socket = connection()
  refused(socket)
  expect(heldFor(socket)).toBe(512)
})

test('a connection that is held already is not held longer by a second refusal', () => {
  const { refused } = open()
  const socket = connection()
  refused(socket)
  vi.advanceTimersByTime(200)
  refused(socket)
  expect(heldFor(socket)).toBe(50)
  refused(socket)
  expect(heldFor(socket)).toBe(250)
})

test('one request was on its way when the connection was held up; a second was sent without waiting', () => {
  const { refused, holds } = open()
  const socket = connection()
  expect([holds(socket), holds(socket)]).toEqual([false, false])
  refused(socket)
  expect([holds(socket), holds(socket), holds(socket)]).toEqual([false, true, true])
  vi.advanceTimersByTime(250)
  expect([holds(socket), holds(socket)]).toEqual([false, false])
  refused(socket)
  expect([holds(socket), holds(socket)]).toEqual([false, true])
})

test('what has ended is not held', () => {
  const { refused, holds } = open()
  const socket = connection()
  socket.destroy()
  refused(socket)
  expect([holds(socket), holds(socket), vi.getTimerCount()]).toEqual([false, false, 0])
})

test('an address is hot once it was refused a lot lately, on any connection of it, and no other is', () => {
  const { refused, isHot, turn } = open()
  for (let times = 0; times < 19; times++) refused(connection())
  expect(isHot(connection())).toBe(false)
  refused(connection())
  expect([isHot(connection()), isHot(connection('192.0.2.2'))]).toEqual([true, false])
  turn(1_000)
  expect(isHot(connection())).toBe(false)
})

test('who comes hot is held as long as who was refused', () => {
  const { hold } = open()
  const socket = connection()
  hold(socket)
  expect(heldFor(socket)).toBe(250)
})

test('all that is refused counts, whichever address it comes from: a flood from many makes everyone refused wait longer', () => {
  const { refused } = open()
  for (let host = 0; host < 200; host++) refused(connection(`198.51.100.${host}`))
  const socket = connection()
  refused(socket)
  expect(heldFor(socket)).toBe(Math.floor((250 * 201) / 100))
})
