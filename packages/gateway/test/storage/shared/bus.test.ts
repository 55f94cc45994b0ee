import { describe, expect, test } from 'vitest'
import { createTopics } from '../../../src/storage/shared/topics.ts'
import {
  createListeningLog,
  eventually,
  eachBus,
  newDatabase,
  openBreakableRedis,
  openOnRedis,
  withoutRedis,
} from './places.ts'

const unreachable = expect.objectContaining({ code: 'shared.unreachable' })

eachBus((openProcesses) => {
  test('what is published is heard by all who hear the topic, the publisher too, and by nobody else', async () => {
    const [one, two, three] = await openProcesses(3)
    const heard: string[] = []
    await one?.bus.subscribe('news', (payload) => heard.push(`one ${payload.toString()}`))
    await two?.bus.subscribe('news', (payload) => heard.push(`two ${payload.toString()}`))
    await three?.bus.subscribe('newsletter', (payload) => heard.push(`three ${payload.toString()}`))
    await one?.bus.publish('news', Buffer.from('hello'))
    await eventually(() => expect(heard.toSorted()).toEqual(['one hello', 'two hello']))
  })

  test('bytes arrive as they are, in the order of their sender', async () => {
    const [one, two] = await openProcesses(2)
    const heard: Buffer[] = []
    await two?.bus.subscribe('bytes', (payload) => heard.push(payload))
    const sent = Array.from({ length: 300 }, (_, index) => Buffer.from([index & 255, 0, 10, 13, 255, 128]))
    await Promise.all(sent.map(async (bytes) => one?.bus.publish('bytes', bytes)))
    await eventually(() => expect(heard).toEqual(sent))
  })

  test('who has stopped listening hears nothing more, the others go on', async () => {
    const [one, two] = await openProcesses(2)
    const heard: string[] = []
    const stop = await two?.bus.subscribe('news', () => heard.push('first'))
    await two?.bus.subscribe('news', () => heard.push('second'))
    stop?.()
    await one?.bus.publish('news', Buffer.from(''))
    await eventually(() => expect(heard).toEqual(['second']))
    stop?.()
    await one?.bus.publish('news', Buffer.from(''))
    await eventually(() => expect(heard).toEqual(['second', 'second']))
  })

  test('who has stopped and listens again hears again', async () => {
    const [one, two] = await openProcesses(2)
    const heard: string[] = []
    for (let round = 0; round < 20; round++) (await two?.bus.subscribe('news', () => heard.push('before')))?.()
    await two?.bus.subscribe('news', () => heard.push('after'))
    await one?.bus.publish('news', Buffer.from(''))
    await eventually(() => expect(heard).toEqual(['after']))
  })

  test('a process lives until it has closed, and one that nobody has heard of does not', async () => {
    const [one, two] = await openProcesses(2)
    expect(await one?.bus.isAlive(two?.bus.instance ?? '')).toBe(true)
    expect(await one?.bus.isAlive(one.bus.instance)).toBe(true)
    expect(await one?.bus.isAlive('nobody')).toBe(false)
    await two?.close()
    await eventually(async () => expect(await one?.bus.isAlive(two?.bus.instance ?? '')).toBe(false))
  })

  test('instances are told apart, and are letters and digits', async () => {
    const names = (await openProcesses(3)).map(({ bus }) => bus.instance)
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9]+$/)
  })
})

