import { expect, test } from 'vitest'
import { decideNextStep, isFresh, type SignInPolicy } from '../../src/login/policy.ts'

const policy: SignInPolicy = { methods: ['password', 'passkey'], secondFactor: 'optional', stepUpMinutes: 15 }
const none = { passkeys: 0, hasApp: false }

test.for([
  ['a password, with no other factor', ['pwd'], none, {}, 'none'],
  ['a password, with an app', ['pwd'], { ...none, hasApp: true }, {}, 'prove'],
  ['a password, with a passkey', ['pwd'], { ...none, passkeys: 1 }, {}, 'prove'],
  ['a password, with an app, where it is off', ['pwd'], { ...none, hasApp: true }, { secondFactor: 'off' }, 'none'],
  ['a password, with no other factor, where one is required', ['pwd'], none, { secondFactor: 'required' }, 'setUp'],
  ['a link’s password that opens nothing again', ['pwd'], none, { methods: ['passkey'] }, 'setUp'],
  ['a passkey, where a second factor is required', ['hwk', 'user', 'mfa'], none, { secondFactor: 'required' }, 'none'],
  ['a provider that proved one factor, with an app', ['fed'], { ...none, hasApp: true }, {}, 'prove'],
  ['a provider that proved one, where two are required', ['fed'], none, { secondFactor: 'required' }, 'setUp'],
  ['a provider that proved several', ['fed', 'mfa'], { ...none, hasApp: true }, { secondFactor: 'required' }, 'none'],
  ['a provider, where passkeys alone are a way in of ours', ['fed'], none, { methods: ['passkey'] }, 'none'],
] as const)('what follows %s', ([, amr, factors, changed, step]) => {
  expect(decideNextStep(amr, factors, { ...policy, ...changed })).toBe(step)
})

test('a proof is fresh for as many minutes as the policy says', () => {
  expect([0, 15 * 60_000, 15 * 60_000 + 1].map((now) => isFresh(0, policy, now))).toEqual([true, true, false])
})
