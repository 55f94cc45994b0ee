import { expect, test } from 'vitest'
import { decideNextStep, isFresh, isLive, lifetimesOf, type SignInPolicy } from '../../src/login/policy.ts'
import { SIGN_IN } from './factors.ts'

const policy: SignInPolicy = SIGN_IN
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
  ['a link, where providers alone let people in', ['otp'], none, { methods: [] }, 'none'],
  ['such a link, of somebody with an app', ['otp'], { ...none, hasApp: true }, { methods: [] }, 'prove'],
  ['such a link, where a second factor is required', ['otp'], none, { methods: [], secondFactor: 'required' }, 'setUp'],
] as const)('what follows %s', ([, amr, factors, changed, step]) => {
  expect(decideNextStep(amr, factors, { ...policy, ...changed })).toBe(step)
})

test('a proof is fresh for as many minutes as the policy says', () => {
  expect([0, 15 * 60_000, 15 * 60_000 + 1].map((now) => isFresh(0, policy, now))).toEqual([true, true, false])
})

const HOUR = 3_600_000

test.for([
  ['seen lately', { seenAt: 9 }, {}, true],
  ['away for too long', { seenAt: 8 }, {}, false],
  ['there for too long', { seenAt: 10 }, { maxHours: 10 }, false],
  ['there before the policy was made shorter', { seenAt: 10, expiresAt: 720 }, { maxHours: 9 }, false],
  ['told a shorter time than the policy of now', { seenAt: 9, expiresAt: 10 }, { maxHours: 720 }, false],
] as const)('a browser %s', ([, times, changed, isSignedIn]) => {
  const { createdAt, seenAt, expiresAt } = { createdAt: 0, expiresAt: 20, ...times }
  const aging = { createdAt: createdAt * HOUR, seenAt: seenAt * HOUR, expiresAt: expiresAt * HOUR }
  expect(isLive(aging, lifetimesOf({ ...policy, idleHours: 2, ...changed }), 10 * HOUR)).toBe(isSignedIn)
})
