import type { Identity } from './provider.ts'

const LONG_AGO = 0

/** What is known of when somebody proved who they are. */
interface Known {
  readonly identity: Pick<Identity, 'authenticatedAt'>
  /** Whether the provider was told to have them prove it anew. */
  readonly again: boolean
}

/**
 * Answers when somebody proved who they are; `undefined` is now. A provider that says nothing of it may have let them in
 * by a session of last week: only where it was told to ask is that a proof of today.
 */
export function provenAt({ identity, again }: Known): number | undefined {
  return identity.authenticatedAt ?? (again ? undefined : LONG_AGO)
}
