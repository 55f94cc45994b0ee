import { expect, test } from 'vitest'
import { shrinkwrap } from '../../../../scripts/lib/shrinkwrap.ts'

const manifest = { name: 'gate', version: '1.0.0', dependencies: { web: '^1.0.0', words: '^3.0.0' } }
const lock = {
  '': { version: '0.0.0' },
  'node_modules/gate': { link: true },
  'packages/gate': { version: '1.0.0' },
  'packages/gate/node_modules/words': { version: '3.1.0', integrity: 'sha512-c' },
  'node_modules/words': { version: '2.0.0', dev: true },
  'node_modules/tester': { version: '9.0.0', dev: true, dependencies: { words: '^2.0.0' } },
  'node_modules/web': {
    version: '1.2.3',
    dependencies: { path: '1' },
    optionalDependencies: { native: '1', none: '1' },
  },
  'node_modules/web/node_modules/path': { version: '1.0.1', peerDependencies: { types: '1', fast: '1' } },
  'node_modules/path': { version: '7.0.0' },
  'node_modules/native': { version: '1.0.0' },
  'node_modules/types': { version: '1.0.0', peer: true },
}

test('the published lock has what the workspace needs, in the versions that were tested, and nothing else', () => {
  const needing = {
    ...lock,
    'node_modules/web/node_modules/path': { version: '1.0.1', peerDependencies: { types: '1' } },
  }
  const { packages } = shrinkwrap(needing, 'packages/gate', manifest)
  expect(packages).toEqual({
    '': manifest,
    'node_modules/native': { version: '1.0.0' },
    'node_modules/types': { version: '1.0.0' },
    'node_modules/web': lock['node_modules/web'],
    'node_modules/web/node_modules/path': { version: '1.0.1', peerDependencies: { types: '1' } },
    'node_modules/words': { version: '3.1.0', integrity: 'sha512-c' },
  })
})

test('a need that the lock file has no package for is no lock', () => {
  expect(() => shrinkwrap(lock, 'packages/gate', manifest)).toThrow('no fast for node_modules/web/node_modules/path')
})
