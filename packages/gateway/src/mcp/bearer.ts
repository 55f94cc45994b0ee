import type { IncomingMessage } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import { maySeeUpstream, type Principal } from '../identity/principal.ts'

export interface BearerNeeds {
  readonly keys: {
    verify(key: string): Principal | undefined | Promise<Principal | undefined>
    markUsed(principal: Principal): void
  }
  readonly counted: Readonly<Record<'ok' | 'missing' | 'invalid', { inc(): void }>>
}

/**
 * Finds out who calls from the `Authorization` header, on every request; a session proves nothing.
 *
 * @throws {Problem} `auth.required`, `auth.invalid`, `auth.forbidden`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}
 */
export function createBearer({ keys, counted }: BearerNeeds) {
  function known(principal: Principal | undefined): Principal {
    counted[principal ? 'ok' : 'invalid'].inc()
    if (!principal) throw problem('auth.invalid')
    keys.markUsed(principal)
    return principal
  }

  function identify({ headers }: IncomingMessage): Principal | Promise<Principal> {
    const key = bearerOf(headers.authorization)
    if (key === undefined) {
      counted.missing.inc()
      throw problem('auth.required')
    }
    const found = keys.verify(key)
    return found instanceof Promise ? found.then(known) : known(found)
  }

  return {
    /** Who it is, whatever they may do. */
    identify,
    /** Who it is, if they may use the endpoint: of one server, or of all that their key opens. */
    authenticate(request: IncomingMessage, server: UpstreamId | undefined): Principal | Promise<Principal> {
      const found = identify(request)
      return found instanceof Promise ? found.then((one) => admit(one, server)) : admit(found, server)
    },
  }
}

function admit(principal: Principal, server: UpstreamId | undefined): Principal {
  const mayEnter = server === undefined ? mayUseMcp(principal) : maySeeUpstream(principal, server)
  if (!mayEnter) throw problem('auth.forbidden', { scope: server === undefined ? 'mcp' : `mcp:${server}` })
  return principal
}

/** The token of a `Bearer` header; the scheme's name is taken in any case. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  return /^bearer +(\S+)$/i.exec(header)?.[1]
}

function mayUseMcp({ scopes }: Principal): boolean {
  return scopes.some((scope) => scope === 'mcp' || scope.startsWith('mcp:'))
}
