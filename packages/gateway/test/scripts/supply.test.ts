import { expect, test } from 'vitest'
import { findings, type InstalledPackage } from '../../../../scripts/lib/supply.ts'
import type { Locked } from '../../../../scripts/lib/shrinkwrap.ts'

const good = { version: '1.0.0', integrity: 'sha512-x', license: 'MIT' }

/** What is found of one package. */
function about(locked: Locked, manifest?: Partial<InstalledPackage>): readonly string[] {
  const installed = manifest && { license: 'MIT', buildsNatively: false, ...manifest }
  return findings(
    { '': {}, 'packages/gate': {}, 'node_modules/gate': { link: true }, 'node_modules/a': locked },
    () => installed,
  )
}

test('a package with an allowed licence, a hash and no script is nothing to speak of', () => {
  expect(about(good)).toEqual([])
  expect(about(good, { scripts: { prepare: 'tsc', test: 'vitest' } })).toEqual([])
  expect(about({ ...good, license: '(MIT OR GPL-3.0-or-later)' })).toEqual([])
})

test.for([
  ['GPL-3.0-only', {}],
  ['(MIT AND GPL-3.0-only)', {}],
  ['MPL-2.0', {}],
  ['UNLICENSED', { dev: true }],
  [undefined, {}],
] as const)('a licence that is not allowed is found: %s', ([license, more]) => {
  expect(about({ ...good, ...more, license })).toEqual([
    expect.stringContaining('its licence is not one of those allowed'),
  ])
})

test('a tool may have what the published package may not', () => {
  expect(about({ ...good, license: 'MPL-2.0', dev: true })).toEqual([])
})

test('the licence that is installed counts, not the one in the lock file', () => {
  expect(about(good, { license: 'AGPL-3.0-only' })).toEqual([
    'a@1.0.0: its licence is not one of those allowed: AGPL-3.0-only',
  ])
})

test('whatever would run on install is found, said or not', () => {
  expect(about(good, { scripts: { postinstall: 'node x.js' } })[0]).toContain(
    'runs a program when it is installed (postinstall)',
  )
  expect(about(good, { buildsNatively: true })[0]).toContain('runs a program')
  expect(about({ ...good, hasInstallScript: true })[0]).toContain('runs a program')
})

test('an entry without a strong hash, or with an address, is found', () => {
  expect(about({ ...good, integrity: 'sha1-x' })).toEqual(['a@1.0.0: the lock file has no hash of it'])
  expect(about({ ...good, resolved: 'https://registry.example/a.tgz' })[0]).toContain('says where it comes from')
})
