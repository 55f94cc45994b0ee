/**
 * Whether two spellings name one issuer: a slash at the end, where there is no path, is a matter of spelling. What is no
 * address is no issuer, and the same as nothing.
 */
export function isSameIssuer(one: string, other: string): boolean {
  const url = URL.parse(one)
  return url !== null && url.href === URL.parse(other)?.href
}
