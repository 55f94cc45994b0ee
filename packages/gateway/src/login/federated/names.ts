import type { Identity } from './provider.ts'

const LONGEST = 56

/**
 * Answers a name for a new user, out of what the provider calls them, that nobody has: however much it looks like
 * somebody's, it becomes another one. Never an address, which could be taken for a proof.
 */
export function nameFor(identity: Pick<Identity, 'username' | 'email' | 'name'>, taken: ReadonlySet<string>): string {
  const base = baseOf(identity)
  if (!taken.has(base)) return base
  for (let count = 2; ; count++) if (!taken.has(`${base}-${count}`)) return `${base}-${count}`
}

/** Names that differ only in case are the same to a reader. */
export function sameName(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

function baseOf({ username, email, name }: Pick<Identity, 'username' | 'email' | 'name'>): string {
  const candidates = [username, email, name].map((text) => clean(text ?? ''))
  return candidates.find((candidate) => candidate !== '') ?? 'user'
}

/** What is left of a text that a user name may hold: the part before an `@`, in lower case, within letters or digits. */
function clean(text: string): string {
  const [local = ''] = sameName(text).split('@', 1)
  const plain = Array.from(local.replace(/[^\p{L}\p{M}\p{N}._+-]+/gu, '-'))
    .slice(0, LONGEST)
    .join('')
  const edged = plain.replace(/^[^\p{L}\p{N}]+/u, '').replace(/[^\p{L}\p{M}\p{N}]+$/u, '')
  return edged.startsWith('usr_') ? clean(edged.slice(4)) : edged
}
