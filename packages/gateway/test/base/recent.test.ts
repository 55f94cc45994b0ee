import { expect, test } from 'vitest'
import { createRecent } from '../../src/base/recent.ts'

test('keeps as many as it may, and tells of the one that was used longest ago', () => {
  const evicted: number[] = []
  const recent = createRecent<string, number>(2, (value) => evicted.push(value))
  recent.set('a', 1).set('b', 2)
  recent.get('a')
  recent.set('c', 3)
  expect([...recent.keys()]).toEqual(['c', 'a'])
  expect(evicted).toEqual([2])
})

test('tells of none that was taken out or replaced', () => {
  const evicted: number[] = []
  const recent = createRecent<string, number>(2, (value) => evicted.push(value))
  recent.set('a', 1).set('a', 2).delete('a')
  expect(recent.size).toBe(0)
  expect(evicted).toEqual([])
})

test('takes no room for what it may keep', () => {
  const before = process.memoryUsage()
  const many = Array.from({ length: 200 }, () => createRecent<string, number>(100_000))
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  // Made ahead, their places would be 440 MB.
  expect(heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(100_000_000)
  expect(many).toHaveLength(200)
})
