import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { Clock } from '../base/clock.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { readBody } from '../http/body.ts'
import { corsHeaders, isPreflight, preflightHeaders } from '../http/cors.ts'
import { sendJson, setHeaders } from '../http/router.ts'
import { showProblem } from '../pages/problem.ts'
import { oauthErrorOf, sendOAuthError, sendPage } from './answers.ts'
import { hasGoodRedirects, normaliseMetadata } from './client-metadata.ts'
import { describeResource, describeServer } from './metadata.ts'
import { normaliseAuthorization, normaliseTokenRequest, standIn } from './request.ts'
import type { Resources } from './resources.ts'
import { SESSION_COOKIE, type AuthserverSettings } from './settings.ts'
import type { Visitor } from './visitor.ts'

/** What counts toward a limit of its own. */
export type LimitedEndpoint = 'authorize' | 'token' | 'register' | 'revoke'

export interface EndpointsNeeds {
  readonly settings: AuthserverSettings
  readonly resources: Resources
  readonly provider: () => Promise<Provider>
  readonly clock: Clock
  readonly limits: { spend(endpoint: LimitedEndpoint, address: string): void }
  readonly addressOf: (request: IncomingMessage) => string
  readonly whoIsSignedIn: (request: IncomingMessage) => Promise<Visitor | undefined>
  /** Remembers who is signed in, for as long as the library answers the request it is given. */
  readonly arrive: (request: object, visitor: Visitor | undefined) => void
  readonly newRequestId: () => string
  readonly onFailure: (failure: Problem, requestId: string) => void
  readonly onOperation: (operation: LimitedEndpoint, outcome: string) => void
}

/** A path, or all that begins with it; `open` ones may be read by any web page. */
export interface AuthserverRoute {
  readonly path: string
  readonly prefix?: boolean
  readonly open: boolean
}

interface Endpoint extends AuthserverRoute {
  readonly methods: readonly string[]
  readonly limit?: LimitedEndpoint
  answer(request: IncomingMessage, response: ServerResponse, url: URL): void | Promise<void>
}

const BODY_BYTES = 65_536

/** Answers every path of the authorization server: metadata by itself, the rest through the library. */
export function createEndpoints(needs: EndpointsNeeds) {
  const endpoints = [...listProtocol(needs), ...listMetadata(needs)]
  const exact = new Map(endpoints.filter(({ prefix }) => prefix !== true).map((each) => [each.path, each]))
  const prefixes = endpoints.filter(({ prefix }) => prefix === true)

  function find(path: string): Endpoint {
    const endpoint = exact.get(path) ?? prefixes.find((each) => path.startsWith(each.path))
    if (endpoint === undefined) throw problem('request.not_found')
    return endpoint
  }

  async function answer(endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { limit, methods } = endpoint
    if (!methods.includes(request.method ?? '')) {
      response.setHeader('Allow', methods.join(', '))
      throw problem('request.http_method')
    }
    if (limit !== undefined) needs.limits.spend(limit, needs.addressOf(request))
    await endpoint.answer(request, response, urlOf(request))
  }

  function fail(error: unknown, endpoint: Endpoint | undefined, response: ServerResponse): void | Promise<void> {
    const failure = asProblem(error)
    const requestId = needs.newRequestId()
    needs.onFailure(failure, requestId)
    if (endpoint?.limit !== undefined) needs.onOperation(endpoint.limit, outcomeOf(failure))
    if (response.headersSent) return void response.destroy()
    if (endpoint?.open === false) return sendPage(response, showProblem(failure, { requestId }))
    return sendOAuthError(response, failure, requestId)
  }

  return {
    routes: endpoints.map(({ path, prefix, open }): AuthserverRoute => ({ path, open, ...(prefix ? { prefix } : {}) })),

    /** Never rejects: what fails is answered, as a page where a person sees it, else as OAuth has it. */
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      let endpoint: Endpoint | undefined
      try {
        endpoint = find(urlOf(request).pathname)
        response.setHeader('Cache-Control', 'no-store')
        if (endpoint.open && isPreflight(request)) {
          return void response.writeHead(204, preflightHeaders(request, 'public', endpoint.methods)).end()
        }
        if (endpoint.open) setHeaders(response, corsHeaders(request.headers.origin, 'public'))
        await answer(endpoint, request, response)
      } catch (error) {
        await fail(error, endpoint, response)
      }
    },
  }
}

function outcomeOf(failure: Problem): string {
  return failure.code === 'limit.endpoint' ? 'limited' : oauthErrorOf(failure)
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  return URL.parse(url, 'http://gate.invalid') ?? new URL('http://gate.invalid/')
}

const READ = ['GET', 'HEAD']

