import type { IncomingMessage } from 'node:http'
import { problem } from '../base/problem.ts'
import { createNamedSet } from './client-address.ts'

export interface AllowedAddressesNeeds {
  /** Addresses, ranges in CIDR notation, or the word `loopback`; everybody where it names none. */
  readonly allowedAddresses: readonly string[]
  /** Who sent a request, behind trusted proxies too. */
  addressOf(request: IncomingMessage): string
}

/**
 * Makes the check of where requests come from. An address that cannot be told is not an allowed one.
 *
 * @throws {TypeError | RangeError} at once, where an allowed range is none; the check throws `request.address`
 */
export function createAllowedAddresses({ allowedAddresses, addressOf }: AllowedAddressesNeeds) {
  if (allowedAddresses.length === 0) return () => {}
  const allowed = createNamedSet(allowedAddresses)
  return function checkAddress(request: IncomingMessage): void {
    const address = addressOf(request)
    if (!allowed.has(address)) throw problem('request.address', { address })
  }
}
