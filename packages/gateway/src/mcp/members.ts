import { eachMember } from '../base/json-spans.ts'

/** The one member of an answer that says what came of it, `"result":…` or `"error":…`, in its own bytes. */
export function memberOf(answer: Buffer): Buffer {
  let found: Buffer | undefined
  eachMember(answer, 0, (key, start, end) => {
    if (key === 'result' || key === 'error')
      found = Buffer.concat([Buffer.from(`"${key}":`), answer.subarray(start, end)])
  })
  if (!found) throw new SyntaxError('an answer has neither result nor error')
  return found
}
