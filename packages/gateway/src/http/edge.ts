import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../base/loopback.ts'
import { problem } from '../base/problem.ts'

/** Which names this gate answers to, and which web pages may call it. */
export interface EdgeSettings {
  readonly publicUrl: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
}

/**
 * Whose web pages may send a request: those of `any` origin, where it proves nothing by cookie and needs no secret;
 * of the gate and of the origins that the settings allow (`mcp`); of the gate alone (`own`).
 */
export type Origins = 'any' | 'mcp' | 'own'

/**
 * Lets in the host of `publicUrl`, what the settings add, and the names of loopback with the port that the connection
 * came in by, whichever that is; and the web origins a route is for. Pages of this machine may call MCP where the gate
 * itself is on this machine: they come with a key or a token like everybody else.
 *
 * Guards against DNS rebinding: a page in a browser can make a name of its own point at this machine, but
 * it cannot choose the `Host` and `Origin` the browser sends.
 *
 * @throws {Problem} `request.host`, `request.origin`
 * @see MCP 2026-07-28, basic/transports/streamable-http#security-warning
 */
export function createEdge(settings: EdgeSettings): (request: IncomingMessage, origins?: Origins) => void {
  const hosts = new Set(hostsOf(settings))
  const own = new URL(settings.publicUrl).origin.toLowerCase()
  const allowed = new Set(settings.allowedOrigins.map((origin) => origin.toLowerCase()))
  const onLoopback = isLoopbackHost(new URL(own).hostname)

  function mayCallMcp(origin: string): boolean {
    return allowed.has(origin) || (onLoopback && isLoopbackHost(URL.parse(origin)?.hostname ?? ''))
  }

  return function checkEdge(request, origins = 'own') {
    const host = request.headers.host?.toLowerCase()
    const origin = request.headers.origin?.toLowerCase()
    const isKnown = host !== undefined && (hosts.has(host) || isLoopback(host, request))
    const twice = findRepeated(request)
    if (!isKnown || twice === 'host') throw problem('request.host', { host })
    if (twice !== undefined) throw problem('request.repeated', { header: twice })
    if (origin === undefined || origins === 'any' || origin === own || isLoopbackOrigin(origin, request)) return
    if (origins === 'own' || !mayCallMcp(origin)) throw problem('request.origin', { origin })
  }
}

function hostsOf({ publicUrl, allowedHosts }: EdgeSettings): string[] {
  return [new URL(publicUrl).host, ...allowedHosts].map((host) => host.toLowerCase())
}

/** The port is the connection's own, since the configuration may leave the choice to the system. */
function isLoopback(host: string, { socket }: IncomingMessage): boolean {
  const port = `:${socket.localPort}`
  return host.endsWith(port) && isLoopbackHost(host.slice(0, -port.length))
}

function isLoopbackOrigin(origin: string, request: IncomingMessage): boolean {
  return origin.startsWith(SCHEME) && isLoopback(origin.slice(SCHEME.length), request)
}

const SCHEME = 'http://'

/** Of these Node keeps the first and drops the others, by their lengths, which differ from those of most other names. */
const ONCE: ReadonlyMap<number, string> = new Map(
  ['host', 'content-type', 'authorization'].map((name) => [name.length, name]),
)

/**
 * Finds what decides something and stands twice: whoever stands in between may have believed the other one.
 *
 * @see RFC 9110 §5.3, RFC 9112 §3.2
 */
function findRepeated({ rawHeaders }: IncomingMessage): string | undefined {
  let found = ''
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const once = ONCE.get(name.length)
    if (once === undefined || name.toLowerCase() !== once) continue
    if (found.includes(once)) return once
    found += `${once} `
  }
  return undefined
}
