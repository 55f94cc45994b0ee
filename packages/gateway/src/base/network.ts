import { isIP } from 'node:net'

/** How many bits of an address name its network. */
export interface Prefix {
  /** 8, 16 or 24. */
  readonly ipv4: number
  /** A multiple of 16. */
  readonly ipv6: number
}

/**
 * The network that an address is in, like `203.0.0.0/16` or `2001:db8::/32`; what is no address stays as it is.
 *
 * @see RFC 4632 §3.1, RFC 4291 §2.3
 */
export function networkOf(address: string, { ipv4, ipv6 }: Prefix): string {
  const family = isIP(address)
  if (family === 4) return `${keep(address.split('.'), ipv4 / 8).join('.')}/${ipv4}`
  return family === 6
    ? `${groupsOf(address)
        .slice(0, ipv6 / 16)
        .join(':')}::/${ipv6}`
    : address
}

function keep(parts: readonly string[], count: number): string[] {
  return parts.map((part, place) => (place < count ? part : '0'))
}

/** The eight groups of an IPv6 address, with the zeros that `::` stands for. */
function groupsOf(address: string): string[] {
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
}
