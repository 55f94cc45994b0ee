import { createMcpHandler, type AuthInfo } from '@modelcontextprotocol/server'
import { fixed, type Caller } from './auth/credentials.ts'
import { secret } from '#kit/secret'
import { writeMetrics } from './exposition.ts'
import { createMalServer } from './server.ts'
import { createMal, type MalSettings } from './settings.ts'
import { offerFor, type Offer } from './tools/offer.ts'
import { toolsets } from './tools/tool.ts'

export interface MalHandler {
  /** `authInfo.token` is the caller's own MyAnimeList access token; an empty one is none. */
  fetch(request: Request, options?: { readonly authInfo?: AuthInfo }): Promise<Response>
  /** What is counted, in Prometheus' text. */
  metrics(): string
  close(): Promise<void>
}

/** One HTTP request's caller, and what became of their credential. */
type Call = Caller & { readonly offer: Offer; refusal?: 'token_missing' | 'token_rejected' }

/**
 * MyAnimeList as an MCP server over stateless HTTP: any request is answered alone, of 2026-07-28 and of the older
 * revisions. It checks neither Host nor Origin; whoever mounts it does.
 *
 * A call whose token is missing or rejected is answered with HTTP 401, so that whoever sits in front can renew the
 * token and repeat it. Lists and discovery need none.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 */
export function createMalHandler(settings: MalSettings = {}): MalHandler {
  const mal = createMal(settings)
  const calls = new WeakMap<AuthInfo, Call>()
  const mcp = createMcpHandler(
    ({ authInfo }) => {
      const call = authInfo && calls.get(authInfo)
      return createMalServer(mal, call ?? nobody, call?.offer)
    },
    { onerror: mal.onerror },
  )

  return {
    async fetch(request, { authInfo } = {}) {
      const call = callOf(authInfo, request.headers)
      if (call === undefined) return unknownToolset()
      const key: AuthInfo = { clientId: '', scopes: [], ...authInfo, token: authInfo?.token ?? '' }
      calls.set(key, call)
      const response = await untilFirstWord(await mcp.fetch(request, { authInfo: key }))
      if (call.refusal === undefined) return response
      await response.body?.cancel()
      return challenge(call.refusal)
    },
    metrics: () => writeMetrics({ counts: mal.counters.read(), renewals: settings.credentials?.renewals?.() }),
    async close() {
      await mcp.close()
      await mal.close()
    },
  }

  /** `undefined` where the headers ask for what there is not. */
  function callOf(authInfo: AuthInfo | undefined, headers: Headers): Call | undefined {
    const offer = tryOffer(headers)
    if (offer === undefined) return undefined
    const { token, clientId: owner = '' } = authInfo ?? {}
    // The shared account is nobody's own: when it fails, a caller who logs in again changes nothing.
    if (!token && settings.credentials) return { credentials: settings.credentials, owner, offer }
    const call: Call = {
      credentials: fixed(token ? secret(token) : undefined),
      owner,
      offer,
      refused: (why) => (call.refusal = why),
    }
    return call
  }

  function tryOffer(headers: Headers): Offer | undefined {
    try {
      return offerFor(headers, mal.offer)
    } catch {
      return undefined
    }
  }
}

const nobody: Caller = { credentials: fixed(undefined), owner: '' }

/**
 * Holds a stream back until something is on it: the older revisions open it before the tool has run, and a status
 * cannot be changed once it is sent.
 */
async function untilFirstWord(response: Response): Promise<Response> {
  if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  const reader = response.body.getReader()
  let first: Awaited<ReturnType<typeof reader.read>> | undefined = await reader.read()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = first ?? (await reader.read())
      first = undefined
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(body, { status: response.status, headers: response.headers })
}

function unknownToolset(): Response {
  const error_description = `X-MCP-Toolsets must name some of ${toolsets.join(', ')}, or all.`
  return Response.json({ error: 'invalid_request', error_description }, { status: 400 })
}

/** Without a credential the challenge names no error: nothing was wrong with it. */
function challenge(refusal: 'token_missing' | 'token_rejected'): Response {
  return refusal === 'token_missing'
    ? Response.json(
        {
          error: 'unauthorized',
          error_description: 'Send your own MyAnimeList access token as "Authorization: Bearer <token>".',
        },
        { status: 401, headers: { 'www-authenticate': 'Bearer' } },
      )
    : Response.json(
        {
          error: 'invalid_token',
          error_description: 'MyAnimeList rejected the access token. Renew it, or connect the account again.',
        },
        { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
      )
}
