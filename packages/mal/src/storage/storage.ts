/**
 * What every storage keeps to, so that an account cannot fill a disk. Of a collection that has more documents, those
 * with the smallest keys are forgotten; what is larger is a fault of ours and is thrown.
 */
export const storageBounds = { documents: 25_000, valueBytes: 4 * 1024 * 1024, keyBytes: 100 } as const

/** What can be kept: plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One kept document. `version` grows with each writing. */
export interface Kept {
  readonly key: string
  readonly value: Json
  readonly version: number
}

/**
 * Where one account keeps what must outlive a call: plans, journals, snapshots. Keys sort by their bytes; a collection
 * (a name in small letters and `_`) holds what belongs together. A token is never kept here. Whoever runs this server hands it in; without one, the tools that need it are off and say so.
 */
export interface AccountStorage {
  find(collection: string, key: string): Promise<Kept | undefined>
  /** In the order of keys, newest (largest) first. */
  list(collection: string, page: { readonly limit: number; readonly before?: string }): Promise<readonly Kept[]>
  /**
   * Durable when it resolves. With `expected` it is written only where the document still has that version (0: where
   * there is none), and answers `false` otherwise: what two processes want to do at once, one of them does.
   */
  put(collection: string, key: string, value: Json, expected?: number): Promise<boolean>
  forget(collection: string, key: string): Promise<void>
}

/** The storage of all accounts. */
export interface MalStorage {
  /**
   * @param owner Whose call it is in the words of whoever runs this server; '' where there is only one user.
   * @param account The MyAnimeList user id.
   */
  forAccount(owner: string, account: string): AccountStorage
}
