import type { Scan } from './imports.ts'

interface Wall {
  readonly what: string
  /** Folders and beginnings of paths behind the wall. */
  readonly behind: readonly string[]
  /** What of a file belongs behind it. */
  find(file: Scan): readonly string[]
}

const DRIVERS = /^(?:better-sqlite3|pg|pg-[\w-]+|redis|@redis\/.+|node:sqlite)(?:\/|$)/
/** What opens a connection; the rest of these modules serves, or tells about addresses. */
const DIALS = /\b(?:request|get|connect|createConnection|Agent|Socket|TLSSocket|Client|\* as)\b/

/** What is known in one place only. */
export const walls: readonly Wall[] = [
  {
    what: 'a protocol revision',
    behind: ['mcp/eras/'],
    find: ({ texts, imports }) =>
      texts.filter((text) => /20\d\d-\d\d-\d\d/.test(text) && !imports.some(({ from }) => from === text)),
  },
  {
    what: 'a database driver',
    behind: ['storage/dialects/', 'storage/shared/'],
    find: ({ imports }) => imports.flatMap(({ from = '' }) => (DRIVERS.test(from) ? [from] : [])),
  },
  {
    what: 'a connection to the world',
    // The CLI is a process of its own, and calls nobody but its gate.
    behind: ['http/outbound', 'http/guarded-fetch', 'upstreams/transports/', 'cli/'],
    find: ({ imports, code }) => [
      ...imports.flatMap(({ from = '', typeOnly, clause }) => (!typeOnly && dials(from, clause) ? [from] : [])),
      ...globalFetch(code),
    ],
  },
  {
    what: 'a child process',
    behind: ['upstreams/children/', 'vault/system-keyring'],
    find: ({ imports }) =>
      imports.flatMap(({ from = '', typeOnly }) => (!typeOnly && /^(?:node:)?child_process$/.test(from) ? [from] : [])),
  },
]

/** Bare uses of the global `fetch`; a file that is handed one of its own says so with a type, and calls that. */
function globalFetch(code: string): readonly string[] {
  const named = code.match(/\bglobalThis\.fetch\b/g) ?? []
  const handedIn = /\bfetch\??:/.test(code)
  return handedIn
    ? named
    : [...named, ...(code.match(/(?<![.\w$])(?<!\basync\s+)fetch\b(?!\s*\([^()]*\)\s*[:{])/g) ?? [])]
}

function dials(from: string, clause: string): boolean {
  if (/^undici(?:\/|$)/.test(from)) return true
  return /^(?:node:)?(?:https?|http2|net|tls|dgram)$/.test(from) && (DIALS.test(clause) || !clause.startsWith('{'))
}
