import type { IncomingHttpHeaders } from 'node:http'
import type { UpstreamId } from '../base/ids.ts'
import { problem } from '../base/problem.ts'
import type { Principal } from '../identity/principal.ts'
import type { Item, Standing } from '../registry/registry.ts'

/** What a client asks to have left out, with headers of its own. It never gets more than there is. */
export interface Narrowing {
  /** Whether it is to change nothing. */
  readonly readOnly: boolean
  /** The groups of tools it wants to see, where its servers have any. */
  readonly toolsets: readonly string[] | undefined
}

/** `X-MCP-Readonly` and `X-MCP-Toolsets`; `undefined` for nearly every request. */
export function readNarrowing(headers: IncomingHttpHeaders): Narrowing | undefined {
  const readOnly = headers['x-mcp-readonly']
  const toolsets = headers['x-mcp-toolsets']
  if (readOnly === undefined && toolsets === undefined) return undefined
  const names = String(toolsets ?? '').split(',')
  const wanted = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  return {
    readOnly: String(readOnly ?? '')
      .split(',')
      .some((said) => !SAYS_NO.has(said.trim().toLowerCase())),
    toolsets: toolsets === undefined || wanted.includes('all') ? undefined : wanted,
  }
}

/**
 * What of `X-MCP-Readonly` asks for nothing; any other word asks for less, so that nobody gets more for not knowing the
 * right one. Sent twice, or added to on the way, the words stand with a comma between, and one that asks is enough.
 */
const SAYS_NO: ReadonlySet<string> = new Set(['', 'false', '0'])

/** For whom a tool is looked for, or a list made. */
export interface Narrowed {
  readonly principal: Pick<Principal, 'readOnly'>
  readonly narrowing?: Narrowing | undefined
}

/**
 * Whether only what reads may be called at a server: its user or this request says so, or the configuration. What
 * reads is what the server itself says to (`readOnlyHint`); a tool of which it says nothing may change something.
 *
 * @param byAll whether the configuration says so
 */
export function isReadOnly({ principal, narrowing }: Narrowed, server: UpstreamId, byAll: boolean): boolean {
  return byAll || narrowing?.readOnly === true || principal.readOnly?.includes(server) === true
}

export function isReadAt(caller: Narrowed, { definition: { id, readOnly = false } }: Standing): boolean {
  return isReadOnly(caller, id, readOnly)
}

/** The tools of all servers with those left out that this caller does not want. */
export function narrow(standings: readonly Standing[], caller: Narrowed): readonly Standing[] {
  const toolsets = caller.narrowing?.toolsets
  return standings.map((standing) => {
    const readOnly = isReadAt(caller, standing)
    if (!readOnly && toolsets === undefined) return standing
    const items = standing.items.filter((item) => (!readOnly || item.readOnly) && isOf(toolsets, item))
    return items.length === standing.items.length ? standing : { ...standing, items, isPublic: false }
  })
}

/** What is of no group is for everybody. */
function isOf(toolsets: readonly string[] | undefined, { toolset }: Item): boolean {
  return toolsets === undefined || toolset === undefined || toolsets.includes(toolset)
}

/**
 * Refuses a toolset that no server has, since whoever misspelt it would wonder where the tools are.
 *
 * @throws {Problem} `request.params`
 */
export function requireToolsets(standings: readonly Standing[], { narrowing }: Narrowed): void {
  const toolsets = narrowing?.toolsets
  if (toolsets === undefined) return
  const known = new Set<string>()
  for (const { items } of standings) for (const { toolset } of items) if (toolset !== undefined) known.add(toolset)
  // Where a server could not be asked nobody knows what it has.
  if (known.size === 0 || standings.some(({ failure }) => failure)) return
  const unknown = toolsets.filter((name) => !known.has(name)).map((name) => name.slice(0, 50))
  if (unknown.length === 0) return
  const reason = `X-MCP-Toolsets: ${unknown.join(', ')} is none of the toolsets here, which are ${[...known].join(', ')}`
  throw problem('request.params', { reason })
}
