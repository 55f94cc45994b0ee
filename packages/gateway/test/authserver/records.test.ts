import { errors } from 'oidc-provider'
import { expect, test } from 'vitest'
import { claimOnce, keepDeviceCodes, useOnce } from '../../src/authserver/once.ts'
import { createRecords, userCodeId } from '../../src/authserver/records.ts'
import { createTestClock, eachDatabase, type FreshDatabase } from '../stores/databases.ts'

function open({ storage }: FreshDatabase) {
  const clock = createTestClock()
  return { clock, records: createRecords({ storage, clock }) }
}

/** What a library's adapter does that nothing is told apart by. */
const base = {
  upsert: async () => {},
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
}

eachDatabase((_name, openFresh) => {
  test('RFC 6749 §4.1.2: of many that present one code at once, one is served', async () => {
    await using database = await openFresh()
    const { records } = open(database)
    for (const model of ['AuthorizationCode', 'DeviceCode']) {
      const codes = model === 'DeviceCode' ? keepDeviceCodes(base, { records }) : useOnce(model, base, { records })
      await records.put(model, 'code', { payload: { grantId: 'g' } })
      const uses = await Promise.allSettled(Array.from({ length: 5 }, () => codes.consume('code')))
      const refused = uses.filter(({ status }) => status === 'rejected')
      expect(refused.map((use) => 'reason' in use && use.reason)).toEqual(
        Array.from({ length: 4 }, () => expect.any(errors.InvalidGrant)),
      )
    }
  })

  test('RFC 7523 §3: of many that present one assertion at once, one is believed', async () => {
    await using database = await openFresh()
    const { records } = open(database)
    const replays = claimOnce(base, { records })
    const uses = await Promise.allSettled(Array.from({ length: 5 }, () => replays.upsert('jti', { exp: 1 }, 60)))
    const refused = uses.flatMap((use) => (use.status === 'rejected' ? [use.reason as unknown] : []))
    expect(refused).toEqual(Array.from({ length: 4 }, () => expect.any(errors.InvalidClient)))
    await expect(replays.upsert('another', { exp: 1 }, 60)).resolves.toBeUndefined()
  })

  test('of two successors of one token, the one that is used first counts, and the other stays as it was', async () => {
    await using database = await openFresh()
    const { records, clock } = open(database)
    const put = (id: string, parent?: string) => records.put('RefreshToken', id, { payload: {}, parent })
    await put('first')
    const hash = (await records.find('RefreshToken', 'first'))?.id ?? ''
    await put('one', hash)
    await put('other', hash)
    const at = clock.now()
    expect(await records.consume('RefreshToken', 'first')).toBe('first')
    clock.turn(1_000)
    expect(await records.consume('RefreshToken', 'one')).toBe('first')
    expect(await records.consume('RefreshToken', 'one')).toBe('again')
    expect(await records.consume('RefreshToken', 'other')).toBe('overtaken')
    const used = await records.findHashed('RefreshToken', hash)
    expect(used).toMatchObject({ consumed_at: at, successor_used_at: at + 1_000 })
    expect(await records.find('RefreshToken', 'other')).toMatchObject({ consumed_at: null })
    await records.destroy('RefreshToken', 'first')
    expect(await records.consume('RefreshToken', 'other')).toBe('first')
  })

  test('a record is found by its id, and by what else it was kept under, and nothing of that is in the table', async () => {
    await using database = await openFresh()
    const { records } = open(database)
    const codes = keepDeviceCodes(base, { records })
    await codes.upsert('device-code', { clientId: 'terminal', userCode: 'ABCD-EFGH', exp: 7 }, 600)
    const found = await records.findByUid('DeviceCode', userCodeId('ABCD-EFGH'))
    expect(found).toEqual(await records.find('DeviceCode', 'device-code'))
    expect(found).toMatchObject({ client_id: 'terminal', expires_at: 7_000, consumed_at: null, grant_id: null })
    expect(await records.findByUid('DeviceCode', userCodeId('ABCDEFGH'))).toEqual(found)
    expect(await records.findByUid('AccessToken', userCodeId('ABCDEFGH'))).toBeUndefined()
    expect(JSON.stringify(found)).not.toMatch(/device-code|ABCD/)
  })

  test('what somebody changed meanwhile is not written over', async () => {
    await using database = await openFresh()
    const { records } = open(database)
    await records.put('DeviceCode', 'code', { payload: { clientId: 'c' } })
    const seen = await records.find('DeviceCode', 'code')
    if (seen === undefined) throw new Error('not kept')
    expect(await records.replace(seen, { clientId: 'c', error: 'access_denied' })).toBe(true)
    expect(await records.replace(seen, { clientId: 'c', accountId: 'a' })).toBe(false)
    expect(JSON.parse((await records.find('DeviceCode', 'code'))?.payload ?? '')).toEqual({
      clientId: 'c',
      error: 'access_denied',
    })
  })

  test('what hangs on a grant goes with it, of the model that is named', async () => {
    await using database = await openFresh()
    const { records } = open(database)
    await records.put('AccessToken', 'one', { payload: { grantId: 'g' } })
    await records.put('AccessToken', 'other', { payload: { grantId: 'h' } })
    await records.put('RefreshToken', 'one', { payload: { grantId: 'g' } })
    await records.put('Grant', 'g', { payload: {} })
    expect(await records.find('Grant', 'g')).toMatchObject({ grant_id: 'g', expires_at: null })
    await records.destroyByGrant('AccessToken', 'g')
    expect(await records.find('AccessToken', 'one')).toBeUndefined()
    expect(await records.find('AccessToken', 'other')).toBeDefined()
    expect(await records.find('RefreshToken', 'one')).toBeDefined()
  })
})
