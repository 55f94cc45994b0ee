import { randomBytes } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { problem } from '../../../src/base/problem.ts'
import { createListeningLog, eachBus, newDatabase, openBreakableRedis, openOnRedis, withoutRedis } from './places.ts'
import { startOther } from './other.ts'

const never = new AbortController().signal
const nothing = Buffer.from('')
const gone = expect.objectContaining({ code: 'shared.gone' })
const unreachable = expect.objectContaining({ code: 'shared.unreachable' })

/** Looked at from the start, so that a failure that nobody has asked for yet is no fault. */
function failureOf(answer: Promise<Buffer> | undefined): Promise<unknown> {
  return Promise.resolve(answer).catch((error: unknown) => error)
}

/** What a process would do that is asked and takes its time. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
}

eachBus((openProcesses) => {
  async function openTwo() {
    const [asking, asked] = await openProcesses(2)
    if (!asking || !asked) throw new Error('there are two')
    const ask = (kind: string, payload = nothing, how: Partial<Parameters<typeof asking.relay.ask>[3]> = {}) =>
      asking.relay.ask(asked.bus.instance, kind, payload, { signal: never, ...how })
    return { asking, asked, ask }
  }

  test('what one process asks, the other answers, byte for byte', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('reverse', ({ payload }) => Promise.resolve(Buffer.from(payload.toReversed())))
    expect(await ask('reverse', Buffer.from([1, 10, 0, 255]))).toEqual(Buffer.from([255, 0, 10, 1]))
    expect(await ask('reverse')).toEqual(nothing)
  })

  test('many megabytes go either way whole', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('echo', ({ payload }) => Promise.resolve(payload))
    const much = randomBytes(24 * 1024 * 1024 + 1)
    const answer = await ask('echo', much)
    expect(answer.equals(much)).toBe(true)
  })

  test('frames come in order, before the answer, however large', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('count', async ({ frame }) => {
      for (let index = 0; index < 50; index++) frame(Buffer.alloc(index % 10 === 0 ? 1_000_000 : 3, index))
      return Promise.resolve(Buffer.from('end'))
    })
    const seen: string[] = []
    const answer = await ask('count', nothing, { frame: (bytes) => seen.push(`${bytes[0]} ${bytes.length}`) })
    seen.push(answer.toString())
    const expected = Array.from({ length: 50 }, (_, index) => `${index} ${index % 10 === 0 ? 1_000_000 : 3}`)
    expect(seen).toEqual([...expected, 'end'])
  })

  test('a hundred questions at once get each its own answer', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('echo', async ({ payload }) => {
      await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()))
      return payload
    })
    const questions = Array.from({ length: 100 }, (_, index) => Buffer.from(String(index)))
    expect(await Promise.all(questions.map((question) => ask('echo', question)))).toEqual(questions)
  })

  test('a failure arrives by its code and details', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('fail', () =>
      Promise.reject(problem('upstream.unknown', { server: 'files', cause: new Error('private') })),
    )
    const failure = await ask('fail').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'upstream.unknown', details: { server: 'files' } })
    expect(failure).not.toHaveProperty('cause')
  })

  test('a fault of the other process tells nothing of itself', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('fault', () => Promise.reject(new Error('private')))
    const failure = await ask('fault').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'gate.fault' })
    expect(JSON.stringify(failure)).not.toContain('private')
  })

  test('what nobody serves there is gone', async () => {
    const { ask } = await openTwo()
    await expect(ask('unheard-of')).rejects.toEqual(gone)
  })

  test('who is not there is gone, at once', async () => {
    const { asking } = await openTwo()
    const began = performance.now()
    await expect(asking.relay.ask('nobody', 'echo', nothing, { signal: never })).rejects.toEqual(gone)
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  test('who asks no more is told its own reason, and the other process stops', async () => {
    const { asked, ask } = await openTwo()
    const stopped = Promise.withResolvers<unknown>()
    const begun = Promise.withResolvers<void>()
    asked.relay.serve('slow', ({ signal }) => {
      begun.resolve()
      signal.addEventListener('abort', () => stopped.resolve(signal.reason))
      return untilAborted(signal)
    })
    const controller = new AbortController()
    const answer = ask('slow', nothing, { signal: controller.signal })
    await begun.promise
    controller.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
    expect(await stopped.promise).toEqual(gone)
  })

  test('who asks with a signal that has aborted is not asked for', async () => {
    const { asked, ask } = await openTwo()
    const serve = vi.fn<() => Promise<Buffer>>(() => Promise.resolve(nothing))
    asked.relay.serve('never', serve)
    await expect(ask('never', nothing, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    expect(serve).not.toHaveBeenCalled()
  })

  test('a frame that is badly taken ends the question with that failure', async () => {
    const { asked, ask } = await openTwo()
    asked.relay.serve('frame', ({ frame, signal }) => {
      frame(nothing)
      return untilAborted(signal)
    })
    const frame = () => {
      throw new Error('badly taken')
    }
    await expect(ask('frame', nothing, { frame })).rejects.toThrow('badly taken')
  })

  test('a process that closes leaves nobody waiting', async () => {
    const { asking, asked, ask } = await openTwo()
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    const serve = ({ signal }: { signal: AbortSignal }) => {
      begun.resolve()
      signal.addEventListener('abort', () => stopped.resolve())
      return untilAborted(signal)
    }
    asked.relay.serve('slow', serve)
    asking.relay.serve('slow', serve)
    const answer = ask('slow')
    await begun.promise
    const began = performance.now()
    await asked.close()
    await expect(answer).rejects.toEqual(gone)
    await stopped.promise
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  test('one process asks itself without a detour', async () => {
    const { asked } = await openTwo()
    const here = asked.bus.instance
    const failure = problem('tool.unknown', { tool: 'x' })
    const frames: Buffer[] = []
    asked.relay.serve('here', ({ frame, payload }) => {
      frame(payload)
      return Promise.resolve(payload)
    })
    asked.relay.serve('fail', () => Promise.reject(failure))
    asked.relay.serve('slow', ({ signal }) => untilAborted(signal))
    const payload = Buffer.from('same')
    const how = { signal: never, frame: (bytes: Buffer) => frames.push(bytes) }
    expect(await asked.relay.ask(here, 'here', payload, how)).toBe(payload)
    expect(frames).toEqual([payload])
    await expect(asked.relay.ask(here, 'fail', payload, how)).rejects.toBe(failure)
    await expect(asked.relay.ask(here, 'unheard-of', payload, how)).rejects.toEqual(gone)
    const controller = new AbortController()
    const slow = asked.relay.ask(here, 'slow', payload, { signal: controller.signal })
    controller.abort(failure)
    await expect(slow).rejects.toBe(failure)
  })
})

describe.skipIf(withoutRedis)('with another process', () => {
  test('it answers', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const other = await startOther(database)
    expect(await here?.relay.ask(other.instance, 'echo', Buffer.from('hi'), { signal: never })).toEqual(
      Buffer.from('hi'),
    )
  })

  test('killed while it answers, it is known to be gone within seconds', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const other = await startOther(database)
    const failure = failureOf(here?.relay.ask(other.instance, 'never', nothing, { signal: never }))
    await other.hears('asked')
    await other.kill()
    const began = performance.now()
    expect(await failure).toEqual(gone)
    expect(performance.now() - began).toBeLessThan(10_000)
    await expect(here?.relay.ask(other.instance, 'never', nothing, { signal: never })).rejects.toEqual(gone)
  })

  test('killed while it waits for an answer, nobody works for it any more', async () => {
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const begun = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<unknown>()
    here?.relay.serve('never', ({ signal }) => {
      begun.resolve()
      signal.addEventListener('abort', () => stopped.resolve(signal.reason))
      return untilAborted(signal)
    })
    const other = await startOther(database)
    await other.does('ask', here?.instance ?? '')
    await begun.promise
    await other.kill()
    const began = performance.now()
    expect(await stopped.promise).toEqual(gone)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe.skipIf(withoutRedis)('while Redis is away', () => {
  test('nobody can be asked, and that is said at once', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [here] = await openOnRedis(1, { ...redis, database, log })
    const [there] = await openOnRedis(1, { database })
    there?.relay.serve('echo', ({ payload }) => Promise.resolve(payload))
    await redis.goAway()
    await heard('shared.lost')
    const ask = () => here?.relay.ask(there?.instance ?? '', 'echo', nothing, { signal: never })
    await expect(ask()).rejects.toEqual(unreachable)
    await redis.comeBack()
    await heard('shared.back')
    expect(await ask()).toEqual(nothing)
  })

  test('an answer that is ready meanwhile is given when Redis is back', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [here] = await openOnRedis(1, { database })
    const [there] = await openOnRedis(1, { ...redis, database, log })
    const begun = Promise.withResolvers<void>()
    const ready = Promise.withResolvers<Buffer>()
    there?.relay.serve('slow', () => {
      begun.resolve()
      return ready.promise
    })
    const answer = here?.relay.ask(there?.instance ?? '', 'slow', nothing, { signal: never })
    await begun.promise
    await redis.goAway()
    await heard('shared.lost')
    ready.resolve(Buffer.from('ready'))
    await redis.comeBack()
    expect(await answer).toEqual(Buffer.from('ready'))
  })

  test('an answer that was lost on the way is not waited for', async () => {
    const redis = await openBreakableRedis()
    const { log, heard } = createListeningLog()
    const database = newDatabase()
    const [here] = await openOnRedis(1, { ...redis, database, log })
    const [there] = await openOnRedis(1, { database })
    const begun = Promise.withResolvers<void>()
    const ready = Promise.withResolvers<Buffer>()
    there?.relay.serve('slow', () => {
      begun.resolve()
      return ready.promise
    })
    const failure = failureOf(here?.relay.ask(there?.instance ?? '', 'slow', nothing, { signal: never }))
    await begun.promise
    await redis.goAway()
    await heard('shared.lost')
    ready.resolve(Buffer.from('lost'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await redis.comeBack()
    expect(await failure).toEqual(gone)
  })
})
