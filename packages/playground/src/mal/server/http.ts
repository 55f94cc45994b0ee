import { setTimeout } from 'node:timers/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { MalSettings } from '../options.ts'
import { json, Refusal, type Answer, type Exchange, type Route } from './exchange.ts'
import { createRouter } from './router.ts'
import type { RequestLog } from './request-log.ts'

const maxBodyBytes = 64 * 1024

/** The HTTP side: reads a request to its end, finds its route and sends what the route answers. */
export function createHttp({ openRoutes, log, settings }: HttpNeeds) {
  let router: Promise<Router> | undefined
  return createServer((req, res) => void serve(req, res))

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      const body = await readBody(req)
      const { answer, route, exchange } = dispatch(await openRouter(), req, body)
      log.add({
        method: exchange.method,
        path: exchange.url.pathname,
        route,
        user: exchange.seen.user,
        status: answer === 'hang' ? 0 : answer.status,
      })
      if (answer === 'hang') return
      if (settings.delayMs > 0) await setTimeout(settings.delayMs)
      res.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) })
      res.end(req.method === 'HEAD' ? undefined : answer.body)
    } catch {
      // The client went away in the middle of its request: no answer is left to give.
      res.destroy()
    }
  }

  /** The routes are opened by the first request. */
  function openRouter(): Promise<Router> {
    router ??= openRoutes().then(createRouter)
    return router
  }
}

interface HttpNeeds {
  openRoutes(): Promise<readonly Route[]>
  log: RequestLog
  settings: Pick<MalSettings, 'delayMs'>
}

type Router = ReturnType<typeof createRouter>

function dispatch(match: Router, req: IncomingMessage, body: string | undefined): Dispatched {
  const exchange = open(req, body ?? '')
  if (body === undefined) return { exchange, route: 'too large', answer: apology(413, 'too_large') }
  const found = match(exchange.method, exchange.url.pathname)
  if (!found) return { exchange, route: 'unknown', answer: apology(404, 'not_found') }
  if (found === 'wrong method') return { exchange, route: 'unknown', answer: apology(405, 'method_not_allowed') }
  const { route, params } = found
  const asked = { ...exchange, params }
  return { exchange: asked, route: `${route.method} ${route.path}`, answer: settle(route, asked) }
}

interface Dispatched {
  exchange: Exchange
  route: string
  answer: Answer
}

function settle(route: Route, exchange: Exchange): Answer {
  try {
    return route.handle(exchange)
  } catch (error) {
    return error instanceof Refusal ? error.reply : apology(500, 'internal_server_error')
  }
}

function apology(status: number, error: string): Answer {
  return json({ message: '', error }, status)
}

function open(req: IncomingMessage, body: string): Exchange {
  const origin = `http://${authority(req)}`
  const isForm = req.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  return {
    method: req.method ?? 'GET',
    url: URL.parse(`${origin}${req.url?.startsWith('/') === true ? req.url : '/'}`) ?? new URL(origin),
    origin,
    headers: req.headers,
    form: new URLSearchParams(isForm ? body : ''),
    body,
    params: {},
    seen: {},
  }
}

/** The name the client used for this server, or the address it reached when the name is none. */
function authority({ headers, socket }: IncomingMessage): string {
  const host = headers.host ?? ''
  return /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) ? host : `127.0.0.1:${socket.localPort}`
}

/** Answers `undefined` for a body that is too large. */
async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    // What is too much is read and dropped, so that the client can still hear the answer.
    if (size <= maxBodyBytes) chunks.push(bytes)
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks).toString('utf8')
}
