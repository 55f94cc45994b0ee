import { isRecord } from '../base/json-rpc.ts'

/** An argument of a tool that a request carries as an HTTP header as well, so that who is in between can see it. */
export interface ParamHeader {
  /** The whole name of the header, as its server spells it. */
  readonly header: string
  /** The same in lower case, in which names are compared. */
  readonly lowerCase: string
  /** Where the value stands in the arguments. */
  readonly path: readonly string[]
}
export type ParamHeaders = readonly ParamHeader[]

/**
 * Which arguments a tool wants as headers, from its `inputSchema`; `undefined` for nearly every tool. A tool that says
 * so in a way that is not allowed is `'invalid'`, and must not be shown to anybody.
 *
 * @see MCP 2026-07-28, server/tools#x-mcp-header
 */
export function readParamHeaders(inputSchema: unknown): ParamHeaders | 'invalid' | undefined {
  const found = new Map<string, ParamHeader>()
  // Not by recursion: how deep a schema goes is up to whoever wrote it.
  const waiting: Place[] = [{ schema: inputSchema, name: '', above: undefined, depth: 0, isReachable: true }]
  for (let place = waiting.pop(); place; place = waiting.pop()) {
    const { schema } = place
    if (!isRecord(schema)) continue
    if (Object.hasOwn(schema, KEY)) {
      const header = headerAt(place, schema)
      if (!header || found.has(header.lowerCase)) return 'invalid'
      found.set(header.lowerCase, header)
    }
    addBelow(place, schema, waiting)
  }
  return found.size === 0 ? undefined : [...found.values()]
}

/** A schema within a schema. */
interface Place {
  readonly schema: unknown
  /** Of the property it describes. */
  readonly name: string
  readonly above: Place | undefined
  readonly depth: number
  /** Whether it is reached by `properties` alone, so that there is one value it describes, at a known place. */
  readonly isReachable: boolean
}

const KEY = 'x-mcp-header'
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
/** Further down nobody has arguments, and every call would have to go there. */
const DEPTH_MOST = 64

/** @see RFC 9110 §5.6.2, token */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

function headerAt(place: Place, schema: Readonly<Record<string, unknown>>): ParamHeader | undefined {
  const { isReachable, depth } = place
  if (!isReachable || depth === 0 || depth > DEPTH_MOST || !TYPES.has(schema['type'])) return undefined
  const name = schema[KEY]
  if (typeof name !== 'string' || !TOKEN.test(name)) return undefined
  const header = `Mcp-Param-${name}`
  return { header, lowerCase: header.toLowerCase(), path: pathTo(place) }
}

function pathTo(place: Place): string[] {
  const path: string[] = []
  for (let at = place; at.above; at = at.above) path.unshift(at.name)
  return path
}

function addBelow(above: Place, schema: Readonly<Record<string, unknown>>, waiting: Place[]): void {
  const { isReachable } = above
  const depth = above.depth + 1
  for (const [name, child] of entriesOf(schema['properties']))
    waiting.push({ schema: child, name, above, depth, isReachable })
  const add = (child: unknown) => waiting.push({ schema: child, name: '', above, depth, isReachable: false })
  for (const keyword of SCHEMAS) if (Object.hasOwn(schema, keyword)) [schema[keyword]].flat().forEach(add)
  for (const keyword of SCHEMAS_BY_NAME) for (const [, child] of entriesOf(schema[keyword])) add(child)
}

function entriesOf(value: unknown): [string, unknown][] {
  return isRecord(value) ? Object.entries(value) : []
}

/** Keywords that hold a schema or a list of them. @see JSON Schema 2020-12, Core §10 */
const SCHEMAS = [
  'items',
  'prefixItems',
  'additionalItems',
  'unevaluatedItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'propertyNames',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
]
const SCHEMAS_BY_NAME = ['patternProperties', 'dependentSchemas', '$defs', 'definitions']
