/** The newest first. */
export const REVISIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
export const LATEST = '2025-11-25'

/** The revision that is spoken with a client that asked for this one. @see MCP 2025-11-25, basic/lifecycle#version-negotiation */
export function agreedRevision(requested: unknown): string {
  return typeof requested === 'string' && REVISIONS.includes(requested) ? requested : LATEST
}

/** The one revision in which several messages may come in one array. @see MCP 2025-03-26, basic/transports */
export function takesBatches(version: string | undefined): boolean {
  return version === undefined || version === '2025-03-26'
}
