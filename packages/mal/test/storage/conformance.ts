import { expect, test } from 'vitest'
import type { AccountStorage, MalStorage } from '../../src/storage/storage.ts'

/** A storage as two processes have it. */
export interface Opened extends AsyncDisposable {
  readonly one: MalStorage
  readonly two: MalStorage
  /** Owners that there are. */
  readonly owners: readonly [string, string]
}

/** What every storage does, whatever it keeps things in. */
export function verifyStorage(open: () => Promise<Opened>): void {
  /** The same account in both processes. */
  async function openAccount() {
    const opened = await open()
    const [owner] = opened.owners
    const of = (storage: MalStorage): AccountStorage => storage.forAccount(owner, '9000002')
    return { opened, one: of(opened.one), two: of(opened.two) }
  }

  test('what one process keeps, another finds, with a version that grows', async () => {
    const { opened, one, two } = await openAccount()
    await using _ = opened
    expect(await one.find('notes', 'a')).toBeUndefined()
    expect(await one.put('notes', 'a', { text: 'ä\u0000"\n', list: [1, null, true] })).toBe(true)
    expect(await two.find('notes', 'a')).toEqual({
      key: 'a',
      version: 1,
      value: { text: 'ä\u0000"\n', list: [1, null, true] },
    })
    expect(await two.put('notes', 'a', 'second')).toBe(true)
    expect(await one.find('notes', 'a')).toEqual({ key: 'a', version: 2, value: 'second' })
    await one.forget('notes', 'a')
    await one.forget('notes', 'a')
    expect(await two.find('notes', 'a')).toBeUndefined()
  })

  test('it is written only where it still is as expected', async () => {
    const { opened, one, two } = await openAccount()
    await using _ = opened
    expect(await one.put('notes', 'a', 1, 1)).toBe(false)
    expect(await one.put('notes', 'a', 1, 0)).toBe(true)
    expect(await two.put('notes', 'a', 2, 0)).toBe(false)
    expect(await two.put('notes', 'a', 2, 1)).toBe(true)
    expect(await one.put('notes', 'a', 3, 1)).toBe(false)
    expect(await one.find('notes', 'a')).toEqual({ key: 'a', version: 2, value: 2 })
  })

  test('of many who want the same at once, one has it', async () => {
    const { opened, one, two } = await openAccount()
    await using _ = opened
    for (let version = 0; version < 5; version += 1) {
      const tries = Array.from({ length: 8 }, (_none, at) => (at % 2 ? one : two).put('leases', 'l', at, version))
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
    }
    expect(await two.find('leases', 'l')).toMatchObject({ version: 5 })
  })

  test('many who write without a condition lose nothing but each other', async () => {
    const { opened, one, two } = await openAccount()
    await using _ = opened
    const tries = Array.from({ length: 12 }, (_none, at) => (at % 2 ? one : two).put('notes', 'n', at))
    expect(await Promise.all(tries)).toEqual(tries.map(() => true))
    expect((await one.find('notes', 'n'))?.version).toBeGreaterThan(0)
  })

  test('a collection is listed newest key first, page after page', async () => {
    const { opened, one, two } = await openAccount()
    await using _ = opened
    const keys = ['a', 'B', 'b', 'ab', 'é', '2', '10', 'a.0002', 'a.0010', '../x', '日']
    for (const key of keys) await one.put('notes', key, key)
    await one.put('other', 'z', 1)
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)))
    expect((await two.list('notes', { limit: 100 })).map(({ key }) => key)).toEqual(sorted)
    const first = await two.list('notes', { limit: 4 })
    const before = first.at(-1)?.key ?? ''
    const rest = await two.list('notes', { limit: 100, before })
    expect([...first, ...rest].map(({ value }) => value)).toEqual(sorted)
    expect(await two.list('nothing', { limit: 100 })).toEqual([])
  })

  test('nobody sees what another keeps: not another owner, not another account of theirs', async () => {
    await using opened = await open()
    const { one, owners } = opened
    await one.forAccount(owners[0], '1').put('notes', 'a', 'mine')
    for (const [owner, account] of [
      [owners[1], '1'],
      [owners[0], '2'],
    ] as const) {
      const other = one.forAccount(owner, account)
      expect(await other.find('notes', 'a')).toBeUndefined()
      expect(await other.list('notes', { limit: 10 })).toEqual([])
      await other.forget('notes', 'a')
    }
    expect(await one.forAccount(owners[0], '1').find('notes', 'a')).toMatchObject({ value: 'mine' })
  })

  test('what is too large is not kept', async () => {
    const { opened, one } = await openAccount()
    await using _ = opened
    await expect(one.put('notes', 'a', 'x'.repeat(5 * 1024 * 1024))).rejects.toThrow('too large to be kept')
    await expect(one.put('notes', 'x'.repeat(101), 1)).rejects.toThrow('no key to keep')
    expect(await one.list('notes', { limit: 10 })).toEqual([])
  })
}
