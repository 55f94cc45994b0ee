import { OperationProcessingError, ResponseBodyError, UnsupportedOperationError } from 'oauth4webapi'
import { expect, test } from 'vitest'
import { problem } from '../../../src/base/problem.ts'
import { refusedWith, toProblem } from '../../../src/login/federated/failure.ts'
import type { IdentityProvider } from '../../../src/login/federated/provider.ts'

const provider = { id: 'corp', label: 'Corp' } as IdentityProvider

test.for([
  ['access_denied', 'it was declined there'],
  ['consent_required', 'it was declined there'],
  ['login_required', 'nobody was signed in there'],
  ['interaction_required', 'nobody was signed in there'],
  ['temporarily_unavailable', 'it is not available just now'],
  ['server_error', 'it had a fault of its own'],
  ['<script>', 'it did not say why'],
])('RFC 6749 §4.1.2.1: %s is told in words of our own', ([error = '', reason]) => {
  const { code, details } = refusedWith(provider, error)
  expect({ code, details }).toEqual({ code: 'federated.refused', details: { id: 'corp', provider: 'Corp', reason } })
})

test.for(['invalid_client', 'unauthorized_client', 'invalid_scope', 'redirect_uri_mismatch', 'application_suspended'])(
  'that the gate is not known there (%s) is the operator’s to mend',
  (error) => {
    expect(refusedWith(provider, error)).toMatchObject({ code: 'federated.misconfigured', details: { reason: error } })
  },
)

test('what went wrong is told by whose it is, and a failure of ours stays what it is', () => {
  const body = { cause: { error: 'invalid_grant' }, response: new Response('', { status: 400 }) }
  const told = (error: unknown) => {
    const { code, details } = toProblem(provider, error)
    return [code, details['reason']]
  }
  expect(told(new ResponseBodyError('no', body))).toEqual([
    'federated.refused',
    expect.stringContaining('used already'),
  ])
  const processing = (code: string) => told(new OperationProcessingError('no', { code }))
  expect(processing('OAUTH_JWT_TIMESTAMP_CHECK_FAILED')).toEqual(['federated.bad_answer', 'a time in it is not right'])
  expect(processing('OAUTH_SOMETHING_NEW')).toEqual(['federated.bad_answer', 'it is not OpenID Connect'])
  expect(told(new UnsupportedOperationError('no'))[0]).toBe('federated.bad_answer')
  expect(told(new TypeError('no'))).toEqual(['federated.bad_answer', 'it is not what was asked for'])
  for (const code of ['outbound.failed', 'outbound.timeout'] as const)
    expect(toProblem(provider, problem(code))).toMatchObject({
      code: 'federated.unreachable',
      details: { id: 'corp', provider: 'Corp' },
    })
  const ours = problem('outbound.refused')
  expect(toProblem(provider, ours)).toBe(ours)
})
