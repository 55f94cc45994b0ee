import { BlockList, isIP, SocketAddress } from 'node:net'

/** A range of addresses that lead to nobody a stranger may name. */
export interface SpecialRange {
  readonly range: string
  readonly what: string
  /** Where the range is set aside. */
  readonly source: string
}

/**
 * What is not the public internet, and what a cloud answers on its own. Of IPv6 only 2000::/3 is handed out as global
 * unicast, so the last three rows refuse all the rest, whatever it will be used for; the rows before them give the
 * better known parts their name.
 *
 * @see RFC 6890 and the IANA IPv4 and IPv6 Special-Purpose Address Registries, which it began
 */
export const specialRanges: readonly SpecialRange[] = [
  { range: '0.0.0.0/8', what: 'this network', source: 'RFC 791 §3.2' },
  { range: '10.0.0.0/8', what: 'private', source: 'RFC 1918' },
  { range: '100.64.0.0/10', what: 'shared by a carrier', source: 'RFC 6598' },
  { range: '127.0.0.0/8', what: 'loopback', source: 'RFC 1122 §3.2.1.3' },
  { range: '169.254.0.0/16', what: 'link-local, and the metadata of clouds', source: 'RFC 3927' },
  { range: '172.16.0.0/12', what: 'private', source: 'RFC 1918' },
  { range: '192.0.0.0/24', what: 'protocol assignments', source: 'RFC 6890 §2.1' },
  { range: '192.0.2.0/24', what: 'documentation', source: 'RFC 5737' },
  { range: '192.88.99.0/24', what: 'relays of 6to4', source: 'RFC 7526' },
  { range: '192.168.0.0/16', what: 'private', source: 'RFC 1918' },
  { range: '198.18.0.0/15', what: 'benchmarking', source: 'RFC 2544' },
  { range: '198.51.100.0/24', what: 'documentation', source: 'RFC 5737' },
  { range: '203.0.113.0/24', what: 'documentation', source: 'RFC 5737' },
  { range: '224.0.0.0/4', what: 'multicast', source: 'RFC 5771' },
  { range: '240.0.0.0/4', what: 'reserved, and broadcast', source: 'RFC 1112 §4' },
  // A public address in any registry, but inside Azure it is the platform itself.
  { range: '168.63.129.16/32', what: 'the platform of a cloud', source: 'Azure, "What is IP address 168.63.129.16?"' },

  { range: '::/128', what: 'unspecified', source: 'RFC 4291 §2.5.2' },
  { range: '::1/128', what: 'loopback', source: 'RFC 4291 §2.5.3' },
  { range: '::ffff:0:0/96', what: 'IPv4-mapped', source: 'RFC 4291 §2.5.5.2' },
  { range: '::/96', what: 'IPv4-compatible', source: 'RFC 4291 §2.5.5.1' },
  { range: '64:ff9b::/96', what: 'translated to IPv4', source: 'RFC 6052' },
  { range: '64:ff9b:1::/48', what: 'translated to IPv4', source: 'RFC 8215' },
  { range: '100::/64', what: 'discard-only', source: 'RFC 6666' },
  { range: '2001::/23', what: 'protocol assignments', source: 'RFC 2928' },
  { range: '2001:db8::/32', what: 'documentation', source: 'RFC 3849' },
  { range: '2002::/16', what: '6to4', source: 'RFC 3056' },
  { range: '3fff::/20', what: 'documentation', source: 'RFC 9637' },
  { range: 'fc00::/7', what: 'unique local, and the metadata of clouds', source: 'RFC 4193' },
  { range: 'fe80::/10', what: 'link-local', source: 'RFC 4291 §2.5.6' },
  { range: 'fec0::/10', what: 'site-local', source: 'RFC 3879' },
  { range: 'ff00::/8', what: 'multicast', source: 'RFC 4291 §2.7' },
  { range: '::/3', what: 'not global unicast', source: 'IANA IPv6 Address Space' },
  { range: '4000::/2', what: 'not global unicast', source: 'IANA IPv6 Address Space' },
  { range: '8000::/1', what: 'not global unicast', source: 'IANA IPv6 Address Space' },
]

const rows = specialRanges.map((row) => ({ row, set: createAddressSet([row.range]) }))

/** Whether it is an address of the public internet, to which a connection may be opened that a stranger asked for. */
export function isGlobal(address: string): boolean {
  // An address with a zone means something on one link only.
  return isIP(address) !== 0 && !address.includes('%') && findSpecialRange(address) === undefined
}

/** Finds the range set aside that holds the address, if one does. */
export function findSpecialRange(address: string): SpecialRange | undefined {
  return rows.find(({ set }) => set.has(address))?.row
}

/** Addresses and ranges in CIDR notation, to be asked about. */
export interface AddressSet {
  has(address: string): boolean
}

/**
 * Makes a set of addresses and ranges. Each family is asked for itself, since Node's list finds every IPv4 address
 * in a wide range of IPv6.
 *
 * @throws {TypeError | RangeError} where one is neither an address nor a range
 */
export function createAddressSet(ranges: readonly string[]): AddressSet {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/', 2)
    const family = familyOf(address) ?? 'ipv4'
    if (prefix === undefined) lists[family].addAddress(address, family)
    else lists[family].addSubnet(address, toPrefix(prefix), family)
  }
  return {
    has(address) {
      const family = familyOf(address)
      return family !== undefined && lists[family].check(address, family)
    },
  }
}

/** Not a number where it is not one, which Node refuses; an empty one would be zero, and all addresses. */
function toPrefix(digits: string): number {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : Number.NaN
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return ({ 0: undefined, 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address)]
}

/**
 * Parses an address into the one way to write it: IPv6 as RFC 5952 has it, without its zone, and an IPv4 address
 * that comes mapped into IPv6 as IPv4. Whatever else it is given is no address.
 */
export function parseAddress(text: string): string | undefined {
  const family = isIP(text)
  if (family !== 6) return family === 4 ? text : undefined
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : ''
  return isIP(mapped) === 4 ? mapped : address
}

const MAPPED = '::ffff:'
