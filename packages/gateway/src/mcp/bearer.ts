import type { IncomingMessage } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import { Problem, problem } from '../base/problem.ts'
import { maySeeUpstream, type Principal } from '../identity/principal.ts'

/** Tells whose something is that opens the gate; `undefined` where it opens nothing. */
type Verify = (text: string) => Principal | undefined | Promise<Principal | undefined>

export interface BearerNeeds {
  readonly keys: {
    /** Tells by its form whether a text can be an API key; an access token has another. */
    mayBeKey(text: string): boolean
    readonly verify: Verify
    markUsed(principal: Principal): void
  }
  /** The access tokens of clients that their users let in. */
  readonly tokens: {
    readonly verify: Verify
    /** Where the metadata of a protected resource is, by the path of the resource and the host that was asked. */
    metadataUrl(path: string, host: string | undefined): string
  }
  /** What is no server has no resource of its own; its name is whatever somebody wrote into the address. */
  isServer(id: UpstreamId): boolean
  readonly counted: Readonly<Record<'ok' | 'missing' | 'invalid', { inc(): void }>>
}

/**
 * Finds out who calls from the `Authorization` header, on every request; a session proves nothing.
 *
 * @throws {Problem} `auth.required`, `auth.invalid`, `auth.forbidden`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}
 */
export function createBearer({ keys, tokens, isServer, counted }: BearerNeeds) {
  function known(principal: Principal | undefined): Principal {
    counted[principal ? 'ok' : 'invalid'].inc()
    if (!principal) throw problem('auth.invalid')
    if (principal.clientId === undefined) keys.markUsed(principal)
    return principal
  }

  function identifyBy(verify: Verify, { headers }: IncomingMessage): Principal | Promise<Principal> {
    const text = bearerOf(headers.authorization)
    if (text === undefined) {
      counted.missing.inc()
      throw problem('auth.required')
    }
    const found = verify(text)
    return found instanceof Promise ? found.then(known) : known(found)
  }

  const verifyAny: Verify = (text) => (keys.mayBeKey(text) ? keys.verify(text) : tokens.verify(text))

  /** Says beside the refusal where a client learns how to sign its user in. @see RFC 9728 §5.1 */
  function challenged(error: unknown, request: IncomingMessage, server: UpstreamId | undefined): never {
    if (!(error instanceof Problem) || !error.code.startsWith('auth.')) throw error
    const path = server === undefined || !isServer(server) ? '/mcp' : `/mcp/${server}`
    const metadataUrl = tokens.metadataUrl(path, request.headers.host)
    throw problem(error.code, { scope: 'mcp', ...error.details, metadataUrl })
  }

  return {
    /** Who it is, whatever they may do; by an API key only, since an access token is good for MCP alone. */
    identify: (request: IncomingMessage): Principal | Promise<Principal> => identifyBy(keys.verify, request),

    /** Who it is, if they may use the endpoint: of one server, or of all that is open to them. */
    authenticate(request: IncomingMessage, server: UpstreamId | undefined): Principal | Promise<Principal> {
      try {
        const found = identifyBy(verifyAny, request)
        if (!(found instanceof Promise)) return admit(found, server)
        return found.then((one) => admit(one, server)).catch((error: unknown) => challenged(error, request, server))
      } catch (error) {
        return challenged(error, request, server)
      }
    },
  }
}

/** A token that was made for another resource is no token here; a key of too little scope is a key. */
function admit(principal: Principal, server: UpstreamId | undefined): Principal {
  if (principal.clientId === undefined) {
    const mayEnter = server === undefined ? mayUseMcp(principal) : maySeeUpstream(principal, server)
    if (!mayEnter) throw problem('auth.forbidden', { scope: server === undefined ? 'mcp' : `mcp:${server}` })
    return principal
  }
  const isAudience = server === undefined ? principal.scopes.includes('mcp') : maySeeUpstream(principal, server)
  if (!isAudience) throw problem('auth.invalid', { reason: 'the token was made for another resource' })
  return principal
}

/** The token of a `Bearer` header; the scheme's name is taken in any case. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || !BEARER.test(header)) return undefined
  return header.slice(header.lastIndexOf(' ') + 1)
}

const BEARER = /^bearer +\S+$/i

function mayUseMcp({ scopes }: Principal): boolean {
  return scopes.some((scope) => scope === 'mcp' || scope.startsWith('mcp:'))
}
