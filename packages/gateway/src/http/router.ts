import type { IncomingMessage, ServerResponse } from 'node:http'
import { asProblem, problem, toHttpError, type Problem } from '../base/problem.ts'
import { corsHeaders, isPreflight, preflightHeaders } from './cors.ts'
import type { Origins } from './edge.ts'
import { failureHeaders } from './refusal.ts'
import { sendWeb } from './web.ts'

/** What answers a path: all of it, or all that begins with it. */
export interface Route {
  readonly path: string
  readonly prefix?: boolean
  /** Health checks come from machines that know no name of the gate. */
  readonly anyHost?: boolean
  /** Whose web pages may send it requests; the gate's own where it is left out. */
  readonly origins?: Origins
  /** The HTTP methods a web page of another origin may use, where it may read the answer. */
  readonly cors?: readonly string[]
  /** Whether it is answered while the gate stops; the others are refused. */
  readonly whileStopping?: boolean
  handle(request: IncomingMessage, response: ServerResponse, rest: string): void | Promise<void>
}

export interface RouterNeeds {
  readonly routes: readonly Route[]
  readonly checkEdge: (request: IncomingMessage, origins: Origins | undefined) => void
  readonly isStopping: () => boolean
  /** Begins a request when there is time for it, or refuses it; health checks are always answered. */
  readonly admit?: (response: ServerResponse, begin: (refused?: Problem) => void) => void
  readonly newRequestId: () => string
  readonly onFailure: (failure: Problem, requestId: string) => void
  /** Answers a person who went to an address in a browser; without it they read what programs do. */
  readonly showPage?: (failure: Problem, requestId: string) => Response
}

/**
 * Sends each request to the route of its path, behind the guard of the edge. What a route throws is
 * answered in the HTTP form of the error table; a route that speaks another wire answers for itself.
 */
export function createRouter(needs: RouterNeeds) {
  const { routes, checkEdge, isStopping, admit = beginNow, newRequestId, onFailure, showPage } = needs
  const exact = new Map(routes.filter(({ prefix }) => prefix !== true).map((route) => [route.path, route]))
  const prefixes = routes.filter(({ prefix }) => prefix === true)

  function find(path: string): Route {
    const route = exact.get(path) ?? prefixes.find((candidate) => path.startsWith(candidate.path))
    if (!route) throw problem('request.not_found')
    return route
  }

  function fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const failure = asProblem(error)
    const requestId = newRequestId()
    onFailure(failure, requestId)
    if (response.headersSent) response.destroy()
    else if (showPage && isPerson(request)) void showTo(response, showPage(failure, requestId))
    else {
      const headers = ['X-Request-Id', requestId, ...failureHeaders(failure)]
      sendJson(response, failure.row.status, toHttpError(failure, requestId), headers)
    }
  }

  function answer(
    route: Route,
    request: IncomingMessage,
    response: ServerResponse,
    { path, refused }: { readonly path: string; readonly refused: Problem | undefined },
  ): void {
    try {
      if (refused) throw refused
      if (isStopping() && route.whileStopping !== true) throw problem('gate.stopping')
      const answered = route.handle(request, response, path.slice(route.path.length))
      answered?.catch((error: unknown) => fail(error, request, response))
    } catch (error) {
      fail(error, request, response)
    }
  }

  return function handle(request: IncomingMessage, response: ServerResponse): void {
    try {
      const path = pathOf(request.url ?? '/')
      const route = find(path)
      if (route.anyHost !== true) checkEdge(request, route.origins)
      const kind = route.origins === 'any' ? 'public' : 'mcp'
      // What is public says so to everybody: a cache may hand the answer on.
      if (route.cors !== undefined && (kind === 'public' || request.headers.origin !== undefined)) {
        if (isPreflight(request)) return answerPreflight(response, preflightHeaders(request, kind, route.cors))
        setHeaders(response, corsHeaders(request.headers.origin, kind))
      }
      const begin = (refused?: Problem) => answer(route, request, response, { path, refused })
      if (route.whileStopping === true) begin()
      else admit(response, begin)
    } catch (error) {
      fail(error, request, response)
    }
  }
}

function beginNow(_response: ServerResponse, begin: () => void): void {
  begin()
}

/** Whether it is somebody at a browser who went there. */
function isPerson({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html')
}

/** Whoever went away meanwhile is shown nothing. */
async function showTo(response: ServerResponse, page: Response): Promise<void> {
  try {
    await sendWeb(response, page)
  } catch {
    response.destroy()
  }
}

function answerPreflight(response: ServerResponse, headers: readonly string[]): void {
  response.writeHead(204, [...headers]).end()
}

/** Sets headers that are given as names and values in turn. */
function setHeaders(response: ServerResponse, pairs: readonly string[]): void {
  for (let index = 0; index + 1 < pairs.length; index += 2)
    response.setHeader(pairs[index] ?? '', pairs[index + 1] ?? '')
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** Answers with JSON that no browser guesses about and nobody keeps. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: readonly string[] = [],
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, [
    ...headers,
    'Content-Type',
    'application/json',
    'Content-Length',
    String(bytes.length),
    'X-Content-Type-Options',
    'nosniff',
    'Cache-Control',
    'no-store',
  ])
  response.end(bytes)
}
