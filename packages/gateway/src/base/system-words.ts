/** What systems say, and what that means. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'there is no such directory',
  EISDIR: 'it is a directory',
  EEXIST: 'it is a file',
  EROFS: 'its disk can be read only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no machine has this name',
}

/** Why a system, a database or a peer refused something, for people: in its own words where we have none. */
export function inWords(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause ? String(cause.code) : cause.name
  // What was tried at several addresses fails without words.
  return WORDS[code] ?? (cause.message || code)
}
