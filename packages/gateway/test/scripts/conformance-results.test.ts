import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  conformanceLine,
  judge,
  parseChecks,
  requiredScenarios,
  scenarioOf,
} from '../../../../scripts/lib/conformance-results.ts'

describe('a scenario', () => {
  it('passes where something succeeded and nothing failed', () => {
    expect(judge('ping', [check('a', 'SUCCESS'), check('b', 'INFO'), check('c', 'SKIPPED')]).passed).toBe(true)
  })

  it.each(['FAILURE', 'WARNING'])('does not pass with a %s, and names the check', (status) => {
    const outcome = judge('ping', [check('a', 'SUCCESS'), { ...check('b', status), errorMessage: 'no answer' }])
    expect(outcome).toEqual({ scenario: 'ping', passed: false, failures: ['b: no answer'] })
  })

  it('does not pass where nothing was checked', () => {
    expect(judge('ping', []).passed).toBe(false)
    expect(judge('ping', [check('a', 'SKIPPED')]).passed).toBe(false)
  })
})

describe('the results of the suite', () => {
  it('are refused in a shape that is not known, in place of being counted wrongly', () => {
    expect(() => parseChecks('{"checks": []}')).toThrow('not known')
    expect(() => parseChecks('[{"name": "ping"}]')).toThrow('not known')
  })

  it('are in folders named after scenarios', () => {
    expect(scenarioOf('server-server-sse-polling-2026-11-21T03-29-36-023Z')).toBe('server-sse-polling')
    expect(scenarioOf('server-ping-2026-11-21T03-29-36-023Z')).toBe('ping')
    expect(scenarioOf('stdout.txt')).toBeUndefined()
  })
})

describe('the requirements of a revision', () => {
  it('are the list under "server", without comments and without what is run unscored', () => {
    const text = '# server:\n#  - not-this\nserver:\n  - ping\n\n  # why\n  - tools-list # two\n\nclient:\n  - auth\n'
    expect(requiredScenarios(text)).toEqual(['ping', 'tools-list'])
    expect(requiredScenarios('client:\n  - auth\n')).toEqual([])
  })

  it.each([
    ['2025-11-25', 30],
    ['2026-07-28', 37],
  ])('of %s are %i scenarios', (revision, count) => {
    const suite = resolve(import.meta.dirname, '../../../../node_modules/@modelcontextprotocol/conformance')
    const text = readFileSync(join(suite, 'requirements', `${revision}.yaml`), 'utf8')
    expect(requiredScenarios(text)).toHaveLength(count)
  })
})

describe('the last line of a set', () => {
  it('counts required scenarios only, and one that did not run as not passed', () => {
    const outcomes = [
      { scenario: 'ping', passed: true, failures: [] },
      { scenario: 'tools-list', passed: false, failures: ['x'] },
      { scenario: 'tasks', passed: true, failures: [] },
    ]
    expect(conformanceLine('2025-11-25', ['ping', 'tools-list', 'caching'], outcomes)).toBe(
      'conformance server 2025-11-25: 1/3',
    )
  })
})

function check(id: string, status: string) {
  return { id, status }
}
