import { toolsets, type Tool, type Toolset } from './tool.ts'

/** What of the table one caller is offered. */
export interface Offer {
  readonly toolsets: ReadonlySet<Toolset>
  /** Without the tools that change anything. */
  readonly readOnly: boolean
}

export function isOffered({ toolset, effect }: Tool, offer: Offer): boolean {
  return offer.toolsets.has(toolset) && (effect === 'reads' || !offer.readOnly)
}

/**
 * Reads names of toolsets; `all` is every one.
 * @throws {RangeError} that names what there is, where a name is none of them
 */
export function parseToolsets(given: Iterable<string>): ReadonlySet<Toolset> {
  const names = [...given].map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  if (names.includes('all')) return new Set(toolsets)
  const unknown = names.filter((name) => !toolsets.some((toolset) => toolset === name))
  if (unknown.length > 0) {
    throw new RangeError(`${unknown.join(', ')}: there is no such toolset, only ${toolsets.join(', ')} and all`)
  }
  return new Set(toolsets.filter((toolset) => names.includes(toolset)))
}

/**
 * What a request asks for with its headers, within what the server offers: a header chooses the toolsets, and can make
 * a server read-only but never make a read-only one write. Whatever is not a no makes it so, and of several values one.
 *
 * @throws {RangeError} as {@link parseToolsets}
 */
export function offerFor(headers: Headers, offer: Offer): Offer {
  const named = headers.get('x-mcp-toolsets')
  const readOnly = (headers.get('x-mcp-readonly') ?? '').split(',')
  return {
    toolsets: named === null ? offer.toolsets : parseToolsets(named.split(',')),
    readOnly: offer.readOnly || readOnly.some((said) => !SAYS_NO.has(said.trim().toLowerCase())),
  }
}

const SAYS_NO: ReadonlySet<string> = new Set(['', 'false', '0'])
