import { SERVER_NAME } from './schema.ts'
import type { Report } from './report.ts'

/**
 * Checks what the servers are called. Names are a part of tool names and of addresses, so they must be plain,
 * and two that differ only in case could not be told apart by every client.
 */
export function checkNames(names: readonly string[], report: Report): void {
  const seen = new Map<string, string>()
  for (const name of names) {
    const path = ['mcpServers', name]
    const twin = seen.get(name.toLowerCase())
    if (!SERVER_NAME.test(name)) report.problem(path, { reason: explain(name), fix: `Call it ${suggest(name)}` }, 'key')
    else if (twin)
      report.problem(path, { reason: `differs from ${twin} only in case`, fix: 'Rename one of them' }, 'key')
    seen.set(name.toLowerCase(), name)
  }
}

function explain(name: string): string {
  if (name === '') return 'is an empty name'
  if (name.toLowerCase() === RESERVED) return 'is the name of the gate itself'
  if (name.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  return 'is no name for a server: letters, digits, - and single _, beginning with a letter or digit, not ending with _'
}

const RESERVED = 'sekisho'
const MAX_LENGTH = 24

/** Turns any text into a name that is allowed. */
export function suggest(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/_+/g, '_')
    .replace(/^[-_]+/, '')
    .slice(0, MAX_LENGTH)
    .replace(/[-_]+$/, '')
  if (plain === '') return 'server'
  return plain.toLowerCase() === RESERVED ? `${RESERVED}-server` : plain
}
