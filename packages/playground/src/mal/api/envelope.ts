import { json, type Exchange, type Reply } from '../server/exchange.ts'
import type { Json, JsonObject } from './fields.ts'
import { readNumber } from './params.ts'

/** Which part of a list is asked for. */
export interface Window {
  readonly limit: number
  readonly offset: number
}

/** Reads `limit` and `offset`; what is over the maximum is an error, not cut. */
export function readWindow({ url }: Exchange, max: number, usual = 100): Window {
  return {
    limit: readNumber(url.searchParams, 'limit', { least: 1, most: max }) ?? Math.min(usual, max),
    offset: readNumber(url.searchParams, 'offset', { least: 0, most: 10_000_000 }) ?? 0,
  }
}

/**
 * A page of a list. The neighbours are absolute URLs with every parameter of the request; at the ends they are absent.
 */
export function page<T>(exchange: Exchange, window: Window, { items, show, ...rest }: Paged<T>): Reply {
  const { limit, offset } = window
  const next = offset + limit < items.length ? at(exchange, offset + limit) : undefined
  const previous = offset > 0 ? at(exchange, Math.max(0, offset - limit)) : undefined
  const data = items.slice(offset, offset + limit).map((item, index) => show(item, offset + index))
  return json({ data: rest.wrap?.(data) ?? data, paging: { previous, next }, ...rest.beside })
}

interface Paged<T> {
  readonly items: readonly T[]
  show(item: T, position: number): JsonObject
  /** Puts the items below a name of `data`, as one endpoint does. */
  wrap?(data: readonly JsonObject[]): Json
  /** What stands beside `data`. */
  readonly beside?: JsonObject
}

function at({ origin, url }: Exchange, offset: number): string {
  const params = new URLSearchParams(url.searchParams)
  params.set('offset', String(offset))
  return `${origin}${url.pathname}?${params.toString()}`
}
