import { expect, test } from 'vitest'
import { readIdentity } from '../../../src/login/federated/claims.ts'
import { nameFor } from '../../../src/login/federated/names.ts'
import { provenAt } from '../../../src/login/federated/proven.ts'
import { decide, roleFor } from '../../../src/login/federated/rules.ts'
import type { Identity, Rules } from '../../../src/login/federated/provider.ts'

const open: Rules = { emailDomains: undefined, groups: undefined, createUsers: true, role: 'member', roles: undefined }
const claims = { groupsClaim: 'groups', emailVerifiedClaim: 'email_verified' }

function read(idToken: object, userInfo: object = {}, more = claims): Identity {
  const from = { issuer: 'https://sso.example', idToken: { sub: 'x', ...idToken }, userInfo: { ...userInfo } }
  const found = readIdentity(more as Parameters<typeof readIdentity>[0], from)
  if (found === undefined) throw new Error('no subject')
  return found
}

test.for([
  ['ada@corp.example', true],
  ['Ada@CORP.example', true],
  ['ada@evil.example', false],
  ['ada@sub.corp.example', false],
  ['ada@evilcorp.example', false],
  ['ada@evil.example@corp.example', false],
  ['ada@corp.example ', false],
  ['corp.example', false],
  ['', false],
] as const)('an address of a domain: %s', ([email, allow]) => {
  const identity = read({ email, email_verified: true })
  expect(decide({ ...open, emailDomains: ['corp.example'] }, identity).allow).toBe(allow)
})

test('an address counts with the word on it that came along, and not with one from elsewhere', () => {
  expect(read({ email: 'a@x' }, { email: 'b@x', email_verified: true }).verifiedEmail).toBeUndefined()
  expect(read({}, { email: 'b@x', email_verified: true }).verifiedEmail).toBe('b@x')
  expect(read({ email_verified: true }, { email: 'b@x' }).verifiedEmail).toBeUndefined()
  for (const word of [true, 'true', 1, '1'])
    expect(read({ email: 'a@x', email_verified: word }).verifiedEmail).toBe('a@x')
  for (const word of [false, 'false', 0, 'yes', {}, null]) {
    expect(read({ email: 'a@x', email_verified: word }).verifiedEmail).toBeUndefined()
  }
  const microsoft = { ...claims, emailVerifiedClaim: 'xms_edov' }
  expect(read({ email: 'a@x', email_verified: true }, {}, microsoft).verifiedEmail).toBeUndefined()
  expect(read({ email: 'a@x', xms_edov: '1' }, {}, microsoft).verifiedEmail).toBe('a@x')
})

test('how somebody signed in is taken from the ID token alone', () => {
  expect(read({}, { amr: ['mfa'] }).amr).toEqual([])
  expect(read({ amr: ['pwd', 'mfa'] }).amr).toEqual(['pwd', 'mfa'])
})

test('when somebody proved who they are is what the ID token says; unsaid, it is now only where they were asked anew', () => {
  const said = read({ auth_time: 1_700_000_000 }, { auth_time: 1 })
  expect(provenAt({ identity: said, again: false })).toBe(1_700_000_000_000)
  expect(provenAt({ identity: said, again: true })).toBe(1_700_000_000_000)
  for (const auth_time of [undefined, 'now', -1, Number.NaN]) {
    const unsaid = read({ auth_time })
    expect(provenAt({ identity: unsaid, again: false })).toBe(0)
    expect(provenAt({ identity: unsaid, again: true })).toBeUndefined()
  }
})

test('groups are a list or one word, and give the highest role', () => {
  const rules: Rules = { ...open, roles: { admins: 'admin', staff: 'member' } }
  expect(roleFor(rules, read({ groups: ['staff', 'admins'] }))).toBe('admin')
  expect(roleFor(rules, read({ groups: 'admins' }))).toBe('admin')
  expect(roleFor(rules, read({ groups: ['constructor', '__proto__', 'toString'] }))).toBe('member')
  expect(roleFor(rules, read({ groups: [{ name: 'admins' }] }))).toBe('member')
  expect(decide({ ...open, groups: ['staff'] }, read({ groups: 'staffing' })).allow).toBe(false)
})

test.for([
  [{ username: 'ada' }, 'ada'],
  [{ username: 'Ada Lovelace' }, 'ada-lovelace'],
  [{ username: 'ada@corp.example' }, 'ada'],
  [{ email: 'grace.hopper@navy.example' }, 'grace.hopper'],
  [{ username: '<script>', name: 'x' }, 'script'],
  [{ username: '..', email: '@', name: '…' }, 'user'],
  [{ username: 'usr_01hzy' }, '01hzy'],
  [{ username: 'usr_usr_' }, 'usr'],
  [{ username: 'ａｄｍｉｎ' }, 'admin-2'],
  [{ username: 'ADMIN' }, 'admin-2'],
  [{ username: 'x'.repeat(100) }, 'x'.repeat(56)],
  [{ username: 'žofie' }, 'žofie'],
  [{}, 'user'],
] as const)('a name out of %j', ([identity, name]) => {
  const unsaid = { username: undefined, email: undefined, name: undefined }
  expect(nameFor({ ...unsaid, ...identity }, new Set(['admin']))).toBe(name)
})
