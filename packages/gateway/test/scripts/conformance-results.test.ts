import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  conformanceLine,
  judge,
  parseChecks,
  requiredScenarios,
  scenarioOf,
  unscoredScenarios,
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
    expect(scenarioOf('authorization-server-authorization-server-metadata-endpoint-2026-11-21T10-29-15-369Z')).toBe(
      'authorization-server-metadata-endpoint',
    )
    expect(scenarioOf('tools_call-2026-11-21T03-29-36-023Z')).toBe('tools_call')
    expect(scenarioOf('auth/basic-cimd-2026-11-21T03-29-36-023Z')).toBe('auth/basic-cimd')
    expect(scenarioOf('stdout.txt')).toBeUndefined()
  })
})

describe('the requirements of a revision', () => {
  it('are the list under the key of the leg, without comments and without what is run unscored', () => {
    const text = '# server:\n#  - not-this\nserver:\n  - ping\n\n  # why\n  - tools-list # two\n\nclient:\n  - auth/a\n'
    expect(requiredScenarios(text, 'server')).toEqual(['ping', 'tools-list'])
    expect(requiredScenarios(text, 'client')).toEqual(['auth/a'])
    expect(requiredScenarios('client:\n  - auth\n', 'server')).toEqual([])
  })

  it('say of what is run unscored which leg it is of', () => {
    const text =
      'not_scored:\n  - scenario: auth/dpop\n    leg: client\n    reason: extension\n  - scenario: tasks\n    leg: server\n'
    expect(unscoredScenarios(text, 'client')).toEqual(['auth/dpop'])
    expect(unscoredScenarios(text, 'server')).toEqual(['tasks'])
  })

  it.each([
    ['2025-11-25', 30, 18, 10],
    ['2026-07-28', 37, 32, 20],
  ])('of %s are %i server and %i client scenarios, and %i more are run', (revision, server, client, more) => {
    const suite = resolve(import.meta.dirname, '../../../../node_modules/@modelcontextprotocol/conformance')
    const text = readFileSync(join(suite, 'requirements', `${revision}.yaml`), 'utf8')
    expect(requiredScenarios(text, 'server')).toHaveLength(server)
    expect(requiredScenarios(text, 'client')).toHaveLength(client)
    expect([...unscoredScenarios(text, 'server'), ...unscoredScenarios(text, 'client')]).toHaveLength(more)
  })
})

describe('the last line of a set', () => {
  it('counts required scenarios only, and one that did not run as not passed', () => {
    const outcomes = [
      { scenario: 'ping', passed: true, failures: [] },
      { scenario: 'tools-list', passed: false, failures: ['x'] },
      { scenario: 'tasks', passed: true, failures: [] },
    ]
    const set = { leg: 'server', revision: '2025-11-25', required: ['ping', 'tools-list', 'caching'] } as const
    expect(conformanceLine(set, outcomes)).toBe('conformance server 2025-11-25: 1/3')
  })
})

function check(id: string, status: string) {
  return { id, status }
}
