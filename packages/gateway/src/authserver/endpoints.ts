import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { Clock } from '../base/clock.ts'
import { asProblem, problem, type Problem } from '../base/problem.ts'
import { readBody } from '../http/body.ts'
import { sendJson, type Route } from '../http/router.ts'
import { sendWeb } from '../http/web.ts'
import { showProblem } from '../pages/problem.ts'
import { oauthErrorOf, sendOAuthError } from './answers.ts'
import { hasGoodRedirects, normaliseMetadata } from './client-metadata.ts'
import { describeResource, describeServer } from './metadata.ts'
import { createPolling } from './polling.ts'
import { normaliseAuthorization, normaliseTokenRequest, standIn } from './request.ts'
import type { Resources } from './resources.ts'
import { DEVICE_GRANT, SESSION_COOKIE, type AuthserverSettings } from './settings.ts'
import type { Visitor } from './visitor.ts'

/** What counts toward a limit of its own. */
export type LimitedEndpoint = 'authorize' | 'token' | 'register' | 'revoke' | 'device'

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

/** A route that says itself what fails: as a page where a person sees it, else as OAuth has it. */
export interface AuthserverRoute extends Route {
  handle(...arrived: Parameters<Route['handle']>): Promise<void>
}

interface Endpoint {
  readonly path: string
  readonly prefix?: boolean
  readonly methods: readonly string[]
  readonly limit?: LimitedEndpoint
  /** Whether a person sees the answer; the others are for programs, and any web page may read them. */
  readonly isPage?: boolean
  answer(...arrived: Parameters<Route['handle']>): void | Promise<void>
}

const FORM_BYTES = 65_536
/** What a stranger may have the gate keep. */
const REGISTRATION_BYTES = 16_384

/** The paths of the authorization server: it answers for metadata by itself, for the rest through the library. */
export function createEndpoints(needs: EndpointsNeeds): AuthserverRoute[] {
  return [...listProtocol(needs), ...listMetadata(needs)].map((endpoint) => toRoute(endpoint, needs))
}

function toRoute(endpoint: Endpoint, needs: EndpointsNeeds): AuthserverRoute {
  const { path, prefix = false, isPage = false, methods, limit } = endpoint

  function admit(request: IncomingMessage, response: ServerResponse): void {
    if (!methods.includes(request.method ?? '')) {
      response.setHeader('Allow', methods.join(', '))
      throw problem('request.http_method')
    }
    if (limit !== undefined) needs.limits.spend(limit, needs.addressOf(request))
  }
  function fail(error: unknown, response: ServerResponse): void | Promise<void> {
    const failure = asProblem(error)
    const requestId = needs.newRequestId()
    needs.onFailure(failure, requestId)
    if (limit !== undefined) needs.onOperation(limit, outcomeOf(failure))
    if (response.headersSent) return void response.destroy()
    return isPage
      ? sendWeb(response, showProblem(failure, { requestId }))
      : sendOAuthError(response, failure, requestId)
  }

  return {
    path,
    prefix,
    origins: 'any',
    ...(isPage ? {} : { cors: methods }),
    async handle(request, response, rest) {
      response.setHeader('Cache-Control', 'no-store')
      // What a client calls itself is sent back to it: no browser shall take that for a page.
      response.setHeader('X-Content-Type-Options', 'nosniff')
      try {
        admit(request, response)
        await endpoint.answer(request, response, rest)
      } catch (error) {
        await fail(error, response)
      }
    },
  }
}

function outcomeOf(failure: Problem): string {
  return failure.code === 'limit.endpoint' ? 'limited' : oauthErrorOf(failure)
}

/** With its question mark, where there is one. */
function searchOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at)
}

const READ = ['GET', 'HEAD']