describe.skipIf(withoutRedis)('on Redis', () => {
  test('gates of different databases do not hear each other', async () => {
    const [here] = await openOnRedis(1)
    const [there] = await openOnRedis(1)
    const heard: string[] = []
    await there?.bus.subscribe('news', () => heard.push('there'))
    await here?.bus.publish('news', Buffer.from(''))
    await there?.bus.publish('news', Buffer.from(''))
    await eventually(() => expect(heard).toEqual(['there']))
    expect(await there?.bus.isAlive(here?.instance ?? '')).toBe(false)
  })

  test('one database is one, whoever signs in there', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const [there] = await openOnRedis(1, { database: database.replace('//', '//ada:secret@') })
    expect(await there?.bus.isAlive(here?.instance ?? '')).toBe(true)
  })

  test('processes know of each other, as long as they are there', async () => {
    const database = newDatabase()
    const [one, two] = await openOnRedis(2, { database })
    await openOnRedis(1)
    expect(await one?.others()).toEqual([two?.instance])
    await two?.close()
    await eventually(async () => expect(await one?.others()).toEqual([]))
  })

  test('while Redis is away nothing is sent, at once; what a process tells itself still arrives', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const [bus] = (await openOnRedis(1, { ...redis, log })).map((shared) => shared.bus)
    const arrived: string[] = []
    await bus?.subscribe('news', (payload) => arrived.push(payload.toString()))
    await redis.goAway()
    await heard('shared.lost')
    const began = performance.now()
    await expect(bus?.publish('news', Buffer.from('here'))).rejects.toEqual(unreachable)
    await expect(bus?.isAlive('another')).rejects.toEqual(unreachable)
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(arrived).toEqual(['here'])
  })

  test('when Redis is back everything is heard again, and it was said once that it was away', async () => {
    const redis = await openBreakableRedis()
    const { log, heard, events } = createListeningLog()
    const database = newDatabase()
    const [one] = await openOnRedis(1, { redisUrl: redis.redisUrl, database, log })
    const [two] = await openOnRedis(1, { database })
    const arrived: string[] = []
    await one?.bus.subscribe('before', (payload) => arrived.push(payload.toString()))
    await redis.goAway()
    await heard('shared.lost')
    await one?.bus.subscribe('meanwhile', (payload) => arrived.push(payload.toString()))
    await redis.comeBack()
    await heard('shared.back')
    await two?.bus.publish('before', Buffer.from('one'))
    await two?.bus.publish('meanwhile', Buffer.from('two'))
    await eventually(() => expect(arrived).toEqual(['one', 'two']))
    await one?.bus.publish('before', Buffer.from('three'))
    expect(events).toEqual(['shared.opened', 'shared.lost', 'shared.back'])
  })

  test('just after Redis is back nobody is taken to be dead, since it may have forgotten who lives', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const [one] = await openOnRedis(1, { ...redis, log })
    expect(await one?.bus.isAlive('another')).toBe(false)
    await redis.goAway()
    await heard('shared.lost')
    await redis.comeBack()
    await heard('shared.back')
    await expect(one?.bus.isAlive('another')).rejects.toEqual(unreachable)
    await eventually(async () => expect(await one?.bus.isAlive('another')).toBe(false))
  })

  test('a Redis that takes everything and answers nothing is given up, and found again', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const [one] = await openOnRedis(1, { ...redis, log })
    redis.fallSilent()
    await expect(one?.bus.publish('news', Buffer.from(''))).rejects.toEqual(unreachable)
    await redis.comeBack()
    await heard('shared.back')
    await one?.bus.publish('news', Buffer.from(''))
  })

  test('where Redis is not there at the start, that is said', async () => {
    const redis = await openBreakableRedis()
    const { log, events } = createListeningLog()
    await redis.goAway()
    await expect(openOnRedis(1, { ...redis, log })).rejects.toMatchObject({
      code: 'shared.not_opened',
      message: expect.stringMatching(/^Redis cannot be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+\.$/),
    })
    expect(events).toEqual(['shared.not_opened'])
  })
})

test('one who takes a message badly keeps it from nobody', () => {
  const failures: unknown[] = []
  const heard: string[] = []
  const topics = createTopics({ failed: (error) => failures.push(error) })
  topics.add('news', () => {
    throw new Error('badly taken')
  })
  topics.add('news', () => heard.push('well taken'))
  topics.deliver('news', Buffer.from(''))
  expect(heard).toEqual(['well taken'])
  expect(failures).toEqual([new Error('badly taken')])
})
