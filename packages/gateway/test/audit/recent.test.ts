import { expect, test } from 'vitest'
import { createAudit } from '../../src/audit/append.ts'
import { createRecent } from '../../src/audit/recent.ts'
import type { UserId } from '../../src/base/ids.ts'
import { createTestClock, eachDatabase, other, quiet, ten } from '../stores/databases.ts'

const [ada, ben] = ['usr_ada' as UserId, 'usr_ben' as UserId]
const wanted = { by: ['login.ok', 'key.added'], since: 0, most: 3 } as const

eachDatabase((_name, openFresh) => {
  test('a user’s entries are theirs, of the kinds that are asked for, the latest first and no more than that', async () => {
    await using fresh = await openFresh()
    const clock = createTestClock()
    const audit = createAudit({ storage: fresh.storage, clock, log: quiet })
    const recent = createRecent(fresh)
    for (const userId of [ada, ben]) audit.note(ten, { kind: 'login.ok', userId, address: userId })
    audit.note(other, { kind: 'login.ok', userId: ada, address: 'of another tenant' })
    audit.note(ten, { kind: 'tool.call', userId: ada, tool: 'x' })
    audit.note(ten, { kind: 'gate.started', version: '"target":"usr_ada"' })
    audit.note(ten, { kind: 'factors.reset', userId: ben, target: ada, name: 'ada' })
    audit.note(ten, { kind: 'login.failed', target: ben, address: 'not hers' })
    await audit.close()
    expect(await recent(ten, ada, wanted)).toEqual([
      { at: clock.now(), kind: 'factors.reset', fields: expect.objectContaining({ target: ada }) },
      { at: clock.now(), kind: 'login.ok', fields: expect.objectContaining({ address: ada }) },
    ])
    expect(await recent(ten, ada, { ...wanted, most: 1 })).toMatchObject([{ kind: 'factors.reset' }])
    expect(await recent(ten, ada, { ...wanted, since: clock.now() })).toEqual([])
  })

  test('whoever guesses at a name does not push what its user did off the list', async () => {
    await using fresh = await openFresh()
    const audit = createAudit({ storage: fresh.storage, clock: createTestClock(), log: quiet })
    audit.note(ten, { kind: 'key.added', userId: ada })
    for (let guess = 0; guess < 30; guess++) audit.note(ten, { kind: 'login.failed', target: ada })
    await audit.close()
    const kinds = (await createRecent(fresh)(ten, ada, { ...wanted, most: 20 })).map(({ kind }) => kind)
    expect(kinds).toEqual([...Array.from({ length: 8 }, () => 'login.failed'), 'key.added'])
  })
})