/** What the library answers, with each request put into words that it understands. */
function listProtocol(needs: EndpointsNeeds): Endpoint[] {
  const { settings, resources, provider } = needs
  const { publicUrl, oauth } = settings
  const handOver = async (...[request, response, parts]: HandOver): Promise<void> => {
    const copy = standIn(request, { publicUrl, accept: 'application/json', ...parts })
    await (await provider()).callback()(copy, response)
  }
  /** The library asks for its session only where a cookie names one; which, does not matter. */
  const visit = async (request: IncomingMessage, response: ServerResponse, visited: Visited): Promise<void> => {
    const others = (request.headers.cookie ?? '').split(/; */).filter((each) => !each.startsWith(`${SESSION_COOKIE}=`))
    const cookie = [...others, `${SESSION_COOKIE}=ours`].filter((each) => each !== '').join('; ')
    const copy = standIn(request, { publicUrl, url: visited.url, accept: 'text/html', cookie })
    needs.arrive(copy, visited.visitor)
    await (await provider()).callback()(copy, response)
  }

  return [
    {
      path: '/authorize',
      open: false,
      methods: READ,
      limit: 'authorize',
      async answer(request, response, { search, searchParams }) {
        if (resources.originFor(request.headers.host) !== publicUrl) {
          return void response.writeHead(303, { Location: `${publicUrl}/authorize${search}` }).end()
        }
        const visitor = await needs.whoIsSignedIn(request)
        const signedInFor = visitor && needs.clock.now() - visitor.signedInAt
        const query = normaliseAuthorization(searchParams, { resources, signedInFor })
        await visit(request, response, { url: `/authorize?${query.toString()}`, visitor })
      },
    },
    {
      path: '/authorize/',
      prefix: true,
      open: false,
      methods: READ,
      async answer(request, response, { pathname }) {
        if (!/^\/authorize\/[\w-]+$/.test(pathname)) throw problem('request.not_found')
        await visit(request, response, { url: pathname, visitor: await needs.whoIsSignedIn(request) })
      },
    },
    {
      path: '/token',
      open: true,
      methods: ['POST'],
      limit: 'token',
      async answer(request, response) {
        const body = await readBody(request, BODY_BYTES)
        const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')
        const form = isForm && normaliseTokenRequest(new URLSearchParams(body.toString()), resources)
        await handOver(request, response, { url: '/token', body: form ? Buffer.from(form.toString()) : body })
      },
    },
    {
      path: '/register',
      open: true,
      methods: ['POST'],
      limit: 'register',
      async answer(request, response) {
        const body = await readBody(request, BODY_BYTES)
        if (!oauth.dynamicRegistration) throw problem('request.not_found')
        await handOver(request, response, { url: '/register', body: normaliseRegistration(body) })
      },
    },
    {
      path: '/revoke',
      open: true,
      methods: ['POST'],
      limit: 'revoke',
      async answer(request, response) {
        const body = await readBody(request, BODY_BYTES)
        await handOver(request, response, { url: '/revoke', body })
        if (response.statusCode === 200) needs.onOperation('revoke', 'ok')
      },
    },
    {
      path: '/jwks',
      open: true,
      methods: READ,
      answer: (request, response) => handOver(request, response, { url: '/jwks' }),
    },
  ]
}

type HandOver = [IncomingMessage, ServerResponse, { readonly url: string; readonly body?: Buffer }]

interface Visited {
  readonly url: string
  readonly visitor: Visitor | undefined
}

/** What is no JSON object is handed on, to be refused by the library. */
function normaliseRegistration(body: Buffer): Buffer {
  const asked = parse(body)
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) return body
  const metadata = Object.fromEntries(Object.entries(asked))
  if (!hasGoodRedirects(metadata['redirect_uris'])) throw problem('oauth.redirect')
  return Buffer.from(JSON.stringify(normaliseMetadata(metadata)))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

/**
 * The documents that tell where everything is. Clients look for them at the root, with the path of the resource in
 * between and, some of them, behind it.
 *
 * @see RFC 8414 §3.1, RFC 9728 §3.1, OpenID Connect Discovery §4.1
 */
function listMetadata({ settings, resources }: EndpointsNeeds): Endpoint[] {
  const common = { open: true, methods: READ }
  const server = describeServer(settings)
  const showServer = (response: ServerResponse, path: string): void => {
    if (path !== '' && !resources.isKnown(path)) throw problem('request.not_found')
    sendJson(response, 200, server)
  }
  const showResource = (request: IncomingMessage, response: ServerResponse, path: string): void => {
    if (!resources.isKnown(path)) throw problem('request.not_found')
    sendJson(response, 200, describeResource(settings, resources, { path, host: request.headers.host }))
  }
  const documents = SERVER_DOCUMENTS.flatMap((path): Endpoint[] => [
    { ...common, path, answer: (_request, response) => showServer(response, '') },
    { ...common, path: `/mcp${path}`, answer: (_request, response) => showServer(response, '') },
    {
      ...common,
      path: `${path}/`,
      prefix: true,
      answer: (_request, response, { pathname }) => showServer(response, pathname.slice(path.length)),
    },
  ])
  return [
    ...documents,
    { ...common, path: RESOURCE_DOCUMENT, answer: (request, response) => showResource(request, response, '/mcp') },
    {
      ...common,
      path: `${RESOURCE_DOCUMENT}/`,
      prefix: true,
      answer: (request, response, { pathname }) =>
        showResource(request, response, pathname.slice(RESOURCE_DOCUMENT.length)),
    },
  ]
}

const SERVER_DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
export const RESOURCE_DOCUMENT = '/.well-known/oauth-protected-resource'
