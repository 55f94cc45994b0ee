import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom } from '../../src/base/ids.ts'
import { problem } from '../../src/base/problem.ts'
import { createSessions, type Sessions, type SessionsNeeds } from '../../src/mcp/sessions/sessions.ts'
import { openWire } from '../../src/mcp/sessions/wire.ts'
import type { Storage } from '../../src/storage/database.ts'
import { createHub, createMemoryBus } from '../../src/storage/shared/memory-bus.ts'
import { openEmbedded } from '../login/scene.ts'
import { codeOf } from '../stores/outcome.ts'
import { addUsers, createTestClock, eachDatabase, KEY, principalOf, quiet, ten, type Clock } from './sessions-scene.ts'

const ada = principalOf('ada')
const bob = principalOf('bob')
const from = { principal: ada, server: undefined }
const DAY_MS = 24 * 3_600_000

/** The sessions of one process; those on one hub hear each other. */
async function openProcess(
  storage: Storage,
  clock: Clock,
  more: Partial<SessionsNeeds> & { hub?: ReturnType<typeof createHub> } = {},
) {
  const { hub = createHub(), ...needs } = more
  const bus = createMemoryBus({ hub })
  const forgotten: string[] = []
  const sessions = createSessions({
    storage,
    clock,
    random: systemRandom,
    log: quiet,
    key: KEY,
    wire: await openWire({ bus, log: quiet }),
    checkResource() {},
    forget: async (session) => void forgotten.push(session),
    rereadMs: 5_000,
    keptMost: 100,
    ...needs,
  })
  return { ...sessions, forgotten, bus }
}

async function countRows(storage: Storage): Promise<number> {
  return (await storage.for(ten).selectFrom('mcp_sessions').select('id').execute()).length
}

const open = (sessions: Sessions, params: object = {}) => sessions.open(ada, { ...params }, '2025-11-25')

