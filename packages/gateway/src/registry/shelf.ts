import { isUtf8 } from 'node:buffer'
import type { UpstreamId } from '../base/ids.ts'
import { isRecord } from '../base/json-rpc.ts'
import { findMember, splice, type Edit } from '../base/json-spans.ts'
import type { Log } from '../base/log.ts'
import { kinds, type KindName } from './kinds.ts'
import type { Listing } from './listing.ts'
import { exposeName, exposeUri, exposeUriAt } from './names.ts'
import { readParamHeaders, type ParamHeaders } from './param-headers.ts'

/** A tool, prompt, resource or template as its upstream describes it, byte for byte, and on the merged endpoint. */
export interface Item {
  readonly upstream: UpstreamId
  /** What its upstream knows it by: a name, a URI or a template of URIs. */
  readonly name: string
  /** The same on the merged endpoint. */
  readonly exposed: string
  readonly json: Buffer
  /** The description with everything in place that has another name on the merged endpoint. */
  readonly exposedJson: Buffer
  /** Whether its server says that nothing is lost where it is called twice. */
  readonly retriable: boolean
  /** Whether its server says that it changes nothing. */
  readonly readOnly: boolean
  /** The group of tools that its server says it is one of. */
  readonly toolset: string | undefined
  /** The arguments it wants as headers too; `undefined` for nearly every tool. */
  readonly paramHeaders: ParamHeaders | undefined
}

/** A list of one upstream's. */
export interface Shelf extends Omit<Listing, 'items'> {
  /** What the descriptions take in memory. */
  readonly bytes: number
  readonly items: readonly Item[]
  /** All descriptions as they stand in a list, with a comma between two; each item's `json` is a part of it. */
  readonly own: Buffer
  /** The same of each item's `exposedJson`. */
  readonly exposed: Buffer
  readonly byName: ReadonlyMap<string, Item>
  readonly byExposed: ReadonlyMap<string, Item>
}

export interface Shelving {
  readonly upstream: UpstreamId
  readonly kind: KindName
  /** The longest name on the merged endpoint. */
  readonly nameLimit: number
  readonly log: Log
}

/**
 * Puts a list on a shelf; what has no name, or the name of another, or is no JSON, is left out and logged: it would
 * spoil the list of all the others.
 */
export function toShelf({ items, rest, ttlMs, isPublic }: Listing, shelving: Shelving): Shelf {
  const { upstream, kind, log } = shelving
  const names = new Set<string>()
  // A server may give a tool the very name that another one of its own was shortened to.
  const exposed = new Set<string>()
  const kept: Item[] = []
  const leftOut: LeftOut[] = []
  for (const json of items) {
    const read = readItem(json, shelving)
    if ('why' in read) leftOut.push(read)
    else if (names.has(read.name) || exposed.has(read.exposed))
      leftOut.push({ name: read.name, why: 'the name of another' })
    else {
      names.add(read.name)
      exposed.add(read.exposed)
      kept.push(read)
    }
  }
  if (leftOut.length > 0)
    log.warn({ server: upstream, kind, count: leftOut.length, first: leftOut.slice(0, 5).map(shown) }, LEFT_OUT)
  return { ...lay(kept), rest, ttlMs, isPublic }
}

interface LeftOut {
  readonly name: string | undefined
  readonly why: string
}

const LEFT_OUT = 'registry.items_left_out'

function shown({ name, why }: LeftOut): string {
  return name === undefined ? why : `${name.slice(0, 100)}: ${why}`
}

