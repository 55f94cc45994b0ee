/**
 * What can go wrong between this server and MyAnimeList, in words for the model and the person behind it: what
 * happened, and what to do.
 */
const words = {
  token_missing:
    'This call needs a MyAnimeList account and came without a credential. Over HTTP, send your own access token as ' +
    '"Authorization: Bearer <token>". Over stdio, set MAL_REFRESH_TOKEN and MAL_CLIENT_ID, or MAL_ACCESS_TOKEN, and ' +
    'start the server again.',
  token_rejected:
    'MyAnimeList rejected the access token: it has expired, was revoked or is not complete. Connect the MyAnimeList ' +
    'account again, or set a fresh MAL_ACCESS_TOKEN or MAL_REFRESH_TOKEN, and repeat the call.',
  refresh_failed:
    'The access token could not be renewed at MyAnimeList. If this stays, check MAL_REFRESH_TOKEN, MAL_CLIENT_ID and ' +
    'MAL_CLIENT_SECRET: a refresh token works only with the client id it was issued to, for about a month.',
  throttled:
    'MyAnimeList is turning requests away because too many came in a short time. Wait a minute or two before the ' +
    'next call, and ask for fewer pages.',
  private: 'This list is private: only its owner, signed in with their own account, can read it.',
  no_access:
    'MyAnimeList refused the request although the credential is valid. Either too many requests came in a short ' +
    'time (wait a few minutes), or this account or application may not read this: look at ' +
    'https://myanimelist.net/apiconfig whether the application is still active.',
  not_found: 'MyAnimeList has nothing under this address. Check the id; search_anime finds it by title.',
  bad_request: 'MyAnimeList did not accept the request. Change the arguments before calling again.',
  unavailable: 'MyAnimeList does not answer properly at the moment. Try again in a few minutes.',
  timeout: 'MyAnimeList took too long to answer. Try again, with a smaller limit where there is one.',
  unreadable: 'MyAnimeList answered with something that could not be read. Try again later.',
  unsafe_paging:
    'MyAnimeList named a next page at another address. It was not followed, so that the access token cannot leak.',
} as const

export type MalProblemCode = keyof typeof words

/** A failure that the caller may be told of. Whatever else is thrown is a fault of this server. */
export class MalProblem extends Error {
  readonly code: MalProblemCode

  constructor(code: MalProblemCode, { says, cause }: { says?: string | undefined; cause?: unknown } = {}) {
    super(says === undefined ? words[code] : `${words[code]} ${says}`, { cause })
    this.name = 'MalProblem'
    this.code = code
  }
}
