/** What a method asks of the gate, whatever its era calls it. */
export type Operation =
  | { readonly kind: 'open' | 'ping' | 'level' | 'subscribe' | 'unsubscribe' | 'listen' }
  /** A list, answered from what is known. */
  | { readonly kind: 'list'; readonly of: 'tools' | 'prompts' | 'resources' | 'templates' }
  /** What one server answers; `target` says how it is found. */
  | { readonly kind: 'call'; readonly target: Target }

/** What a request to a server is for. `any`: something the gate does not know, for the one server of its endpoint. */
export type Target = 'tool' | 'prompt' | 'resource' | 'completion' | 'task' | 'any'

/** Methods that both eras have. */
export const commonOperations: readonly (readonly [string, Operation])[] = [
  ['tools/list', { kind: 'list', of: 'tools' }],
  ['tools/call', { kind: 'call', target: 'tool' }],
  ['prompts/list', { kind: 'list', of: 'prompts' }],
  ['prompts/get', { kind: 'call', target: 'prompt' }],
  ['resources/list', { kind: 'list', of: 'resources' }],
  ['resources/templates/list', { kind: 'list', of: 'templates' }],
  ['resources/read', { kind: 'call', target: 'resource' }],
  ['completion/complete', { kind: 'call', target: 'completion' }],
  ['tasks/get', { kind: 'call', target: 'task' }],
  ['tasks/cancel', { kind: 'call', target: 'task' }],
]

/** What a request to a server asks for that the gate has never heard of. */
export const ANYTHING: Operation = { kind: 'call', target: 'any' }
