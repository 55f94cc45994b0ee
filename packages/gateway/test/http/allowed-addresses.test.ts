import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { createAllowedAddresses } from '../../src/http/allowed-addresses.ts'
import { codeOf } from '../stores/outcome.ts'

/** R3-14c. */
const checkFrom = (address: string, allowedAddresses: readonly string[]) => {
  const check = createAllowedAddresses({ allowedAddresses, addressOf: () => address })
  return codeOf((async () => check({} as IncomingMessage))())
}

test.for([
  ['10.1.2.3', ['10.0.0.0/8']],
  ['127.0.0.9', ['loopback']],
  ['::1', ['loopback']],
  ['2001:db8::7', ['10.0.0.0/8', '2001:db8::/32']],
  ['anything', []],
] as const)('%s is answered where %s is allowed', async ([address, allowed]) => {
  expect(await checkFrom(address, allowed)).toBe('none')
})

test.for([
  ['11.1.2.3', ['10.0.0.0/8']],
  ['10.1.2.3', ['loopback']],
  ['unknown', ['0.0.0.0/0', '::/0']],
] as const)('%s is refused where %s is allowed', async ([address, allowed]) => {
  expect(await checkFrom(address, allowed)).toBe('request.address')
})

test('a range that is none is refused at once', () => {
  expect(() => createAllowedAddresses({ allowedAddresses: ['10.0.0.0/99'], addressOf: () => '' })).toThrow(Error)
})
