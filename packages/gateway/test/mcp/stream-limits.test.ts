import { expect, test } from 'vitest'
import { eventually, initialize, openGate, openStream, post } from './sessions-scene.ts'

const LISTEN = { id: 1, method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } }

test('a user has so many streams and no more, whichever way they came; one that has ended makes room', async () => {
  const { one } = await openGate(1, { most: { streamsPerUser: 2, streams: 3 } })
  const refusal = async (user: string) => {
    const { status, body } = await post(one, LISTEN, { user })
    return [status, JSON.parse(body).error.data.code]
  }
  const first = await openStream(one, { body: LISTEN })
  const session = await initialize(one)
  expect((await openStream(one, { session })).status).toBe(200)
  expect(await refusal('ada')).toEqual([429, 'limit.streams'])
  expect((await openStream(one, { session })).status).toBe(429)
  expect((await openStream(one, { body: LISTEN, user: 'bob' })).status).toBe(200)
  expect(await refusal('bob')).toEqual([503, 'gate.overloaded'])
  first.cut()
  await eventually(() => one.limits.size === 2, 'was one of them over')
  expect((await openStream(one, { body: LISTEN })).status).toBe(200)
})

test('of a user’s sessions that wait for their clients so many are followed, and whoever was gone longest looks at all again', async () => {
  const { one, clock } = await openGate(1, { most: { streamsPerUser: 2 } })
  const ids: string[] = []
  for (const _ of [1, 2, 3]) {
    const session = await initialize(one)
    const stream = await openStream(one, { session })
    stream.cut()
    await eventually(() => one.limits.size === 0, 'was it over')
    clock.turn(1_000)
    ids.push(session)
  }
  expect(one.streams.size).toBe(2)
  const [longest = '', , newest = ''] = ids
  const back = await openStream(one, { session: newest })
  expect(one.streams.size).toBe(2)
  back.cut()
  await eventually(() => one.limits.size === 0, 'was it over')
  expect((await openStream(one, { session: longest })).status).toBe(200)
  expect(one.streams.size).toBe(2)
})
