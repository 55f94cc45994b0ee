import type { Caller, Described } from './callers.ts'

/** What servers list, by which name each is known. */
export const lists = [
  { capability: 'tools', method: 'tools/list', member: 'tools', key: 'name' },
  { capability: 'prompts', method: 'prompts/list', member: 'prompts', key: 'name' },
  { capability: 'resources', method: 'resources/list', member: 'resources', key: 'uri' },
  { capability: 'resources', method: 'resources/templates/list', member: 'resourceTemplates', key: 'uriTemplate' },
] as const

export type Lists = Readonly<Record<(typeof lists)[number]['member'], readonly Described[]>>

/** Everything a server has, sorted by name; empty where it says that it has none. */
export async function listed(caller: Caller): Promise<Lists> {
  const all: Record<keyof Lists, readonly Described[]> = {
    tools: [],
    prompts: [],
    resources: [],
    resourceTemplates: [],
  }
  for (const { capability, method, member, key } of lists) {
    const items = caller.capabilities.includes(capability) ? await caller.list(method, member) : []
    all[member] = items.toSorted((one, other) => (String(one[key]) < String(other[key]) ? -1 : 1))
  }
  return all
}

export interface Comparing {
  /** The folder of whoever was answered. */
  readonly folder: string
  /** The server, where the answer names it before each URI. */
  readonly merged?: string | undefined
  /** Compares what kinds of values there are and not the values: the answer is another each time. */
  readonly vague: boolean
}

/** An answer without what may differ: the revision's own members, the folder, times, and what is made up each time. */
export function comparable(answer: unknown, { folder, merged, vague }: Comparing): unknown {
  const text = JSON.stringify(answer, (name, value: unknown) => (REVISION.has(name) ? undefined : value))
  const own = merged === undefined ? text : text.replaceAll(`${merged}+`, '')
  const same = VARYING.reduce((so, [pattern, by]) => so.replaceAll(pattern, by), own.replaceAll(folder, '%'))
  const value: unknown = JSON.parse(same)
  return vague ? kindOf(value) : value
}

/** Members that results of 2026-07-28 have and others have not. */
const REVISION: ReadonlySet<string> = new Set([
  'resultType',
  'ttlMs',
  'cacheScope',
  'io.modelcontextprotocol/serverInfo',
])

const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>'],
  [/\d{1,2}:\d\d:\d\d(?: [AP]M)?/g, '<time>'],
  [/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d\d \d{4}/g, '<day>'],
  [/"mtimeMs":[\d.]+/g, '"mtimeMs":0'],
  [/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, '<uuid>'],
]

/** The kind of a value, and of what is in it; of a list, the kinds there are. */
function kindOf(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(kindOf(one))))].sort()
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, kindOf(one)]))
}
