import type { Role } from './principal.ts'

/** What a key may be called. */
export const KEY_NAME = /^[^\p{Cc}]{1,64}$/u

/** The most days a key may be good for, where it ends at all. */
export const KEY_DAYS = 3_650

/** What users may give a key that they make for themselves. Members are no administrators, nor are their keys. */
export function grantable(role: Role): readonly string[] {
  return role === 'member' ? ['mcp'] : ['mcp', 'admin', 'metrics']
}

/** Answers the first scope beyond those at hand. `mcp` opens every server; `admin` sees what `metrics` shows. */
export function findBeyond(own: readonly string[], wanted: readonly string[]): string | undefined {
  return wanted.find((scope) => !own.some((mine) => covers(mine, scope)))
}

function covers(own: string, wanted: string): boolean {
  return own === wanted || (own === 'mcp' && wanted.startsWith('mcp:')) || (own === 'admin' && wanted === 'metrics')
}
