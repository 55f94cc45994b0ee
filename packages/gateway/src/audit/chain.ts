import { hash } from 'node:crypto'
import type { TenantId } from '../base/ids.ts'
import { events, type AuditEvent } from './events.ts'

/** The last entry of a chain, to which the next is linked. */
export interface Head {
  readonly seq: number
  readonly hash: string
}

/** What a value is cut to: part of it comes from clients. */
const LONGEST = 512

/** Where a tenant's chain begins; it names the tenant, so that a chain cannot be passed off as another's. */
export function genesis(tenant: TenantId): Head {
  return { seq: 0, hash: hash('sha256', `sekisho audit ${tenant}`, 'base64url') }
}

/** The hash of an entry covers the one before it, and so all before it. */
export function link(previous: Head, entry: string): Head {
  return { seq: previous.seq + 1, hash: hash('sha256', previous.hash + entry, 'base64url') }
}

/**
 * Writes an entry as the JSON that is kept and hashed: only fields of the event's row, only plain values.
 *
 * Written at once and not piece by piece: a text that was put together stays a tree of its pieces until it is
 * read, and entries wait in hundreds for their group, where the collector would move every piece.
 */
export function toEntry(at: number, event: AuditEvent): string {
  const entry: Record<string, Plain> = { at, kind: event.kind }
  if (event.userId !== undefined) entry['user'] = event.userId
  if (event.requestId !== undefined) entry['request'] = cut(event.requestId)
  const values: Readonly<Record<string, unknown>> = event
  for (const name of fieldNames.get(event.kind) ?? []) {
    const value = values[name]
    if (isPlain(value)) entry[name] = cut(value)
  }
  return JSON.stringify(entry)
}

const fieldNames = new Map<string, readonly string[]>(
  Object.entries(events).map(([kind, { fields }]) => [kind, Object.keys(fields)]),
)

type Plain = string | number | boolean

function isPlain(value: unknown): value is Plain {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function cut(value: Plain): Plain {
  return typeof value === 'string' && value.length > LONGEST ? value.slice(0, LONGEST) : value
}
