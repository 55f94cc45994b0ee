import type { IncomingMessage } from 'node:http'
import type { AuditEvent } from '../audit/events.ts'
import type { UpstreamId } from '../base/ids.ts'
import { Problem } from '../base/problem.ts'
import type { Principal } from '../identity/principal.ts'
import type { EndpointLimits } from '../limits/endpoints.ts'
import { createThrottle } from '../limits/throttle.ts'

export interface StrangersNeeds {
  readonly clock: { now(): number }
  readonly addressOf: (request: IncomingMessage) => string
  readonly limits: EndpointLimits<'wrongKeys'>
  /** Must not throw: the refusal is answered whether it was kept or not. */
  keep(event: AuditEvent): void
}

/** Finds out who calls. */
type Check = (request: IncomingMessage, server?: UpstreamId) => Principal | Promise<Principal>

const EVERY_MS = 1_000
/** No key, and a wrong one. */
const KINDS = 2

/**
 * Keeps that somebody came with no key or a wrong one: of each at most one entry a second, since whoever
 * has no key must not fill the log of those who have. The answer is the same check, watched. Only wrong keys count
 * toward the limit of an address, and only they are refused for it: whoever has a good one is not shut out by who
 * guesses beside them.
 */
export function createStrangers({ clock, addressOf, limits, keep }: StrangersNeeds): (check: Check) => Check {
  const throttle = createThrottle({ clock, everyMs: EVERY_MS, atMost: KINDS })

  function refuse(error: unknown, request: IncomingMessage): never {
    if (error instanceof Problem && error.row.status === 401 && throttle.pass(error.code)) {
      const [path] = (request.url ?? '').split('?', 1)
      keep({ kind: 'auth.failed', error: error.code, path, address: addressOf(request) })
    }
    if (error instanceof Problem && error.code === 'auth.invalid') limits.spend('wrongKeys', addressOf(request))
    throw error
  }

  return (check) => (request, server) => {
    try {
      const found = check(request, server)
      return found instanceof Promise ? found.catch((error: unknown) => refuse(error, request)) : found
    } catch (error) {
      return refuse(error, request)
    }
  }
}
