import { z } from 'zod'
import { isSafePlace } from '../base/loopback.ts'
import { problem, Problem } from '../base/problem.ts'
import type { Fetch } from '../http/guarded-fetch.ts'
import { readChallenge, type Challenge } from './challenge.ts'

/** What a server's own metadata says of how its users are authorized. */
export interface Discovered {
  readonly metadata: ServerMetadata
  /** What tokens are asked for (RFC 8707). */
  readonly resource: string
  /** What the challenge asks for, or else what the resource knows; `undefined` where neither says. */
  readonly scopes: readonly string[] | undefined
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2} */
const Metadata = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  registration_endpoint: z.string().optional(),
  revocation_endpoint: z.string().optional(),
  scopes_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
})
export type ServerMetadata = z.infer<typeof Metadata>

/** @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-2 RFC 9728 §2} */
const Resource = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()).min(1),
  scopes_supported: z.array(z.string()).optional(),
})

/** How long finding out may take, over all requests. */
const DISCOVER_MS = 20_000

/** The server whose users are to be authorized. */
export interface Discoverable {
  readonly name: string
  readonly url: string
}

/**
 * Finds the authorization server of an MCP server: by its challenge, else by its well-known addresses; a server of
 * 2025-03-26, which has neither, is its own.
 *
 * @throws {Problem} `provider.bad_answer`, `provider.unreachable`, `outbound.refused`
 * @see the MCP specification 2026-07-28, basic/authorization, "Authorization Server Discovery"
 */
export async function discover(fetch: Fetch, server: Discoverable): Promise<Discovered> {
  const asking = createAsking(fetch, server.name)
  const url = new URL(server.url)
  const challenge = await asking.challenge(url)
  const found = await asking.first(resourceAddresses(url, challenge?.resourceMetadata), Resource)
  if (found === undefined) {
    // Who asks for no token has no authorization server that could be at a place agreed upon.
    const metadata = challenge ? await findOwn(asking, url.origin) : await findMetadata(asking, url.origin)
    return { metadata, resource: canonical(url), scopes: challenge?.scopes }
  }
  if (!covers(found.resource, server.url)) throw asking.wrong('its metadata is that of another resource')
  const [issuer = ''] = found.authorization_servers
  const metadata = await findMetadata(asking, issuer)
  return { metadata, resource: found.resource, scopes: challenge?.scopes ?? found.scopes_supported }
}

/**
 * Reads the metadata of an authorization server that is known by its issuer, on behalf of a server that named it.
 *
 * @throws {Problem} as {@link discover}
 */
export function readMetadata(fetch: Fetch, issuer: string, { name, url }: Discoverable): Promise<ServerMetadata> {
  const asking = createAsking(fetch, name)
  return issuer === new URL(url).origin ? findOwn(asking, issuer) : findMetadata(asking, issuer)
}

/** The metadata of a server that is its own authorization server: in 2025-03-26 it need not have any. */
async function findOwn(asking: Asking, origin: string): Promise<ServerMetadata> {
  const metadata = await seekMetadata(asking, origin)
  if (metadata === undefined && !isWeb(origin)) throw asking.wrong('its authorization server has no metadata')
  return metadata ?? agreedUpon(origin)
}

/** @see the MCP specification 2025-03-26, basic/authorization, "Fallbacks for Servers without Metadata Discovery" */
function agreedUpon(origin: string): ServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
  }
}

async function findMetadata(asking: Asking, issuer: string): Promise<ServerMetadata> {
  const metadata = await seekMetadata(asking, issuer)
  if (metadata === undefined) throw asking.wrong('its authorization server has no metadata')
  return metadata
}

/** `undefined` where there is none at any address; what there is has to be right. */
async function seekMetadata(asking: Asking, issuer: string): Promise<ServerMetadata | undefined> {
  const url = URL.parse(issuer)
  if (url === null || url.search !== '' || url.hash !== '') throw asking.wrong('it names no authorization server')
  const metadata = await asking.first(metadataAddresses(url), Metadata)
  if (metadata === undefined) return undefined
  if (metadata.issuer !== issuer) throw asking.wrong('its authorization server calls itself otherwise')
  if (!metadata.code_challenge_methods_supported?.includes('S256'))
    throw asking.wrong('it does not know PKCE with S256')
  const { authorization_endpoint: authorize, token_endpoint: token } = metadata
  if (![authorize, token].every(isWeb)) throw asking.wrong('its endpoints are not https')
  return metadata
}

function isWeb(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && isSafePlace(url)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 RFC 9728 §3.1} */
function resourceAddresses({ origin, pathname }: URL, challenged: string | undefined): string[] {
  const root = `${origin}/.well-known/oauth-protected-resource`
  return [...(challenged === undefined ? [] : [challenged]), ...(pathname === '/' ? [] : [`${root}${pathname}`]), root]
}

/** RFC 8414 with the path put in, then OpenID Connect with the path put in, then with the path before it. */
function metadataAddresses({ origin, pathname }: URL): string[] {
  const path = pathname.replace(/\/$/, '')
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map(
    (name) => `${origin}/.well-known/${name}${path}`,
  )
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

/** The resource as RFC 8707 has it: no fragment, and no slash where there is no path. */
function canonical(url: URL): string {
  return url.pathname === '/' && url.search === '' ? url.origin : url.href
}

/**
 * A resource that is the server itself, or the part of its origin that the server stands in: metadata at the root of an
 * origin may speak for all of it.
 */
export function covers(resource: string, server: string): boolean {
  const [outer, inner] = [URL.parse(resource), URL.parse(server)]
  if (outer === null || inner === null || outer.origin !== inner.origin || outer.hash !== '') return false
  return outer.search === '' ? folderOf(inner).startsWith(folderOf(outer)) : outer.href === inner.href
}

function folderOf({ pathname }: URL): string {
  return `${pathname.replace(/\/$/, '')}/`
}

type Asking = ReturnType<typeof createAsking>

function createAsking(fetch: Fetch, name: string) {
  const signal = AbortSignal.timeout(DISCOVER_MS)
  const wrong = (reason: string, cause?: unknown) =>
    problem('provider.bad_answer', { provider: name, id: name, reason, cause })

  async function ask(address: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(address, { redirect: 'manual', signal, ...init })
    } catch (cause) {
      if (cause instanceof Problem && cause.code === 'outbound.refused') throw cause
      throw problem('provider.unreachable', { provider: name, id: name, cause })
    }
  }

  return {
    wrong,

    /** Asks the server something without a token, to be told where to get one; `undefined` where it wants none. */
    async challenge(url: URL): Promise<Challenge | undefined> {
      const answer = await ask(url.href, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      })
      return answer.status === 401 ? readChallenge(answer.headers.get('www-authenticate')) : undefined
    },

    /** Reads the first of several documents that is there. One that is there and is not what it should be ends it. */
    async first<T>(addresses: readonly string[], schema: z.ZodType<T>): Promise<T | undefined> {
      for (const address of addresses) {
        const answer = await ask(address, { headers: { accept: 'application/json' } })
        if (answer.status !== 200) continue
        const found = schema.safeParse(parse(await answer.text()))
        if (found.success) return found.data
        // Some answer every address with their front page.
        if (answer.headers.get('content-type')?.includes('json')) throw wrong('its metadata lacks what it must have')
      }
      return undefined
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
