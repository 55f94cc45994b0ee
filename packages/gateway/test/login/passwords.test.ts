import { expect, test } from 'vitest'
import { systemRandom } from '../../src/base/ids.ts'
import { createArgon2, RECOMMENDED } from '../../src/login/argon2.ts'
import { derive, deriveInThread } from '../../src/login/argon2-derive.ts'
import { requireStrong } from '../../src/login/password-rules.ts'

const rules = { length: 8, names: ['ada', 'sekisho'] }

test('any characters make a password, spaces and other scripts too, and no kind of them is demanded', () => {
  for (const password of [
    'eight ch',
    '関所手形を見せてください',
    'ééééabcd',
    'tr0mb0ne',
    ' leading and trailing ',
    'x1 '.repeat(80).replace('x', 'y'),
  ])
    expect(() => requireStrong(password, rules)).not.toThrow()
})

test('a character counts as one, however many bytes it takes', () => {
  expect(() => requireStrong('🦊🐢🦉🐝🦀🐙🦔', rules)).toThrow(/fewer than 8/)
  expect(() => requireStrong('🦊🐢🦉🐝🦀🐙🦔🐌', rules)).not.toThrow()
})

test('a hash is the same whichever Node made it', async () => {
  const from = { ...RECOMMENDED, password: 'a läntern 🏮', salt: systemRandom(16), tagLength: 32 }
  expect(await deriveInThread(from)).toEqual(await derive(from))
  await expect(deriveInThread({ ...from, salt: systemRandom(4) })).rejects.toThrow('Salt')
})

test('hashes are argon2id as OWASP recommends, salted, and take as long for nobody', async () => {
  const argon2 = createArgon2({ random: systemRandom })
  const [one, two] = [await argon2.hash('a lantern'), await argon2.hash('a lantern')]
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(one).not.toBe(two)
  expect(await argon2.verify('a lantern', one)).toBe(true)
  expect(await argon2.verify('a Lantern', one)).toBe(false)
  expect(await argon2.verify('a lantern', undefined)).toBe(false)
  const [known, nobody] = [
    await median(() => argon2.verify('x', one)),
    await median(() => argon2.verify('x', undefined)),
  ]
  expect(nobody).toBeGreaterThan(known / 3)
  expect(nobody).toBeLessThan(known * 3)
})

test('a hash made with other parameters is still good, and known to be of before', async () => {
  const before = createArgon2({ random: systemRandom, parameters: { memoryKib: 64, passes: 1, parallelism: 1 } })
  const argon2 = createArgon2({ random: systemRandom, parameters: { ...RECOMMENDED, memoryKib: 128 } })
  const hash = await before.hash('a lantern')
  expect(await argon2.verify('a lantern', hash)).toBe(true)
  expect([before.isOutdated(hash), argon2.isOutdated(hash)]).toEqual([false, true])
})

test('where more than a hundred wait for their turn, more are sent away', async () => {
  const argon2 = createArgon2({ random: systemRandom, parameters: { memoryKib: 64, passes: 1, parallelism: 1 } })
  const outcomes = await Promise.allSettled(Array.from({ length: 110 }, () => argon2.verify('x', undefined)))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(8)
})

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return times.sort((one, other) => one - other)[3] ?? 0
}
