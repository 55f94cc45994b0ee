import { expect, test } from 'vitest'
import { problem } from '../../src/base/problem.ts'
import { viewOf } from '../../src/telemetry/error-view.ts'

test('an error is shown with its type, words, code and causes', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const failure = problem('upstream.unreachable', { server: 'one', cause: new AggregateError([refused], 'all failed') })
  expect(viewOf(failure)).toMatchObject({
    type: 'Problem',
    message: 'one cannot be reached.',
    code: 'upstream.unreachable',
    stack: expect.stringContaining('error-view.test.ts'),
    cause: {
      type: 'AggregateError',
      message: 'all failed',
      errors: [{ message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }],
    },
  })
})

test('what libraries hang on an error is not shown, and neither is a text that is not JSON', () => {
  const cause = Object.assign(new Error('bad response'), { data: 'Bearer abc', spawnargs: ['Bearer abc'] })
  expect(JSON.stringify(viewOf(problem('upstream.died', { server: 'one', token: 'Bearer abc', cause })))).not.toContain(
    'abc',
  )
  expect(JSON.stringify(viewOf(parseError('Bearer abc')))).not.toContain('abc')
  expect(viewOf(new Error('thrown', { cause: 'Bearer abc' }))).toMatchObject({ cause: 'string' })
})

test('causes that go round in a circle come to an end', () => {
  const error = new Error('round')
  error.cause = error
  expect(JSON.stringify(viewOf(error)).match(/"message":"round"/g)).toHaveLength(7)
})

function parseError(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
