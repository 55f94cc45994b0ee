import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createAudit, type AuditNeeds } from '../../src/audit/append.ts'
import type { AuditEvent } from '../../src/audit/events.ts'
import { verifyChain } from '../../src/audit/verify.ts'
import type { UserId } from '../../src/base/ids.ts'
import type { Storage, SystemDb } from '../../src/storage/database.ts'
import { createTestClock, eachDatabase, other, quiet, ten } from '../stores/databases.ts'

const ada = 'usr_ada' as UserId
const call = (tool: string): AuditEvent => ({ kind: 'tool.call', userId: ada, server: 'github', tool, outcome: 'ok' })

function createLog(storage: Storage, more: Partial<AuditNeeds> = {}) {
  return createAudit({ storage, clock: createTestClock(), log: quiet, ...more })
}

async function entriesOf(storage: Storage): Promise<{ seq: number; tool?: unknown }[]> {
  const rows = await storage.for(ten).selectFrom('audit').select(['seq', 'entry']).orderBy('seq').execute()
  return rows.map(({ seq, entry }) => ({ seq, ...JSON.parse(entry) }))
}

eachDatabase((name, openFresh) => {
  test('entries are kept in order, with who, when and the fields of their event', async () => {
    await using database = await openFresh()
    const { storage } = database
    const clock = createTestClock()
    const audit = createLog(storage, { clock })
    void audit.record(ten, { ...call('first'), requestId: 'r-1' })
    clock.turn(5)
    void audit.record(ten, { kind: 'gate.stopped' })
    await audit.close()
    const at = clock.now()
    expect(await entriesOf(storage)).toEqual([
      {
        seq: 1,
        at: at - 5,
        kind: 'tool.call',
        user: ada,
        request: 'r-1',
        server: 'github',
        tool: 'first',
        outcome: 'ok',
      },
      { seq: 2, at, kind: 'gate.stopped' },
    ])
    expect(await verifyChain(storage, ten)).toEqual({ whole: true, entries: 2 })
  })

  test('what is no field of its event is not kept, whatever a caller passes', async () => {
    await using database = await openFresh()
    const audit = createLog(database.storage)
    const careless = { ...call('x'), token: 'hunter2', tool: { nested: 'hunter2' } }
    // @ts-expect-error neither a field of the event nor a plain value
    void audit.record(ten, careless)
    void audit.record(ten, call('long'.repeat(1_000)))
    await audit.close()
    const [first, second] = await entriesOf(database.storage)
    expect(JSON.stringify(first)).not.toContain('hunter2')
    expect(second?.tool).toBe('long'.repeat(128))
  })

  test('entries wait for each other only until there are enough of them', async () => {
    await using database = await openFresh()
    const audit = createLog(database.storage, { every: 3_600_000, atMost: 3 })
    for (const tool of ['a', 'b', 'c']) void audit.record(ten, call(tool))
    await expect.poll(() => entriesOf(database.storage)).toHaveLength(3)
    await audit.close()
  })

  test('a synchronous log has kept an entry when its promise ends', async () => {
    await using database = await openFresh()
    const audit = createLog(database.storage, { synchronous: true, every: 3_600_000 })
    await Promise.all([audit.record(ten, call('a')), audit.record(ten, call('b'))])
    expect(await entriesOf(database.storage)).toMatchObject([{ tool: 'a' }, { tool: 'b' }])
  })

  test('each tenant has a chain of its own, that goes on after a restart', async () => {
    await using database = await openFresh()
    const { storage } = database
    for (let start = 0; start < 3; start++) {
      const audit = createLog(storage)
      void audit.record(ten, call('a'))
      void audit.record(other, call('b'))
      void audit.record(ten, call('c'))
      await audit.close()
    }
    expect(await verifyChain(storage, ten)).toEqual({ whole: true, entries: 6 })
    expect(await verifyChain(storage, other)).toEqual({ whole: true, entries: 3 })
  })

  test('two processes that write at once make one chain, with every entry of both', async () => {
    await using database = await openFresh()
    const logs = [createLog(database.storage, { atMost: 10 })]
    if (name === 'postgres') logs.push(createLog(await database.again(), { atMost: 10 }))
    const write = async (audit: ReturnType<typeof createAudit>, process: number) => {
      for (let round = 0; round < 15; round++) {
        for (let index = 0; index < 25; index++) void audit.record(ten, call(`${process}-${round}-${index}`))
        await audit.flush()
      }
    }
    await Promise.all(logs.map(write))
    const entries = 15 * 25 * logs.length
    expect(await verifyChain(database.storage, ten)).toEqual({ whole: true, entries })
    expect(new Set((await entriesOf(database.storage)).map(({ tool }) => tool)).size).toBe(entries)
  })

  test.each([
    ['an entry that was changed', 'update audit set entry = replace(entry, \'"c"\', \'"z"\') where seq = 3', 3],
    ['a column that disagrees with its entry', "update audit set user_id = 'usr_eve' where seq = 2", 2],
    ['a time that was changed', 'update audit set at = at - 1 where seq = 4', 4],
    ['an entry that was taken out', 'delete from audit where seq = 2', 2],
    ['a beginning that was taken off', 'delete from audit where seq <= 2', 1],
    [
      'entries that changed places',
      'update audit set seq = (case seq when 2 then 3 else 2 end) - 10 where seq in (2, 3); update audit set seq = seq + 10 where seq < 0',
      2,
    ],
    ["a chain that is another tenant's", "update audit set tenant_id = 'ten_b'", 1],
  ])('%s is found, and named', async (what, change, seq) => {
    await using database = await openFresh()
    const { storage } = database
    const audit = createLog(storage)
    for (const tool of ['a', 'b', 'c', 'd']) void audit.record(ten, call(tool))
    await audit.close()
    for (const statement of change.split(';')) await sql.raw(statement).execute(storage.system)
    const tenant = what.includes('tenant') ? other : ten
    expect(await verifyChain(storage, tenant)).toEqual({ whole: false, seq })
  })

  test('while the log cannot be written entries wait; when too many of a tenant do, it alone is refused more', async () => {
    await using database = await openFresh()
    const { storage } = database
    const logged: string[] = []
    const log = { ...quiet, error: (_facts: object, event: string) => void logged.push(event) }
    const audit = createLog(storage, { queueLimit: 20, log })
    await sql`alter table audit rename to away`.execute(storage.system)
    for (let index = 0; index < 18; index++) void audit.record(ten, call(String(index)))
    await expect(audit.flush()).rejects.toThrow('audit')
    expect(() => audit.requireRoom(ten)).toThrow(expect.objectContaining({ code: 'audit.full' }))
    void audit.record(ten, call('under way'))
    void audit.record(ten, call('also under way'))
    expect(() => audit.record(ten, call('one too many'))).toThrow(expect.objectContaining({ code: 'audit.full' }))
    expect(() => audit.note(ten, call('nobody waits for it'))).not.toThrow()
    expect(logged).toContain('audit.not_kept')
    expect(() => audit.requireRoom(other)).not.toThrow()
    void audit.record(other, call('of another tenant'))

    await sql`alter table away rename to audit`.execute(storage.system)
    await audit.close()
    expect(() => audit.requireRoom(ten)).not.toThrow()
    expect(await verifyChain(storage, ten)).toEqual({ whole: true, entries: 20 })
    expect(await verifyChain(storage, other)).toEqual({ whole: true, entries: 1 })
  })

  test('a synchronous log that cannot be written says so to whoever waits, and keeps trying', async () => {
    await using database = await openFresh()
    const { storage } = database
    const audit = createLog(storage, { synchronous: true })
    await sql`alter table audit rename to away`.execute(storage.system)
    void audit.record(ten, call('nobody waits'))
    await expect(audit.record(ten, call('somebody waits'))).rejects.toMatchObject({ code: 'audit.full' })
    await sql`alter table away rename to audit`.execute(storage.system)
    await audit.close()
    expect(await verifyChain(storage, ten)).toEqual({ whole: true, entries: 2 })
  })

  test('a group whose commit was not heard of is not written twice', async () => {
    await using database = await openFresh()
    const { storage } = database
    let answersLost = 1
    const audit = createLog({ ...storage, system: losingAnswers(storage.system, () => answersLost-- > 0) })
    void audit.record(ten, call('a'))
    await expect(audit.flush()).rejects.toThrow('connection lost')
    void audit.record(ten, call('b'))
    await audit.close()
    expect(await entriesOf(storage)).toMatchObject([
      { seq: 1, tool: 'a' },
      { seq: 2, tool: 'b' },
    ])
    expect(await verifyChain(storage, ten)).toEqual({ whole: true, entries: 2 })
  })
})

/** The real database on a connection that breaks after the commit and before the answer. */
function losingAnswers(system: SystemDb, loses: () => boolean): SystemDb {
  return new Proxy(system, {
    get(target, property) {
      if (property !== 'executeQuery') return Reflect.get(target, property, target).bind?.(target)
      return async (query: Parameters<SystemDb['executeQuery']>[0]) => {
        const answer = await target.executeQuery(query)
        if (loses()) throw new Error('connection lost')
        return answer
      }
    },
  })
}
