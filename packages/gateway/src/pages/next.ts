/**
 * Answers with where to go afterwards, if that is a path of this gate; `undefined` for anything else, since a link
 * to the gate must not be a link to wherever its maker likes.
 */
export function parseNext(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || !OWN_PATH.test(text)) return undefined
  const url = URL.parse(text, BASE)
  return url?.origin === BASE && !url.pathname.startsWith('//') ? `${url.pathname}${url.search}` : undefined
}

/** One slash and no second; nothing that a browser takes for one, nor anything it drops. */
const OWN_PATH = /^\/(?!\/)[^\\\p{Cc}\p{Cf}]{0,2000}$/u
const BASE = 'http://gate.invalid'
