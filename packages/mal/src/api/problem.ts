/**
 * What can go wrong between this server and MyAnimeList, in words for the model and the person behind it: what
 * happened, and what to do.
 */
export const malProblems = {
  token_missing:
    'This call needs a MyAnimeList account and came without a credential. Over HTTP, send your own access token as ' +
    '"Authorization: Bearer <token>". Over stdio, set MAL_REFRESH_TOKEN and MAL_CLIENT_ID, or MAL_ACCESS_TOKEN, and ' +
    'start the server again.',
  token_rejected:
    'MyAnimeList rejected the access token: it has expired, was revoked or is not complete. Connect the MyAnimeList ' +
    'account again (where this server runs alone: set a fresh MAL_ACCESS_TOKEN or MAL_REFRESH_TOKEN), and repeat the call.',
  refresh_failed:
    'The access token could not be renewed at MyAnimeList. If this stays, check MAL_REFRESH_TOKEN, MAL_CLIENT_ID and ' +
    'MAL_CLIENT_SECRET: a refresh token works only with the client id it was issued to, for about a month.',
  not_renewable:
    'Nobody here can renew this access token. A token that came with the request is renewed where it was issued: ' +
    'connect the MyAnimeList account again. Alone, this server renews the account of MAL_REFRESH_TOKEN.',
  throttled:
    'MyAnimeList is turning requests away because too many came in a short time. Wait a minute or two before the ' +
    'next call, and ask for fewer pages.',
  private: 'This list is private: only its owner, signed in with their own account, can read it.',
  no_access:
    'MyAnimeList refused the request although the credential is valid. Either too many requests came in a short ' +
    'time (wait a few minutes), or this account or application may not read this: look at ' +
    'https://myanimelist.net/apiconfig whether the application is still active.',
  not_found:
    'MyAnimeList has nothing under this id. search_anime and search_manga find works by title, search_forum_topics ' +
    'topics of the forum.',
  no_such_user:
    'MyAnimeList knows no user of this name, or their list is private. It is the name in the address of their profile, ' +
    'https://myanimelist.net/profile/<name>.',
  bad_request: 'MyAnimeList did not accept the request. Change the arguments before calling again.',
  bad_query: 'The query could not be read.',
  budget_spent:
    'This account has sent as many requests to MyAnimeList as it may for now, so that MyAnimeList is not annoyed.',
  unavailable: 'MyAnimeList does not answer properly at the moment. Try again in a few minutes.',
  timeout: 'MyAnimeList took too long to answer. Try again, with a smaller limit where there is one.',
  unreadable: 'MyAnimeList answered with something that could not be read. Try again later.',
  not_applied:
    'MyAnimeList took the change, and its answer shows something else than was asked. Nothing was tried again. Look at ' +
    'the entry before changing it once more.',
  nothing_to_change: 'No change was named. Say at least one thing that is to change.',
  ambiguous: 'More than one title fits. Call again with one of these ids:',
  no_such_title: 'Nothing was found under this title. Try fewer words, the Japanese title, or an id.',
  storage_off:
    'This tool keeps something between calls, and this server has nowhere to keep it. Alone it needs a folder: set ' +
    'MAL_DATA_DIR and start it again.',
  operation_unknown:
    'There is no such operation, or it was a plan that was shown more than an hour ago. list_operations shows what ' +
    'there is; a plan can be made again.',
  operation_busy:
    'Another call is carrying this operation out at the moment. Wait for it, or call again when it has ended.',
  operation_over: 'Nothing of this operation is left to carry out.',
  operation_undone: 'This operation was undone already. To get it back, undo what undid it.',
  bad_choice: 'Name the entries in one way: by a query, by ids, or from an earlier operation.',
  bad_change: 'This change makes no sense for this entry.',
  declined: 'The person did not agree. Nothing was changed.',
  nothing_to_undo: 'There is nothing to undo: no operation was carried out that is not undone already.',
  not_done: 'MyAnimeList did not make this change.',
  unfinished:
    'Whether MyAnimeList made this change is not known. Repeating the call does no harm: it looks at the entry first.',
  too_many: 'That is more than one operation may hold. Make it in pieces.',
  unsafe_paging:
    'MyAnimeList named a next page at another address. It was not followed, so that the access token cannot leak.',
  file_too_large: 'The file is larger than this server reads. Split it, or leave out what is not needed.',
  file_unreadable:
    'The file is none that this server reads: MyAnimeList XML (.xml or .xml.gz), or CSV or JSON as export_list writes ' +
    'them.',
} as const

export type MalProblemCode = keyof typeof malProblems

/** A failure that the caller may be told of. Whatever else is thrown is a fault of this server. */
export class MalProblem extends Error {
  readonly code: MalProblemCode

  constructor(code: MalProblemCode, { says, cause }: { says?: string | undefined; cause?: unknown } = {}) {
    super(says === undefined ? malProblems[code] : `${malProblems[code]} ${says}`, { cause })
    this.name = 'MalProblem'
    this.code = code
  }
}
