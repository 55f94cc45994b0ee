/** One row of the table of failures. */
export interface ErrorRow {
  /** The HTTP status. 4xx is the client's fault, 5xx ours or an upstream's. */
  readonly status: number
  /** The JSON-RPC error code. */
  readonly rpc: number
  /** The `error` of a `WWW-Authenticate: Bearer` challenge (RFC 6750 §3.1), where the row is one. */
  readonly oauth?: string | undefined
  readonly says: string
  readonly fix: string
  /** The setting that was reached, where the failure is that; the detail `setting` says so where it may be one of several. */
  readonly limit?: string
  /** Details that a program needs, and that therefore go out beside the words. */
  readonly shows?: readonly string[]
}