/** What another process has been told has arrived there. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

eachDatabase((_name, openFresh) => {
  test('of a session that keeps nothing there is no row, and any process knows what was agreed on', async () => {
    await using database = await openFresh()
    const { storage } = database
    const clock = createTestClock()
    const here = await openProcess(storage, clock)
    const there = await openProcess(await database.again(), clock)
    const params = { capabilities: { elicitation: { url: {} }, roots: {} }, clientInfo: { name: 'x', version: '1' } }
    const { headerValue, session } = open(here, params)
    const same = {
      id: session.id,
      version: '2025-11-25',
      principal: { tenant: ada.tenant, userId: ada.userId },
      opensAddresses: true,
      client: { capabilities: '{"elicitation":{"url":{}},"roots":{}}', session: session.id, logLevel: undefined },
    }
    expect(here.find(ada, headerValue)).toBe(session)
    expect(session).toMatchObject(same)
    const met = await there.find(ada, headerValue)
    expect(met).toMatchObject(same)
    expect(there.find(ada, headerValue)).toBe(met)
    expect(await countRows(storage)).toBe(0)
  })

  test('a session is its own user’s, whoever else has seen its id', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const here = await openProcess(database.storage, createTestClock())
    const { headerValue, session } = open(here)
    await here.setLevel(session, 'debug')
    const asBob = (async () => here.find(bob, headerValue))()
    expect(await codeOf(asBob)).toBe('request.session_unknown')
    const there = await openProcess(database.storage, createTestClock())
    expect(await codeOf((async () => there.find(bob, headerValue))())).toBe('request.session_unknown')
    expect(await codeOf((async () => there.find(ada, 'made up'))())).toBe('request.session_unknown')
    expect((await there.find(ada, headerValue)).client.logLevel).toBe('debug')
  })

  test('what one process is told, the others know at once, and so does the next after a restart', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const hub = createHub()
    const here = await openProcess(database.storage, clock, { hub })
    const there = await openProcess(await database.again(), clock, { hub })
    const { headerValue, session } = open(here)
    const met = await there.find(ada, headerValue)

    await here.setLevel(session, 'info')
    await here.subscribe(session, 'notes+file:///a', from)
    await turn()
    expect(await there.find(ada, headerValue)).toBe(met)
    expect(met.client.logLevel).toBe('info')
    expect([...there.resourcesOf(met)]).toEqual(['notes+file:///a'])

    await there.subscribe(met, 'wiki+x:/b', from)
    await there.unsubscribe(met, 'notes+file:///a', from)
    await turn()
    await here.find(ada, headerValue)
    expect([...here.resourcesOf(session)]).toEqual(['wiki+x:/b'])

    const next = await openProcess(database.storage, clock)
    const after = await next.find(ada, headerValue)
    expect(after.client.logLevel).toBe('info')
    expect([...next.resourcesOf(after)]).toEqual(['wiki+x:/b'])
  })

  test('what a process could not be told it finds out within five seconds', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const here = await openProcess(database.storage, clock)
    const deaf = await openProcess(await database.again(), clock)
    const { headerValue, session } = open(here)
    const met = await deaf.find(ada, headerValue)
    await here.setLevel(session, 'error')
    expect(deaf.find(ada, headerValue)).toBe(met)
    expect(met.client.logLevel).toBeUndefined()
    clock.turn(5_000)
    await deaf.find(ada, headerValue)
    expect(met.client.logLevel).toBe('error')
    await here.end(session)
    clock.turn(5_000)
    expect(await codeOf((async () => deaf.find(ada, headerValue))())).toBe('request.session_unknown')
    expect(deaf.forgotten).toEqual([session.id])
  })

  test('subscriptions of several processes at once are all kept, and so is what they take back', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const processes = [
      await openProcess(database.storage, clock),
      await openProcess(await database.again(), clock),
      await openProcess(await database.again(), clock),
    ]
    const { headerValue } = open(processes[0] as Sessions)
    const uris = Array.from({ length: 24 }, (_, index) => `notes+file:///${index}`)
    await Promise.all(
      uris.map(async (uri, index) => {
        const sessions = processes[index % 3] as Sessions
        const session = await sessions.find(ada, headerValue)
        await sessions.subscribe(session, uri, from)
        if (index % 2) await sessions.unsubscribe(session, uri, from)
      }),
    )
    const last = await openProcess(database.storage, clock)
    const kept = last.resourcesOf(await last.find(ada, headerValue))
    expect([...kept].sort()).toEqual(uris.filter((_, index) => index % 2 === 0).sort())
  })

  test('any text can be subscribed to and taken back, whatever else there is', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const here = await openProcess(database.storage, clock)
    const text = fc.oneof(
      fc.constantFrom('', ',', '"', '\\', '[', ']', '","', 'a', '"a"', 'a,b', '\0', '\\"'),
      fc.string(),
    )
    const steps = fc.array(fc.record({ uri: text, on: fc.boolean() }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const { headerValue, session } = open(here)
        const model = new Set<string>()
        for (const { uri, on } of given) {
          await here[on ? 'subscribe' : 'unsubscribe'](session, uri, from)
          if (on) model.add(uri)
          else model.delete(uri)
        }
        const next = await openProcess(database.storage, clock)
        expect([...next.resourcesOf(await next.find(ada, headerValue))].sort()).toEqual([...model].sort())
      }),
      { numRuns: 40 },
    )
  })

  test('an ended session is unknown for ever, in every process, and servers are told to forget it', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const hub = createHub()
    const here = await openProcess(database.storage, clock, { hub })
    const there = await openProcess(await database.again(), clock, { hub })
    const { headerValue, session } = open(here)
    const met = await there.find(ada, headerValue)
    const heard: string[] = []
    there.hold(met, { changed: async () => {}, ended: () => void heard.push('ended') })
    await here.end(session)
    await turn()
    const unknown = async (sessions: Sessions) => codeOf((async () => sessions.find(ada, headerValue))())
    expect(await unknown(here)).toBe('request.session_unknown')
    expect(await unknown(there)).toBe('request.session_unknown')
    expect(heard).toEqual(['ended'])
    expect([here.forgotten, there.forgotten]).toEqual([[session.id], [session.id]])

    // A change that comes late does not bring it back.
    await there.setLevel(met, 'debug')
    clock.turn(29 * DAY_MS)
    await here.sweep()
    expect(await unknown(await openProcess(database.storage, clock))).toBe('request.session_unknown')
    clock.turn(40 * DAY_MS)
    await here.sweep()
    expect(await countRows(database.storage)).toBe(0)
    expect(await unknown(await openProcess(database.storage, clock))).toBe('request.session_unknown')
  })

  test('an id is good for 30 days after it was made, and after the session last changed', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const here = await openProcess(database.storage, clock)
    const quietOne = open(here).headerValue
    const changing = open(here)
    const next = async (header: string) => {
      const process = await openProcess(database.storage, clock)
      return codeOf((async () => process.find(ada, header))())
    }
    clock.turn(29 * DAY_MS)
    expect(await next(quietOne)).toBe('none')
    await here.setLevel(changing.session, 'debug')
    clock.turn(29 * DAY_MS)
    await here.sweep()
    expect(await next(quietOne)).toBe('request.session_unknown')
    expect(await codeOf((async () => here.find(ada, quietOne))())).toBe('request.session_unknown')
    expect(await next(changing.headerValue)).toBe('none')
    clock.turn(2 * DAY_MS)
    expect(await next(changing.headerValue)).toBe('request.session_unknown')
  })

  test('something is kept of so many sessions of a user, and those go on; what keeps nothing, and others, are not counted', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const sessions = await openProcess(database.storage, createTestClock(), { keptMost: 2 })
    const [first, second, third] = [open(sessions), open(sessions), open(sessions)]
    await sessions.setLevel(first.session, 'error')
    await sessions.subscribe(second.session, 'notes+a', from)
    const tooMany = expect.objectContaining({ code: 'limit.sessions' })
    await expect(sessions.setLevel(third.session, 'error')).rejects.toEqual(tooMany)
    await expect(sessions.subscribe(third.session, 'notes+a', from)).rejects.toEqual(tooMany)
    await expect(sessions.end(third.session)).rejects.toEqual(tooMany)
    expect(await countRows(database.storage)).toBe(2)
    await sessions.setLevel(second.session, 'debug')
    await sessions.end(first.session)
    expect(await sessions.find(ada, third.headerValue)).toBe(third.session)
    const bobs = sessions.open(bob, {}, '2025-11-25')
    await sessions.setLevel(bobs.session, 'error')
    expect(await countRows(database.storage)).toBe(3)
  })

  test('what a server cannot take note of is not subscribed to, and what nobody can have is unknown', async () => {
    await using database = await openFresh()
    await addUsers(database.storage)
    const clock = createTestClock()
    const here = await openProcess(database.storage, clock, {
      checkResource(uri) {
        if (uri === 'nobody') throw problem('resource.unknown', { uri })
      },
    })
    const { headerValue, session } = open(here)
    let isDown = true
    here.hold(session, {
      async changed() {
        if (isDown) throw problem('upstream.unreachable', { server: 'notes' })
      },
      ended() {},
    })
    expect(await codeOf(here.subscribe(session, 'nobody', from))).toBe('resource.unknown')
    expect(await codeOf(here.subscribe(session, 'notes+a', from))).toBe('upstream.unreachable')
    expect(await codeOf(here.subscribe(session, `notes+${'a'.repeat(8_000)}`, from))).toBe('request.params')
    const next = await openProcess(database.storage, clock)
    expect([...next.resourcesOf(await next.find(ada, headerValue))]).toEqual([])
    isDown = false
    await here.subscribe(session, 'notes+a', from)
    expect([...here.resourcesOf(session)]).toEqual(['notes+a'])
    // A level is set whether its servers can be told or not: each call tells them.
    isDown = true
    await here.setLevel(session, 'info')
    expect(session.client.logLevel).toBe('info')
  })
})

test('a session that is held stays known when many others come by', async () => {
  await using storage = await openEmbedded()
  const here = await openProcess(storage, createTestClock(), { rereadMs: Infinity, knownMost: 10 })
  const { headerValue, session } = open(here)
  const release = here.hold(session, { changed: async () => {}, ended() {} })
  for (let index = 0; index < 20; index++) open(here)
  expect(await here.find(ada, headerValue)).toBe(session)
  release()
  for (let index = 0; index < 20; index++) open(here)
  expect(await here.find(ada, headerValue)).not.toBe(session)
})
