/** Which client speaks: of the newer revision, of an older one, and that in a session. */
export type ClientKind = 'modern' | 'legacy' | 'session'

/** A request, with places for what the two sides see differently. */
export interface Asking {
  readonly method: string
  readonly text: string
  /** The id in its own spelling. */
  readonly id: string
  readonly token: string | undefined
  readonly logLevel: string | undefined
  /** Its target, as its server knows it and in the spelling of the client. */
  readonly own: { readonly kind: 'name' | 'uri' | 'none'; readonly value: string; readonly spelled: string }
  /** The object at each place has nothing else in it. */
  readonly isEmpty: { readonly meta: boolean; readonly params: boolean }
  readonly has: { readonly meta: boolean; readonly params: boolean }
  /** Headers of the client's that are for the tool, names and values in turn. */
  readonly paramHeaders: readonly string[]
}

/** What the server does: it tells some things, and answers. */
export interface Answering {
  readonly told: readonly Told[]
  readonly text: string
  readonly code: string
  /** What the result is, for what a newer client must be told beside. */
  readonly result: { readonly isObject: boolean; readonly isEmpty: boolean; readonly hasType: boolean }
  /** How it comes over HTTP. */
  readonly framing: 'json' | 'events'
  readonly lineEnd: string
  /** The sizes of the pieces it is written in; all at once where there are none. */
  readonly pieces: readonly number[]
}

export interface Told {
  readonly kind: 'progress' | 'log' | 'other'
  readonly level: string
  readonly text: string
}

export interface Case {
  readonly client: ClientKind
  readonly door: 'server' | 'merged'
  readonly asking: Asking
  readonly answering: Answering
}

export const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const

export const METHODS = [
  'tools/call',
  'tools/call',
  'tools/call',
  'prompts/get',
  'resources/read',
  'completion/complete',
  'example/unheard-of',
] as const
export type Method = (typeof METHODS)[number]

export const NAME = 'thing'
export const URI = 'res://thing/{x}?q#f'

/** What is read of a message, so that nothing else may have its name. */
export const TOP_READ = /^(?:id|params|jsonrpc|method|result|error)$/i