/** What the library answers, with each request put into words that it understands. */
function listProtocol(needs: EndpointsNeeds): Endpoint[] {
  const { settings, resources, provider } = needs
  const { publicUrl, oauth } = settings
  const polling = createPolling(needs)
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
      isPage: true,
      methods: READ,
      limit: 'authorize',
      async answer(request, response) {
        const search = searchOf(request)
        if (resources.originFor(request.headers.host) !== publicUrl) {
          return void response.writeHead(303, { Location: `${publicUrl}/authorize${search}` }).end()
        }
        const visitor = await needs.whoIsSignedIn(request)
        const signedInFor = visitor && needs.clock.now() - visitor.signedInAt
        const query = normaliseAuthorization(new URLSearchParams(search), { resources, signedInFor })
        await visit(request, response, { url: `/authorize?${query.toString()}`, visitor })
      },
    },
    {
      path: '/authorize/',
      prefix: true,
      isPage: true,
      methods: READ,
      async answer(request, response, uid) {
        if (!/^[\w-]+$/.test(uid)) throw problem('request.not_found')
        await visit(request, response, { url: `/authorize/${uid}`, visitor: await needs.whoIsSignedIn(request) })
      },
    },
    {
      path: '/token',
      methods: ['POST'],
      limit: 'token',
      async answer(request, response) {
        const body = await readBody(request, FORM_BYTES)
        const form = isForm(request) && normaliseTokenRequest(new URLSearchParams(body.toString()), resources)
        const deviceCode = form && form.get('grant_type') === DEVICE_GRANT && form.get('device_code')
        if (deviceCode && polling.isTooSoon(deviceCode)) throw problem('device.slow_down')
        const address = needs.addressOf(request)
        await handOver(request, response, { url: '/token', body: form ? Buffer.from(form.toString()) : body, address })
      },
    },
    {
      path: '/device_authorization',
      methods: ['POST'],
      limit: 'device',
      async answer(request, response) {
        if (!oauth.deviceAuthorization) throw problem('request.not_found')
        const body = await readBody(request, FORM_BYTES)
        const given = new URLSearchParams(body.toString())
        const form = isForm(request) && normaliseAuthorization(given, { resources, signedInFor: undefined })
        const address = needs.addressOf(request)
        const parts = { url: '/device_authorization', body: form ? Buffer.from(form.toString()) : body, address }
        await handOver(request, response, parts)
      },
    },
    {
      path: '/register',
      methods: ['POST'],
      limit: 'register',
      async answer(request, response) {
        if (!oauth.dynamicRegistration) throw problem('request.not_found')
        const body = await readBody(request, REGISTRATION_BYTES)
        await handOver(request, response, { url: '/register', body: normaliseRegistration(body) })
      },
    },
    {
      path: '/revoke',
      methods: ['POST'],
      limit: 'revoke',
      async answer(request, response) {
        const body = await readBody(request, FORM_BYTES)
        await handOver(request, response, { url: '/revoke', body })
        if (response.statusCode === 200) needs.onOperation('revoke', 'ok')
      },
    },
    {
      path: '/jwks',
      methods: READ,
      answer: (request, response) => handOver(request, response, { url: '/jwks' }),
    },
  ]
}

type HandOver = [
  IncomingMessage,
  ServerResponse,
  { readonly url: string; readonly body?: Buffer; readonly address?: string },
]

function isForm({ headers }: IncomingMessage): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')
}

interface Visited {
  readonly url: string
  readonly visitor: Visitor | undefined
}

/** What is no JSON object is handed on, to be refused by the library. */
function normaliseRegistration(body: Buffer): Buffer {
  const asked = parse(body)
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) return body
  const metadata = Object.fromEntries(Object.entries(asked))
  if (!hasGoodRedirects(metadata)) throw problem('oauth.redirect')
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
    { methods: READ, path, answer: (_request, response) => showServer(response, '') },
    { methods: READ, path: `/mcp${path}`, answer: (_request, response) => showServer(response, '') },
    {
      methods: READ,
      path: `${path}/`,
      prefix: true,
      answer: (_request, response, rest) => showServer(response, `/${rest}`),
    },
  ])
  return [
    ...documents,
    { methods: READ, path: RESOURCE_DOCUMENT, answer: (request, response) => showResource(request, response, '/mcp') },
    {
      methods: READ,
      path: `${RESOURCE_DOCUMENT}/`,
      prefix: true,
      answer: (request, response, rest) => showResource(request, response, `/${rest}`),
    },
  ]
}

const SERVER_DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
export const RESOURCE_DOCUMENT = '/.well-known/oauth-protected-resource'
