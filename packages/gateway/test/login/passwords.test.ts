import { expect, test } from 'vitest'
import { systemRandom } from '../../src/base/ids.ts'
import { say } from '../../src/pages/words.ts'
import { createArgon2, RECOMMENDED } from '../../src/login/argon2.ts'
import { derive, deriveInThread } from '../../src/login/argon2-derive.ts'
import { problem } from '../../src/base/problem.ts'
import { requireStrong } from '../../src/login/password-rules.ts'

/** Of a password that nobody has. */
const KNOWN = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

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

test.for([
  ['seven 7', 'short'],
  [`${'long '.repeat(51)}12`, 'long'],
  ['password1', 'known'],
  ['Pass word 1', 'known'],
  ['abababab', 'pattern'],
  ['xyzxyzxyzxyz', 'pattern'],
  ['wxyzwxyzwxyz', 'pattern'],
  ['qwertzuiop', 'pattern'],
  ['oiuytrewq', 'pattern'],
  ['jklmnopq', 'pattern'],
  ['mlkjihgf', 'pattern'],
  ['Ada12345!', 'name'],
  ['ada-ada-2026', 'name'],
  ['SEKISHO 1234', 'name'],
] as const)('%s is %s', ([password, why]) => {
  const reason = why === 'long' ? say('weak.long', { length: 256 }) : say(`weak.${why}`, { length: 8 })
  expect(() => requireStrong(password, rules)).toThrow(problem('login.password_weak', { reason }))
})

test('what only begins as one of these does not count as one', () => {
  for (const password of [
    'abababab-lantern',
    'jklmnopz',
    'jklmnoq9',
    'adamant 2026',
    'to sekisho gate',
    'ada ben 12',
    'x'.repeat(4) + 'yyyyz',
  ])
    expect(() => requireStrong(password, rules)).not.toThrow()
  expect(() => requireStrong('bo123456', { length: 8, names: ['bo'] })).not.toThrow()
  expect(() => requireStrong('bobobo1!', { length: 8, names: ['bobobo1!'] })).toThrow(/name/)
})

test('a hash is the same whichever Node made it', async () => {
  const from = { ...RECOMMENDED, password: 'a läntern 🏮', salt: systemRandom(16), tagLength: 32 }
  expect(await deriveInThread(from)).toEqual(await derive(from))
  await expect(deriveInThread({ ...from, salt: systemRandom(4) })).rejects.toThrow('Salt')
})

test('hashes are argon2id as OWASP recommends, and salted', async () => {
  const argon2 = createArgon2({ random: systemRandom })
  const [one, two] = [await argon2.hash('a lantern'), await argon2.hash('a lantern')]
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(one).not.toBe(two)
  expect(await argon2.verify('a lantern', one)).toBe(true)
  expect(await argon2.verify('a Lantern', one)).toBe(false)
  expect(await argon2.verify('a lantern', undefined)).toBe(false)
})

test('where there is no hash, all of the work is done that a guess costs', async () => {
  const argon2 = createArgon2({ random: systemRandom })
  const [known, nobody] = [
    await median(() => argon2.verify('x', KNOWN)),
    await median(() => argon2.verify('x', undefined)),
  ]
  console.log(`a guess takes ${known.toFixed(1)} ms, and ${nobody.toFixed(1)} ms for nobody`)
  // Less memory than argon2 can do with: that it fails shows that it was tried.
  const impossible = createArgon2({ random: systemRandom, parameters: { ...RECOMMENDED, memoryKib: 1 } })
  await expect(impossible.verify('x', undefined)).rejects.toThrow(/memory/i)
  expect(await impossible.verify('x', KNOWN)).toBe(false)
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
