import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { networkOf } from '../base/network.ts'
import { createAddressSet, parseAddress, type AddressSet } from './addresses.ts'

export interface ClientAddressSettings {
  /** Proxies whose forwarding headers count: addresses, ranges in CIDR notation, or the word `loopback`. */
  readonly trusted: readonly string[]
}

/** What of a request tells where it came from. */
export interface Arrived {
  readonly headers: IncomingMessage['headers']
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/**
 * Tells who sent a request: the other end of the connection or, where that is a trusted proxy, the last hop before
 * the trusted ones. It is read from the right, since whatever stands to the left of the first stranger is what that
 * stranger wrote. A hop that cannot be read ends the walk at the one before.
 *
 * `X-Forwarded-For` counts where it is sent, `Forwarded` where it is not: a trusted proxy has to write the first
 * or take it away. A connection without an address, as of a Unix socket, is `unknown`.
 *
 * @throws {TypeError | RangeError} at once, where a trusted range is none
 * @see RFC 7239 §5.2 and §8.1
 */
export function createClientAddress({ trusted }: ClientAddressSettings): (request: Arrived) => string {
  const proxies = createNamedSet(trusted)
  return function clientAddress({ headers, socket }) {
    let address = parseAddress(socket.remoteAddress ?? '') ?? 'unknown'
    if (!proxies.has(address)) return address
    for (const hop of readHops(headers).toReversed()) {
      if (hop === undefined) return address
      address = hop
      if (!proxies.has(address)) return address
    }
    return address
  }
}

/**
 * Makes a set of what settings name: addresses, ranges in CIDR notation, or the word `loopback`.
 *
 * @throws {TypeError | RangeError} where one is none of these
 */
export function createNamedSet(named: readonly string[]): AddressSet {
  return createAddressSet(named.flatMap((range) => (range === 'loopback' ? LOOPBACK : range)))
}

const LOOPBACK = ['127.0.0.0/8', '::1']

function readHops(headers: Arrived['headers']): (string | undefined)[] {
  const listed = headers['x-forwarded-for']
  if (listed !== undefined) return String(listed).split(',').map(parseNode)
  const { forwarded } = headers
  return forwarded === undefined ? [] : forwarded.split(',').map(parseElement)
}

/**
 * Reads one element of `Forwarded`. The header is cut at every comma, in quotes too: an open quote that a client
 * sent shall not swallow what the proxy added after it.
 */
function parseElement(element: string): string | undefined {
  const nodes = element.split(';').flatMap((pair) => /^\s*for=(.*)/i.exec(pair)?.[1] ?? [])
  const [node] = nodes
  return node === undefined || nodes.length > 1 ? undefined : parseNode(node.trim().replace(/^"(.*)"$/, '$1'))
}

/** Reads an address with or without a port; IPv6 may stand bare or in brackets. @see RFC 7239 §6 */
function parseNode(node: string): string | undefined {
  const text = node.trim()
  const host = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(text)
  return parseAddress(host?.[1] ?? host?.[2] ?? text)
}

/**
 * Under which name an address is counted: an IPv6 caller by its /64, since that whole network is one customer's to
 * choose addresses from.
 *
 * @see RFC 6177 §2, RFC 4291 §2.5.4
 */
export function rateKeyOf(address: string): string {
  const parsed = parseAddress(address) ?? address
  return isIP(parsed) === 6 ? networkOf(parsed, { ipv4: 32, ipv6: 64 }) : parsed
}
