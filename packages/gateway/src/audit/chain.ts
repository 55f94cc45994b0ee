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
 * Writes an entry as the JSON that is kept and hashed: only fields of the event's row, only plain values. Put together
 * from texts that are mostly there already, since one is written for every call (`bench/audit.ts`).
 */
export function toEntry(at: number, event: AuditEvent): string {
  let text = `{"at":${at},"kind":"${event.kind}"`
  if (event.userId !== undefined) text += `,"user":${quoteKept(event.userId)}`
  if (event.requestId !== undefined) text += `,"request":${quote(event.requestId)}`
  const values: Readonly<Record<string, unknown>> = event
  for (const { name, before } of fieldsOf.get(event.kind) ?? []) {
    const value = values[name]
    if (typeof value === 'string') text += before + quoteKept(value)
    else if (typeof value === 'boolean' || Number.isFinite(value)) text += before + String(value)
  }
  return whole(`${text}}`)
}

interface Field {
  readonly name: string
  /** What stands before its value. */
  readonly before: string
}

const fieldsOf = new Map<string, readonly Field[]>(
  Object.entries(events).map(([kind, { fields }]) => [
    kind,
    Object.keys(fields).map((name) => ({ name, before: `,"${name}":` })),
  ]),
)

/** Nearly all values come again: names of servers and tools, ids of users and keys. */
const quoted = new Map<string, string>()
const QUOTED_MOST = 1_000

function quoteKept(value: string): string {
  const known = quoted.get(value)
  if (known !== undefined) return known
  const text = quote(value)
  if (value.length > LONGEST_KEPT) return text
  if (quoted.size >= QUOTED_MOST) quoted.clear()
  quoted.set(value, text)
  return text
}

const LONGEST_KEPT = 64

function quote(value: string): string {
  return JSON.stringify(value.length > LONGEST ? value.slice(0, LONGEST) : value)
}

/**
 * A text that was put together stays a tree of its pieces until it is read, and entries wait in hundreds for their
 * group, where the collector would move every piece: looking at one character makes it one piece.
 */
function whole(text: string): string {
  text.charCodeAt(0)
  return text
}