function readItem(json: Buffer, { upstream, kind, nameLimit }: Shelving): Item | LeftOut {
  const { key } = kinds[kind]
  const described = parse(json)
  const name = described?.[key]
  if (!described || typeof name !== 'string' || name === '') return { name: undefined, why: `no ${key}` }
  const paramHeaders = kind === 'tools' ? readParamHeaders(described['inputSchema']) : undefined
  if (paramHeaders === 'invalid') return { name, why: 'x-mcp-header where or as it is not allowed' }
  const exposed = key === 'name' ? exposeName(upstream, name, nameLimit) : exposeUri(upstream, name)
  const exposedJson = splice(json, exposingEdits(json, { upstream, kind, exposed }))
  const { readOnly, retriable } = readHints(described)
  const toolset = readToolset(described)
  return { upstream, name, exposed, json, exposedJson, retriable, readOnly, toolset, paramHeaders }
}

function parse(json: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(json)) return undefined
  try {
    const value: unknown = JSON.parse(json.toString())
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** @see MCP 2026-07-28, schema#toolannotations */
function readHints({ annotations }: Record<string, unknown>): Pick<Item, 'readOnly' | 'retriable'> {
  const said = isRecord(annotations) ? annotations : {}
  const readOnly = said['readOnlyHint'] === true
  return { readOnly, retriable: readOnly || said['idempotentHint'] === true }
}

function readToolset({ _meta: meta }: Record<string, unknown>): string | undefined {
  const said = isRecord(meta) ? meta['toolset'] : undefined
  return typeof said === 'string' ? said : undefined
}

interface Exposing {
  readonly upstream: UpstreamId
  readonly kind: KindName
  readonly exposed: string
}

function exposingEdits(json: Buffer, { upstream, kind, exposed }: Exposing): Edit[] {
  const { key } = kinds[kind]
  const at = findMember(json, 0, key)
  if (!at) throw new TypeError('a description that was read has no name')
  if (key !== 'name') return [exposeUriAt(json, at, upstream)].filter((edit) => edit !== undefined)
  const edits: Edit[] = [{ ...at, by: JSON.stringify(exposed) }]
  if (kind === 'tools') edits.push(...screenEdits(json, upstream))
  return edits.sort((one, other) => one.start - other.start)
}

/** A tool may name the resource that shows what it does. @see MCP Apps, `_meta.ui`; the flat name is its older one */
function screenEdits(json: Buffer, upstream: UpstreamId): Edit[] {
  const meta = objectAt(json, 0, '_meta')
  if (meta === undefined) return []
  const ui = objectAt(json, meta, 'ui')
  const places = [
    ui === undefined ? undefined : findMember(json, ui, 'resourceUri'),
    findMember(json, meta, 'ui/resourceUri'),
  ]
  return places.flatMap((place) => (place && exposeUriAt(json, place, upstream)) ?? [])
}

function objectAt(json: Buffer, at: number, key: string): number | undefined {
  const member = findMember(json, at, key)
  return member && json[member.start] === OPEN_BRACE ? member.start : undefined
}

const OPEN_BRACE = 0x7b

/** Lays the descriptions side by side, so that a list of all of them is there already. */
function lay(read: readonly Item[]): Pick<Shelf, 'bytes' | 'items' | 'own' | 'exposed' | 'byName' | 'byExposed'> {
  const [own, ownParts] = join(read.map(({ json }) => json))
  const [exposed, exposedParts] = join(read.map(({ exposedJson }) => exposedJson))
  const items = read.map((item, index) => ({
    ...item,
    json: ownParts[index] ?? item.json,
    exposedJson: exposedParts[index] ?? item.exposedJson,
  }))
  return {
    bytes: own.length + exposed.length,
    items,
    own,
    exposed,
    byName: new Map(items.map((item) => [item.name, item])),
    byExposed: new Map(items.map((item) => [item.exposed, item])),
  }
}

/** All of them with a comma between two, and each as a part of that. */
function join(texts: readonly Buffer[]): [all: Buffer, parts: Buffer[]] {
  const all = Buffer.concat(texts.flatMap((text, index) => (index === 0 ? [text] : [COMMA, text])))
  let from = 0
  const parts = texts.map((text) => {
    const start = from
    from += text.length + COMMA.length
    return all.subarray(start, start + text.length)
  })
  return [all, parts]
}

const COMMA = Buffer.from(',')
